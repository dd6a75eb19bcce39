/**
 * Sends a batch of commands and brings every one of them to an outcome: the place where redops keeps its word that
 * nothing is lost and nothing doubled.
 *
 * - An error reply means not applied: what is transient (BUSY, LOADING ...) is sent again, whatever the command.
 * - A lost connection is first ended on the server (CLIENT KILL ID): commands it had received could still run, and a
 *   late SET would overwrite a newer one. Then only what is idempotent with its arguments is sent again.
 * - Nothing is sent again when a later command on one of its keys was applied or may have been: order per key holds.
 */
import type { Bytes } from '../base/bytes.ts';
import { bytesId } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { errorOf } from '../catalog/errors.ts';
import { isRepeatable } from '../catalog/idempotency.ts';
import { keysOf } from '../catalog/keys.ts';
import { isReadOnly } from '../catalog/nature.ts';
import type { Event } from '../plan/event.ts';
import type { Outcome, ReplyProblem } from '../plan/report.ts';
import { LostConnection } from '../redis/connection.ts';
import { NotSent, type Reply } from '../redis/reply.ts';
import { isRefusal, problem, problemOf } from './outcome.ts';
import { backoffMs, type Session, type SessionContext } from './session.ts';
import { toWire } from './wire.ts';

/** How one command ended. */
export interface Settled {
  readonly outcome: Outcome;
  readonly reply: Reply;
  readonly error?: ReplyProblem;
}

/** A batch's outcomes in order, its retries, and the fault that ends the run, if one does. */
export interface BatchResult {
  readonly settled: readonly Settled[];
  readonly retries: readonly Extract<Event, { kind: 'retried' }>[];
  readonly fault?: OpsError;
}

/** Why a command has no final outcome yet. */
type Open =
  | { readonly why: 'refused'; readonly problem: ReplyProblem; readonly code: string }
  | { readonly why: 'unsent'; readonly message: string }
  | { readonly why: 'lost'; readonly message: string; readonly timeout: boolean };

/** Refuses a command by a problem (a deadline that has passed) before every sending. */
export type Guard = (argv: readonly Bytes[]) => ReplyProblem | undefined;

/** Runs the commands. */
export function runBatch(
  session: Session<SessionContext>,
  commands: readonly (readonly Bytes[])[],
  guard: Guard = () => undefined,
): Promise<BatchResult> {
  const open = new Map<number, Open>(commands.map((_, index) => [index, { why: 'unsent', message: 'not sent' }]));
  return finish(session, commands, { settled: new Map(), open, ended: true }, guard);
}

/** Brings to an outcome what was sent elsewhere: the replies that came, in order (undefined: none came), and the loss that cut the rest off. */
export async function finishBatch(
  session: Session<SessionContext>,
  commands: readonly (readonly Bytes[])[],
  replies: readonly (Reply | undefined)[],
  lost: LostConnection | undefined,
): Promise<BatchResult> {
  const settled = new Map<number, Settled>();
  const open = new Map<number, Open>();
  commands.forEach((_, index) => {
    const reply = replies[index];
    const why = reply === undefined ? lossOf(lost!) : openOf(reply);
    if (why) open.set(index, why);
    else settled.set(index, settle(reply!));
  });
  const ended = lost === undefined || !lost.sent || (await session.end(lost)) === 'ended';
  return finish(session, commands, { settled, open, ended, ...(lost ? { fault: lost } : {}) });
}

/** The loop: what may be sent again is, until all is settled or the retries are used up. `first` is what is known before it. */
async function finish(
  session: Session<SessionContext>,
  commands: readonly (readonly Bytes[])[],
  first: Round,
  guard: Guard = () => undefined,
): Promise<BatchResult> {
  const { retry } = session.context.plan.request;
  const { signal, clock } = session.context;
  const settled: (Settled | undefined)[] = commands.map((_, index) => first.settled.get(index));
  const retries: Extract<Event, { kind: 'retried' }>[] = [];
  const open = new Map(first.open);
  let fault = first.fault;
  let pending = repeatable(commands, settled, open, first.ended);
  // what was never sent goes out at once; everything else waits for its turn
  let attempt = first.fault === undefined && settled.every((end) => end === undefined) && isFresh(open) ? -1 : 0;
  while (pending.length > 0 && fault?.code !== 'drift' && !signal.aborted && attempt < retry.max_retries) {
    if (attempt >= 0) {
      const wait = backoffMs(attempt, retry.base_ms);
      retries.push({
        kind: 'retried',
        reason: reasonOf(open, pending),
        attempt: attempt + 1,
        wait_ms: Math.round(wait),
      });
      await clock.sleep(wait, signal).catch(() => undefined);
      if (signal.aborted) break;
    }
    attempt += 1;
    const round = await sendOnce(session, commands, pending, guard);
    for (const [index, end] of round.settled) {
      settled[index] = end;
      open.delete(index);
    }
    for (const [index, why] of round.open) open.set(index, why);
    fault = round.fault;
    pending = repeatable(commands, settled, open, round.ended);
  }
  const final = settled.map((end, index) => end ?? closeOpen(open.get(index)!));
  return { settled: final, retries, ...(fault ? { fault } : {}) };
}

function isFresh(open: Map<number, Open>): boolean {
  return [...open.values()].every((why) => why.why === 'unsent');
}

interface Round {
  readonly settled: Map<number, Settled>;
  readonly open: Map<number, Open>;
  /** Whether the lost connection can no longer run anything; true when none was lost. */
  readonly ended: boolean;
  readonly fault?: OpsError;
}

async function sendOnce(
  session: Session<SessionContext>,
  commands: readonly (readonly Bytes[])[],
  pending: readonly number[],
  guard: Guard,
): Promise<Round> {
  const settled = new Map<number, Settled>();
  const open = new Map<number, Open>();
  const send: number[] = [];
  for (const index of pending) {
    const refusal = guard(commands[index]!);
    if (refusal) settled.set(index, { outcome: 'not_sent', reply: null, error: refusal });
    else send.push(index);
  }
  if (send.length === 0) return { settled, open, ended: true };
  const replies: Reply[] = [];
  let lost: LostConnection | undefined;
  try {
    const pipe = await session.bulk();
    pipe.write(send.map((index) => toWire(commands[index]!)));
    while (replies.length < send.length) replies.push(...(await pipe.read()));
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    if (!(error instanceof LostConnection)) return { settled, open, ended: true, fault: error };
    lost = error;
  }
  send.forEach((index, at) => {
    const reply = replies[at];
    const why = reply === undefined ? lossOf(lost!) : openOf(reply);
    if (why) open.set(index, why);
    else settled.set(index, settle(reply!));
  });
  const ended = lost === undefined || (await session.end(lost)) === 'ended';
  return { settled, open, ended, ...(lost ? { fault: lost } : {}) };
}

/** What a lost connection means for a command on it. */
function lossOf({ message, sent, code }: LostConnection): Open {
  return sent ? { why: 'lost', message, timeout: code === 'connection_timeout' } : { why: 'unsent', message };
}

/** A transient refusal leaves its command open; every other reply settles it. */
function openOf(reply: Reply): Open | undefined {
  if (!isRefusal(reply) || !errorOf(reply.code).retry) return undefined;
  return { why: 'refused', problem: problemOf(reply), code: reply.code };
}

function settle(reply: Reply): Settled {
  if (reply instanceof NotSent) return { outcome: 'not_sent', reply: null };
  return isRefusal(reply) ? { outcome: 'error', reply: null, error: problemOf(reply) } : { outcome: 'ok', reply };
}

/** The open commands that may be sent again, in their order. Marks what may not be as settled. */
function repeatable(
  commands: readonly (readonly Bytes[])[],
  settled: (Settled | undefined)[],
  open: Map<number, Open>,
  ended: boolean,
): number[] {
  const later = new KeySet();
  const again: number[] = [];
  for (let index = commands.length - 1; index >= 0; index -= 1) {
    const argv = commands[index]!;
    const why = open.get(index);
    const end = settled[index];
    if (!why) {
      if (end?.outcome === 'ok' || end?.outcome === 'unknown') later.add(argv);
      continue;
    }
    const safe = why.why !== 'lost' || isReadOnly(argv) || (ended && isRepeatable(argv));
    if (safe && !later.overlaps(argv)) {
      again.push(index);
      continue;
    }
    const closed = closeOpen(why, ended);
    settled[index] = closed;
    open.delete(index);
    if (closed.outcome === 'unknown') later.add(argv);
  }
  return again.reverse();
}

/** The outcome of a command that is not sent again. */
function closeOpen(open: Open, ended = true): Settled {
  switch (open.why) {
    case 'refused':
      return { outcome: 'error', reply: null, error: open.problem };
    case 'unsent':
      return { outcome: 'not_sent', reply: null };
    case 'lost': {
      const late = ended ? '' : '; the lost connection could not be ended, so it may still execute late';
      return {
        outcome: 'unknown',
        reply: null,
        error: problem('E232', `${open.message}: sent, and no reply was received${late}`),
      };
    }
  }
}

function reasonOf(open: Map<number, Open>, pending: readonly number[]): string {
  const first = open.get(pending[0]!);
  if (first?.why === 'refused') return first.code;
  return first?.why === 'lost' && first.timeout ? 'connection_timeout' : 'connection_lost';
}

/** Keys of commands; one whose keys are not known overlaps every command. */
class KeySet {
  readonly #keys = new Set<string>();
  #everything = false;

  add(argv: readonly Bytes[]): void {
    const keys = idsOf(argv);
    if (keys === undefined) this.#everything = true;
    else for (const key of keys) this.#keys.add(key);
  }

  overlaps(argv: readonly Bytes[]): boolean {
    if (this.#everything) return true;
    const keys = idsOf(argv);
    return keys === undefined ? this.#keys.size > 0 : keys.some((key) => this.#keys.has(key));
  }
}

/** Undefined: the command may touch any key (FLUSHALL has no keys and touches all; PING touches none). */
function idsOf(argv: readonly Bytes[]): string[] | undefined {
  const uses = keysOf(argv);
  if (uses === undefined || uses.some((use) => use.key === undefined)) return undefined;
  if (uses.length === 0 && !isReadOnly(argv)) return undefined;
  return uses.map((use) => bytesId(use.key!));
}
