/** Commands in batches, each command with an outcome of its own: one failure loses nothing else. */
import type { Bytes } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { isReadOnly } from '../catalog/nature.ts';
import type { Event } from '../plan/event.ts';
import { guardedCommand } from '../plan/guarded-command.ts';
import type { CommandStep } from '../plan/step.ts';
import type { Argument } from '../plan/values.ts';
import { LostConnection } from '../redis/connection.ts';
import { type BatchResult, runBatch, type Settled } from './batch.ts';
import { chunkTime } from './deadline.ts';
import { effectOf, problem, replyValue } from './outcome.ts';
import { isInterruption, type Session } from './session.ts';
import { bind } from './wire.ts';

/** How a strategy ended: at its end, by a fault of the world, or because the caller asked it to stop. */
export type Ending = { readonly end: 'done' | 'interrupted' } | { readonly end: 'fault'; readonly fault: OpsError };

/** Runs the commands in order; `first` is the index of the first in the report. Every command gets one result event, also when the run ends early. */
export async function* runPipeline(
  session: Session,
  steps: readonly CommandStep[],
  batchSize: number,
  first: number,
): AsyncGenerator<Event, Ending> {
  const { signal } = session.context;
  const size = session.batchSize(batchSize);
  let ending: Ending = { end: 'done' };
  let at = 0;
  while (at < steps.length && ending.end === 'done') {
    if (signal.aborted) {
      ending = { end: 'interrupted' };
      break;
    }
    const chunk = steps.slice(at, at + size);
    const result = await sendChunk(session, chunk, at);
    yield* result.retries;
    for (const [offset, settled] of result.settled.entries()) {
      yield resultEvent(first + at + offset, chunk[offset]!.argv, result.words[offset]!, settled);
    }
    at += chunk.length;
    ending = endingOf(result.fault, signal);
  }
  for (; at < steps.length; at += 1) {
    const { argv } = steps[at]!;
    yield { kind: 'result', effect: 'none', result: { index: first + at, argv, outcome: 'not_sent', reply: null } };
  }
  return ending;
}

/** A fault that only cost some commands their connection lets the run go on; one that says the server is gone or another ends it. */
export function endingOf(fault: OpsError | undefined, signal: AbortSignal): Ending {
  if (fault && !(fault instanceof LostConnection)) return { end: 'fault', fault };
  return { end: signal.aborted ? 'interrupted' : 'done' };
}

async function sendChunk(
  session: Session,
  chunk: readonly CommandStep[],
  at: number,
): Promise<BatchResult & { readonly words: readonly (readonly Bytes[])[] }> {
  const { runId, journal } = session.context;
  const refused = (fault: OpsError | undefined): BatchResult & { words: Bytes[][] } => ({
    settled: chunk.map(() => ({ outcome: 'not_sent' as const, reply: null })),
    retries: [],
    words: chunk.map(() => []),
    ...(fault ? { fault } : {}),
  });
  try {
    await session.pace(chunk.length);
    // the deadline is fixed here, before the first sending, and every retry of this chunk reuses it
    const { timeMs, guard } = await chunkTime(
      session,
      chunk.map((step) => step.argv),
    );
    if (timeMs !== undefined) await journal?.({ kind: 'chunk', first: at, commands: chunk.length, time_ms: timeMs });
    const words = chunk.map((step) => bind(step.argv, { runId, ...(timeMs === undefined ? {} : { timeMs }) }));
    // conditions of PEXPIREAT before 7.0; what a user worded goes as it is
    const { request, target } = session.context.plan;
    const own = request.operation_type === 'expiration';
    const sent = own ? words.map((argv) => guardedCommand(argv, undefined, target.server)) : words;
    return { ...(await confirmedBatch(session, sent, await runBatch(session, sent, guard))), words };
  } catch (error) {
    if (isInterruption(error, session.context.signal)) return refused(undefined);
    if (error instanceof OpsError) return refused(error);
    throw error;
  }
}

/** A batch as it may be told: what a primary acknowledged that was replaced meanwhile may be lost, and so is unknown. */
export async function confirmedBatch(
  session: Session,
  commands: readonly (readonly Bytes[])[],
  result: BatchResult,
): Promise<BatchResult> {
  try {
    await session.confirm();
    return result;
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    const doubt = problem('E232', `acknowledged, but not by a confirmed primary: ${error.message}`);
    const settled = result.settled.map(
      (end, index): Settled =>
        end.outcome === 'ok' && !isReadOnly(commands[index]!) ? { outcome: 'unknown', reply: null, error: doubt } : end,
    );
    return { ...result, settled, fault: error };
  }
}

/** The event of one command's outcome. `words` are its arguments as they were sent. */
export function resultEvent(
  index: number,
  argv: readonly Argument[],
  words: readonly Bytes[],
  settled: Settled,
): Extract<Event, { kind: 'result' }> {
  const { outcome, reply, error } = settled;
  const effect = outcome === 'ok' ? effectOf(words, reply) : 'none';
  const plain = { index, argv: [...(outcome === 'not_sent' ? argv : words)], outcome, reply: replyValue(reply) };
  const told = error ? { ...plain, error } : plain;
  return { kind: 'result', effect, result: settled.repeated ? { ...told, repeated: true } : told };
}
