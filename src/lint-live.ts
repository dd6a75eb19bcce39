/** Lints what clients send to a running server: its slow log, or MONITOR for a bounded time. Both only look. */
import { OpsError } from './base/ops-error.ts';
import { formatCount, formatDuration } from './base/units.ts';
import { type SlowCommand, slowCommand } from './formats/slowlog-reader.ts';
import { createAudit } from './lint/audit/audit.ts';
import { createFold } from './lint/audit/fold.ts';
import { type AuditTerms, commandOf, cutNotes } from './lint-audit.ts';
import type { LintSettings } from './lint-files.ts';
import { auditTerms, withAudit } from './lint-inputs.ts';
import type { AuditedInput, LintResult } from './plan/lint-result.ts';
import type { Target } from './plan/target.ts';
import type { Connection } from './redis/connection.ts';
import { type MonitorBounds, type MonitorEnd, monitor } from './redis/monitor.ts';

/** What to look at: MONITOR within bounds, the newest entries of the slow log, or both. */
export interface LiveLint {
  readonly monitor?: MonitorBounds;
  readonly slowlog?: number;
}

/** Judges what a server shows. Rejects with OpsError server_error where it refuses, and with what connections reject with. */
export async function lintLive(
  connection: Connection,
  target: Target,
  live: LiveLint,
  settings?: LintSettings,
): Promise<LintResult> {
  const terms: AuditTerms = { fold: createFold(settings?.severity), ...auditTerms(settings, target) };
  const audited: AuditedInput[] = [];
  if (live.slowlog !== undefined) audited.push(...(await ofSlowlog(connection, live.slowlog, terms)));
  if (live.monitor) audited.push(await ofMonitor(connection, live.monitor, terms));
  return withAudit({ diagnostics: [], unchecked: [] }, audited, terms, settings);
}

async function ofMonitor(connection: Connection, bounds: MonitorBounds, terms: AuditTerms): Promise<AuditedInput> {
  const name = `MONITOR of ${terms.target?.name ?? 'the server'}`;
  const audit = createAudit({ source: 'monitor', name, live: true, ...terms });
  const ended = await monitor(connection, bounds, (command) => audit.take(command));
  const { commands, notes } = audit.end();
  return { name, input: 'monitor', commands, notes: [howItEnded(ended, bounds), ...notes] };
}

function howItEnded(ended: MonitorEnd, { ms, commands }: MonitorBounds): string {
  switch (ended) {
    case 'time':
      return `MONITOR ran for ${formatDuration(ms)}`;
    case 'count':
      return `MONITOR was ended after ${formatCount(commands)} commands`;
    case 'behind':
      return 'MONITOR was ended early: it fell two seconds behind, and the server keeps in memory what is not read';
    case 'lost':
      return 'the connection was lost: what came before was judged';
    case 'interrupted':
      return 'MONITOR was ended by hand';
  }
}

async function ofSlowlog(connection: Connection, most: number, terms: AuditTerms): Promise<readonly AuditedInput[]> {
  const audited: AuditedInput[] = [];
  for (const node of connection.nodes()) {
    const lease = await connection.lease({ address: node.address });
    try {
      const reply = await lease.send(['SLOWLOG', 'GET', String(most)]);
      const entries = Array.isArray(reply)
        ? reply.map((one) => (Array.isArray(one) ? slowCommand(one) : undefined))
        : [];
      if (!Array.isArray(reply) || entries.includes(undefined)) throw refused(node.address, reply);
      const log = entries.filter((one): one is SlowCommand => one !== undefined);
      const name = `SLOWLOG of ${node.address}`;
      const audit = createAudit({ source: 'slowlog', name, ...terms });
      for (const entry of log) audit.take(commandOf(entry));
      const { commands, notes } = audit.end();
      audited.push({ name, input: 'slowlog', commands, notes: [...cutNotes(log), ...notes] });
    } finally {
      await lease.close();
    }
  }
  return audited;
}

function refused(address: string, reply: unknown): OpsError {
  const said = typeof reply === 'object' && reply !== null && 'message' in reply ? String(reply.message) : 'no list';
  return new OpsError('server_error', `${address} does not answer SLOWLOG GET: ${said}`, {
    remedy: 'The user needs the right to run SLOWLOG GET; its output from elsewhere can be linted as a file.',
  });
}
