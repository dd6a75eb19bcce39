/**
 * Transactions of a capture, client by client: what a client read and watched shortly before MULTI, and what it queued. At
 * EXEC the rules for transactions judge that one block. MONITOR shows queued commands when they run, just before EXEC.
 */
import { wordOf } from '../../catalog/lookup.ts';
import type { Target } from '../../plan/target.ts';
import type { LintCommand, Rule } from '../rule.ts';
import { pip002 } from '../rules/pip002-not-in-a-pipeline.ts';
import { tx001 } from '../rules/tx001-read-modify-write.ts';
import { tx004 } from '../rules/tx004-watch-too-late.ts';
import { tx005 } from '../rules/tx005-crossslot-transaction.ts';
import { tx006 } from '../rules/tx006-long-transaction.ts';
import { type AuditCommand, argvOf } from './command.ts';
import type { Fold } from './fold.ts';
import { createHotKeys } from './hot-keys.ts';

/** Follows what clients do. */
export interface Transactions {
  /** Every command of a client, in order. `changes`: it is MULTI, EXEC, WATCH or their like. */
  see(command: AuditCommand, changes: boolean): void;
}

/** The rules that a block is judged by. Those that need the sizes of its keys are no business of a capture. */
const transactionRules: readonly Rule[] = [tx001, tx004, tx005, tx006, pip002];

/** Reads count as made for a transaction when they are among the last so many commands of the client, and so recent. */
const before = 32;
const beforeMs = 1_000;
/** Of a transaction so many commands are judged one by one; all of them are counted. */
const mostQueued = 10_000;
const mostWatches = 100;
/** Every so many commands clients that said nothing for a second are forgotten: their commands would hold memory. */
const sweepEvery = 16_384;

interface Client {
  /** The last commands, written round and round; `next` is the place of the next one. */
  readonly ring: (AuditCommand | undefined)[];
  next: number;
  /** WATCH commands since the last EXEC. */
  watches: AuditCommand[];
  queued: AuditCommand[] | undefined;
  multi: AuditCommand | undefined;
  lastMs: number;
}

/** Starts to follow clients. */
export function createTransactions(
  fold: Fold,
  place: (command: AuditCommand, argv: LintCommand['argv'], within: LintCommand['within']) => LintCommand,
  target?: Target,
): Transactions {
  const clients = new Map<string, Client>();
  const hot = createHotKeys(fold, place);
  let seen = 0;
  const judge = (client: Client, multi: AuditCommand, exec: AuditCommand): void => {
    const since = (multi.atMs ?? 0) - beforeMs;
    const lately = [...client.ring.slice(client.next), ...client.ring.slice(0, client.next)].filter(
      (one): one is AuditCommand => one !== undefined && (one.atMs ?? 0) >= since,
    );
    const earlier = client.watches.filter((one) => !lately.includes(one));
    const outside = [...earlier, ...lately, multi].map((one) => place(one, argvOf(one), 'line'));
    const inside = (client.queued ?? []).map((one) => place(one, argvOf(one), 'transaction'));
    const commands = [...outside, ...inside, place(exec, argvOf(exec), 'line')];
    for (const rule of transactionRules) {
      for (const finding of rule.check({ commands, scripts: [], ...(target && { target }) }).findings)
        fold.add(rule, finding);
    }
  };
  const forget = (client: Client): void => {
    client.ring.fill(undefined);
    client.watches = [];
    client.queued = undefined;
    client.multi = undefined;
  };
  return {
    see: (command, changes) => {
      const { client: name = '', atMs = 0 } = command;
      if (hot.watching && !changes) hot.see(name, command);
      if (name === 'lua') return;
      seen += 1;
      if (seen % sweepEvery === 0) sweep(clients, atMs, hot.forget);
      let client = clients.get(name);
      if (!client) {
        client = {
          ring: [],
          next: 0,
          watches: [],
          queued: undefined,
          multi: undefined,
          lastMs: atMs,
        };
        clients.set(name, client);
      }
      client.lastMs = atMs;
      const state = changes ? stateOf(command) : '';
      if (state === 'multi') {
        client.multi = command;
        client.queued = [];
      } else if (state === 'exec' && client.multi) {
        hot.exec(name, command, (client.queued?.length ?? 0) > 0);
        judge(client, client.multi, command);
        forget(client);
      } else if (state === 'exec' || state === 'discard' || state === 'reset' || state === 'unwatch') {
        // queued it is run by EXEC, which ends the watch by itself
        if (state === 'unwatch' && client.queued) return;
        hot.forget(name);
        forget(client);
      } else if (client.queued) {
        if (client.queued.length < mostQueued) client.queued.push(command);
      } else {
        if (state === 'watch' && client.watches.length < mostWatches) {
          client.watches.push(command);
          hot.watch(name, command);
        }
        client.ring[client.next] = command;
        client.next = (client.next + 1) % before;
      }
    },
  };
}

/** Clients that wait for nothing and said nothing for a second. */
function sweep(clients: Map<string, Client>, nowMs: number, gone: (name: string) => void): void {
  for (const [name, { lastMs, queued, watches }] of clients) {
    const waits = queued !== undefined || watches.length > 0;
    if (nowMs - lastMs < beforeMs || (waits && clients.size <= mostClients)) continue;
    clients.delete(name);
    gone(name);
  }
}

const mostClients = 10_000;

function stateOf({ argv: [word] }: AuditCommand): string {
  return typeof word === 'string' ? wordOf(word) : '';
}
