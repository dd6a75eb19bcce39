/**
 * One attempt of a transaction: WATCH and reads, the decision they lead to, then the commands and EXEC as one write. What
 * went wrong is told by where it did: before MULTI nothing was applied, around EXEC it may have been.
 */
import type { Bytes } from '../base/bytes.ts';
import { toBuffer } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { errorOf } from '../catalog/errors.ts';
import { ReplyError } from '../formats/resp.ts';
import type { ReplyProblem, TransactionOutcome } from '../plan/report.ts';
import type { TransactionStep } from '../plan/step.ts';
import type { ReplyValue } from '../plan/values.ts';
import { type Connection, type Lease, LostConnection } from '../redis/connection.ts';
import { NotSent, type Reply } from '../redis/reply.ts';
import type { Settled } from './batch.ts';
import { deadlineGuard, timeFrom } from './deadline.ts';
import { problem, problemOf } from './outcome.ts';
import { inOneSlot, type OwnConnection } from './own-connection.ts';
import { type Decision, decide, type Read } from './reads.ts';
import type { RunContext } from './session.ts';
import { bind, hasDeadline, toWire } from './wire.ts';

/** What one attempt came to. `outcome` is undefined in a dry run: nothing was sent that could have one. */
export interface Tried {
  readonly outcome: TransactionOutcome | undefined;
  readonly settled: readonly Settled[];
  /** The commands as bound, for the report; empty when it did not come to that. */
  readonly words: readonly (readonly Bytes[])[];
  readonly reads?: Readonly<Record<string, ReplyValue>>;
  /** The code that redirected it. */
  readonly reason?: string;
  readonly fault?: OpsError;
}

/** One attempt: WATCH, reads, the guard, MULTI, the commands, EXEC. Never rejects for what the server or the network did. */
export async function attemptOnce(context: RunContext, own: OwnConnection, step: TransactionStep): Promise<Tried> {
  try {
    const lease = await own.open();
    const before = await watchAndRead(context, lease, step);
    if (before.kind !== 'go') {
      await own.close(); // leaving between WATCH and MULTI: closing forgets the watched keys
      return before.tried;
    }
    const tried = await commit(context.connection, lease, before, step);
    if (tried.outcome === 'redirected') await own.close(); // whatever is still queued on it is forgotten
    return tried;
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    // nothing of MULTI was written yet: whatever was lost here were reads
    return { ...nothing(step, 'redirected'), reason: error.code, fault: error };
  }
}

type Before =
  | {
      readonly kind: 'go';
      readonly words: readonly (readonly Bytes[])[];
      readonly reads: Readonly<Record<string, ReplyValue>>;
    }
  | { readonly kind: 'stop'; readonly tried: Tried };

/**
 * The reads and then MULTI, in one packet; MULTI's reply stands first. No command goes out before MULTI has answered:
 * after a refused MULTI (a user without +multi) each of them would run at once, by itself.
 */
function sendReadsAndMulti(context: RunContext, lease: Lease, step: TransactionStep): Promise<Reply>[] {
  const reads = step.reads.map((read) => lease.send(toWire(bind(read.command.argv, { runId: context.runId }))));
  return [lease.send(['MULTI']), ...reads];
}

async function watchAndRead(context: RunContext, lease: Lease, step: TransactionStep): Promise<Before> {
  const timed = step.steps.some((command) => hasDeadline(command.argv));
  const guarded = deadlineNeedsTime(context);
  const [watch, time, multi, ...replies] = await Promise.all([
    step.watch.length > 0 ? lease.send(['WATCH', ...step.watch.map(toBuffer)]) : 'OK',
    timed || guarded ? lease.send(['TIME']) : null,
    ...sendReadsAndMulti(context, lease, step),
  ]);
  const refused = [watch!, ...replies, multi!].find((reply) => reply instanceof ReplyError);
  if (refused instanceof ReplyError) return { kind: 'stop', tried: refusedBefore(step, refused) };
  const reads: Read[] = step.reads.map((read, index) => ({ name: read.name, reply: replies[index]! }));
  const decision: Decision = decide(step, reads, context.parse);
  if (decision.kind !== 'go') return { kind: 'stop', tried: { ...stopped(step, decision), reads: decision.reads } };
  const timeMs = timed || guarded ? timeFrom(time ?? null) : undefined;
  const words = step.steps.map((command) =>
    bind(command.argv, { runId: context.runId, values: decision.values, ...(timeMs === undefined ? {} : { timeMs }) }),
  );
  const guard = deadlineGuard(context, timeMs);
  const late = words.map(guard).find((refusal) => refusal !== undefined);
  if (late)
    return { kind: 'stop', tried: { ...nothing(step, 'aborted'), settled: step.steps.map(() => notApplied(late)) } };
  return { kind: 'go', words, reads: decision.reads };
}

function deadlineNeedsTime(context: RunContext): boolean {
  return context.plan.request.operation_type === 'expiration';
}

function refusedBefore(step: TransactionStep, error: ReplyError): Tried {
  const redirected = errorOf(error.code).redirect;
  const found = problemOf(error);
  return {
    ...nothing(step, redirected ? 'redirected' : 'aborted'),
    settled: step.steps.map(() => notApplied(found)),
    reason: error.code,
  };
}

/** A transaction that its values stopped: nothing was written. */
export function stopped(step: TransactionStep, decision: Exclude<Decision, { kind: 'go' }>): Tried {
  if (decision.kind === 'not_met') return nothing(step, 'not_met');
  return { ...nothing(step, 'aborted'), settled: step.steps.map(() => notApplied(decision.problem)) };
}

/** The commands and EXEC leave as one write, after MULTI has said OK: from here on a lost connection means unknown. */
async function commit(
  connection: Connection,
  lease: Lease,
  before: Extract<Before, { kind: 'go' }>,
  step: TransactionStep,
): Promise<Tried> {
  const { words, reads } = before;
  const sent = await Promise.allSettled([...words.map(toWire), ['EXEC']].map((argv) => lease.send(argv)));
  const lost = sent.find((result) => result.status === 'rejected')?.reason as unknown;
  if (lost !== undefined) {
    if (!(lost instanceof LostConnection)) throw lost;
    return { ...(await lostAround(connection, lost, step)), words, reads };
  }
  const replies = sent.map((result) => (result.status === 'fulfilled' ? result.value : null));
  const exec = replies.at(-1)!;
  if (exec instanceof NotSent) return { ...nothing(step, undefined), words, reads };
  if (exec === null) return { ...nothing(step, 'conflict'), reads, reason: 'conflict' };
  if (exec instanceof ReplyError) return { ...discarded(step, replies, exec), words, reads };
  const settled = (Array.isArray(exec) ? exec : []).map((reply) => inside(reply));
  return { outcome: settled.some((end) => end.outcome === 'error') ? 'partial' : 'committed', settled, words, reads };
}

/** A connection that was lost with a write on it: ended on the server, then unknown; redirected where it was never written. */
export async function lostAround(
  connection: Connection,
  lost: LostConnection,
  step: TransactionStep,
  what = 'the commands and EXEC were',
): Promise<Tried> {
  if (!lost.sent) return { ...nothing(step, 'redirected'), reason: lost.code, fault: lost };
  const ended = (await connection.end(lost)) === 'ended';
  const late = ended ? '' : '; the lost connection could not be ended, so it may still execute late';
  const error = problem('E232', `${lost.message}: ${what} sent, and no reply was received${late}`);
  return { outcome: 'unknown', settled: step.steps.map(() => ({ outcome: 'unknown', reply: null, error })), words: [] };
}

/** EXEC itself was refused: the queue's first error says whose fault it was. */
function discarded(step: TransactionStep, replies: readonly Reply[], exec: ReplyError): Tried {
  const errors = replies.slice(0, -1).map((reply) => (reply instanceof ReplyError ? reply : undefined));
  const cause = errors.find((error) => error !== undefined) ?? exec;
  // Redis answers CROSSSLOT to EXEC also when its one slot has moved since the commands were queued (5.0 to 8.0)
  const moved = cause === exec && exec.code === 'CROSSSLOT' && inOneSlot(step);
  const redirected = moved || errorOf(cause.code).redirect || errorOf(exec.code).redirect;
  const settled = step.steps.map((_, index): Settled => {
    const own = errors[index];
    return own ? { outcome: 'error', reply: null, error: problemOf(own) } : { outcome: 'not_sent', reply: null };
  });
  if (settled.every((end) => end.outcome === 'not_sent'))
    settled[0] = { outcome: 'error', reply: null, error: problemOf(exec) };
  return { outcome: redirected ? 'redirected' : 'aborted', settled, words: [], reason: cause.code };
}

/** How one command of a transaction ended, by its reply. */
export function inside(reply: Reply): Settled {
  return reply instanceof ReplyError
    ? { outcome: 'error', reply: null, error: problemOf(reply) }
    : { outcome: 'ok', reply };
}

/** An attempt that applied nothing. */
export function nothing(step: TransactionStep, outcome: TransactionOutcome | undefined): Tried {
  return { outcome, settled: step.steps.map(() => ({ outcome: 'not_sent', reply: null })), words: [] };
}

function notApplied(error: ReplyProblem): Settled {
  return { outcome: 'not_sent', reply: null, error };
}
