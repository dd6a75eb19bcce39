/**
 * One attempt of a plan's transaction: WATCH and reads, the decision they lead to, then the commands and EXEC
 * (exec-block.ts). What went wrong is told by where it did: before MULTI nothing was applied, around EXEC it may have been.
 */
import type { Bytes } from '../base/bytes.ts';
import { toBuffer } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { ReplyError } from '../formats/resp.ts';
import { sourcesBySha1 } from '../plan/script-sources.ts';
import type { TransactionStep } from '../plan/step.ts';
import type { ReplyValue } from '../plan/values.ts';
import type { Lease } from '../redis/connection.ts';
import type { Reply } from '../redis/reply.ts';
import { deadlineGuard, timeFrom } from './deadline.ts';
import { type ExecTerms, notApplied, nothingRan, type Ran, refusedBefore, runExec, type Tried } from './exec-block.ts';
import { mayEvict, readBefore } from './marker.ts';
import { attemptNative } from './native-attempt.ts';
import { inOneSlot, type OwnConnection } from './own-connection.ts';
import { type Decision, decide, type Read } from './reads.ts';
import type { RunContext } from './session.ts';
import { bind, hasDeadline, toWire } from './wire.ts';

export type { Tried } from './exec-block.ts';

/** One attempt: WATCH, reads, the guard, MULTI, the commands, EXEC. Never rejects for what the server or the network did. */
export async function attemptOnce(context: RunContext, own: OwnConnection, step: TransactionStep): Promise<Tried> {
  if (step.native) return attemptNative(context, own, step, step.native);
  try {
    const lease = await own.open();
    const attempt = own.nextAttempt();
    const unloaded = await loadScripts(context, lease);
    if (unloaded) return { ...refusedBefore(step.steps.length, unloaded), words: [] };
    const before = await watchAndRead(context, lease, step, attempt);
    if (before.kind !== 'go') {
      await own.close(); // leaving between WATCH and MULTI: closing forgets the watched keys
      return before.tried;
    }
    const { words, reads } = before;
    const ran = await runExec(lease, words.map(toWire), termsOf(context, step, attempt), before.markerBefore);
    if (ran.outcome === 'redirected') await own.close(); // whatever is still queued on it is forgotten
    return { ...ran, words: wasSent(ran) ? words : [], reads };
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    // nothing of MULTI was written yet: whatever was lost here were reads
    return { ...nothing(step, 'redirected'), reason: error.code, fault: error };
  }
}

/** Before WATCH, since a script that is missing inside EXEC would fail among commands that are applied. Gives why one cannot be loaded. */
async function loadScripts({ plan }: RunContext, lease: Lease): Promise<ReplyError | undefined> {
  const { request } = plan;
  if (!('scripts' in request) || request.scripts === undefined) return undefined;
  const sources = [...sourcesBySha1(request.scripts).values()];
  const replies = await Promise.all(sources.map((source) => lease.send(['SCRIPT', 'LOAD', toBuffer(source)])));
  return replies.find((reply) => reply instanceof ReplyError);
}

/** Of what was never queued the report shows the commands as they were planned. */
function wasSent({ outcome, settled }: Ran): boolean {
  return outcome === undefined || settled.some((end) => end.outcome !== 'not_sent');
}

function termsOf(context: RunContext, step: TransactionStep, attempt: string): ExecTerms {
  const { marker, wait } = step;
  const evictable = mayEvict(context.plan.target.server);
  return {
    connection: context.connection,
    clock: context.clock,
    oneSlot: inOneSlot(step),
    ...(marker ? { marker: { key: marker.key, id: attempt, ttlMs: marker.ttl_ms, evictable } } : {}),
    ...(wait ? { wait } : {}),
  };
}

type Before =
  | {
      readonly kind: 'go';
      readonly words: readonly (readonly Bytes[])[];
      readonly reads: Readonly<Record<string, ReplyValue>>;
      readonly markerBefore: Reply;
    }
  | { readonly kind: 'stop'; readonly tried: Tried };

/**
 * The reads and then MULTI, in one packet; MULTI's reply stands first, then that of the marker. No command goes out before MULTI has answered:
 * after a refused MULTI (a user without +multi) each of them would run at once, by itself.
 */
function sendReadsAndMulti(context: RunContext, lease: Lease, step: TransactionStep): Promise<Reply>[] {
  const reads = step.reads.map((read) => lease.send(toWire(bind(read.command.argv, { runId: context.runId }))));
  const before = readBefore(lease, step.marker);
  return [lease.send(['MULTI']), before, ...reads];
}

async function watchAndRead(
  context: RunContext,
  lease: Lease,
  step: TransactionStep,
  attempt: string,
): Promise<Before> {
  const timed = step.steps.some((command) => hasDeadline(command.argv));
  const guarded = deadlineNeedsTime(context);
  const [watch, time, multi, markerBefore, ...replies] = await Promise.all([
    step.watch.length > 0 ? lease.send(['WATCH', ...step.watch.map(toBuffer)]) : 'OK',
    timed || guarded ? lease.send(['TIME']) : null,
    ...sendReadsAndMulti(context, lease, step),
  ]);
  const refused = [watch!, ...replies, markerBefore!, multi!].find((reply) => reply instanceof ReplyError);
  if (refused instanceof ReplyError)
    return { kind: 'stop', tried: { ...refusedBefore(step.steps.length, refused), words: [] } };
  const reads: Read[] = step.reads.map((read, index) => ({ name: read.name, reply: replies[index]! }));
  const decision: Decision = decide(step, reads, context.parse);
  if (decision.kind !== 'go') return { kind: 'stop', tried: { ...stopped(step, decision), reads: decision.reads } };
  const timeMs = timed || guarded ? timeFrom(time ?? null) : undefined;
  const binding = { runId: context.runId, attempt, values: decision.values };
  const words = step.steps.map(({ argv }) => bind(argv, timeMs === undefined ? binding : { ...binding, timeMs }));
  const guard = deadlineGuard(context, timeMs);
  const late = words.map(guard).find((refusal) => refusal !== undefined);
  if (late) return { kind: 'stop', tried: { ...notApplied(step.steps.length, 'aborted', late), words: [] } };
  return { kind: 'go', words, reads: decision.reads, markerBefore: markerBefore! };
}

function deadlineNeedsTime(context: RunContext): boolean {
  return context.plan.request.operation_type === 'expiration';
}

/** A transaction that its values stopped: nothing was written. */
export function stopped(step: TransactionStep, decision: Exclude<Decision, { kind: 'go' }>): Tried {
  if (decision.kind === 'not_met') return nothing(step, 'not_met');
  return { ...notApplied(step.steps.length, 'aborted', decision.problem), words: [] };
}

/** An attempt that applied nothing. */
export function nothing(step: TransactionStep, outcome: 'not_met' | 'redirected' | 'unknown'): Tried {
  return { ...nothingRan(step.steps.length, outcome), words: [] };
}
