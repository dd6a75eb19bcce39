/** A run in motion: events as they happen, journaled and folded, and the report at their end. */
import { systemClock } from './base/clock.ts';
import { OpsError } from './base/ops-error.ts';
import { execute } from './execute/execute.ts';
import type { StreamTerms } from './execute/session.ts';
import type { Event } from './plan/event.ts';
import type { Plan } from './plan/plan.ts';
import type { Report } from './plan/report.ts';
import type { Connection } from './redis/connection.ts';
import { recordingConnection } from './redis/recording.ts';
import { createFold } from './report/fold.ts';
import { appendAudit } from './state/audit.ts';
import { openRun } from './state/runs.ts';

/** A run: the events as they happen, then the report. `report` settles only when `events` was read to its end. */
export interface Run {
  readonly events: AsyncIterable<Event>;
  readonly report: Promise<Report>;
}

/** What a run needs beside its plan. */
export interface RunSettings {
  readonly connection: Connection;
  readonly stateDir: string | undefined;
  readonly dryRun: boolean;
  readonly signal: AbortSignal | undefined;
  /** Where files of commands lie, and what of them may be sent; left out where a plan may name none. */
  readonly stream?: Pick<StreamTerms, 'pathOf' | 'admit'>;
}

/** A run that ended before it began: refused, or waiting for approval. */
export function settledRun(report: Report): Run {
  return { events: (async function* () {})(), report: Promise.resolve(report) };
}

/** A run in motion: the journal is written as it goes, the report when its events have been read. */
export async function startRun(
  { connection, stateDir, dryRun, signal, stream }: RunSettings,
  plan: Plan,
): Promise<Run> {
  const runId = newRunId();
  const log = stateDir && !dryRun ? await openRun(stateDir, runId, plan) : undefined;
  const recording = dryRun ? recordingConnection(connection) : undefined;
  const context = {
    plan,
    runId,
    connection: recording ?? connection,
    clock: systemClock,
    signal: signal ?? new AbortController().signal,
    journal: log ? (record: Readonly<Record<string, unknown>>) => log.append(record) : undefined,
    ...(stream ? { stream: { ...stream, dryRun } } : {}),
  };
  const fold = createFold(plan, runId);
  let settle: (report: Report) => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const report = new Promise<Report>((resolve, reject) => {
    settle = resolve;
    fail = reject;
  });
  report.catch(() => undefined); // whoever awaits it still sees the failure
  async function* events(): AsyncGenerator<Event> {
    try {
      for await (const event of execute(context, recording?.keptBack)) {
        fold.add(event);
        yield event;
      }
      const done = fold.report();
      await log?.finish(done);
      if (stateDir)
        await appendAudit(stateDir, {
          event: 'run',
          run_id: runId,
          digest: plan.digest,
          status: done.status,
          totals: done.totals,
        });
      settle(done);
    } catch (error) {
      fail(error);
      throw error;
    } finally {
      await log?.close();
      fail(new OpsError('interrupted', 'the events of the run were not read to their end'));
    }
  }
  return { events: events(), report };
}

/** Sorts by time, and is told apart from a run of the same second. */
function newRunId(): string {
  const stamp = new Date(systemClock.now()).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${stamp}-${Math.random().toString(36).slice(2, 8).padEnd(6, '0')}`;
}
