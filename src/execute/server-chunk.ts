/**
 * One chunk of a scan job on the server (plan/chunk-script.ts). Its actions may be repeated, so a chunk whose reply was
 * lost is called again from the same cursor, once the lost connection has been ended on the server.
 */
import { type Bytes, fromBuffer, toBuffer } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { errorOf } from '../catalog/errors.ts';
import { ReplyError, type WireArgument } from '../formats/resp.ts';
import { chunkSha1, chunkSource } from '../plan/chunk-script.ts';
import type { Event } from '../plan/event.ts';
import type { CommandResult, Totals } from '../plan/report.ts';
import type { ForEachStep } from '../plan/step.ts';
import { noTotals } from '../plan/totals.ts';
import { type Argument, literal } from '../plan/values.ts';
import { LostConnection } from '../redis/connection.ts';
import { NotSent, type Reply, replyInteger, replyText } from '../redis/reply.ts';
import { problemOf } from './outcome.ts';
import { backoffMs, type Session } from './session.ts';
import { isPassing } from './walk-page.ts';

/** What a chunk is to do. */
export interface Chunk {
  readonly cursor: string;
  /** SCAN's COUNT. */
  readonly count: number;
  /** Keys that it may act on at most. */
  readonly most: number;
  /** Server time in Unix milliseconds, where the action sets a relative deadline. */
  readonly timeMs?: number;
  /** Told of a sending that may have run unseen; gives how many keys the next one may act on. */
  readonly lost?: () => number;
}

/** What a chunk did. `next`: the cursor to go on with. */
export interface ChunkResult {
  readonly next: string;
  readonly runId: string | undefined;
  readonly totals: Totals;
  /** The first 20 keys that were refused; `index` counts within the chunk's refusals. */
  readonly failures: readonly CommandResult[];
  /** More keys matched than `most`. */
  readonly over: boolean;
  /** Sent again after a reply that was lost: what the lost sendings changed is not in the totals. */
  readonly repeated: boolean;
  /** Why it was sent again, each time. */
  readonly retries: readonly Extract<Event, { kind: 'retried' }>[];
  /** A lost sending could not be ended, and may still execute. */
  readonly late: boolean;
}

/** The server does not run this script for us (a dry run, a user without +evalsha, a function of SCAN that is refused): nothing was done. */
export class NoServerSide extends Error {}

/** Calls the script once. Throws NoServerSide, OpsError, or LostConnection when retries are used up. */
export async function runChunk(session: Session, step: ForEachStep, chunk: Chunk): Promise<ChunkResult> {
  const { clock, signal, plan } = session.context;
  const { retry } = plan.request;
  let call = wireOf(step, chunk, session.context.runId);
  const retries: Extract<Event, { kind: 'retried' }>[] = [];
  let repeated = false;
  let late = false;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const lease = await session.lease();
      let reply = await lease.send(call);
      if (reply instanceof ReplyError && reply.code === 'NOSCRIPT') {
        const loaded = await lease.send(['SCRIPT', 'LOAD', chunkSource]);
        reply = loaded instanceof ReplyError ? loaded : await lease.send(call);
      }
      return { ...resultOf(step, reply), runId: lease.runId, repeated, retries, late };
    } catch (error) {
      if (error instanceof LostConnection && error.sent) {
        repeated = true;
        if ((await session.end(error)) !== 'ended') late = true;
        if (chunk.lost) call = wireOf(step, { ...chunk, most: chunk.lost() }, session.context.runId);
      }
      if (session.closed || !isPassing(error) || attempt >= retry.max_retries) throw error;
      const wait = backoffMs(attempt, retry.base_ms);
      const reason = error instanceof OpsError ? (error.reply ?? error.code) : 'unreachable';
      retries.push({ kind: 'retried', reason, attempt: attempt + 1, wait_ms: Math.round(wait) });
      await clock.sleep(wait, signal);
    }
  }
}

function wireOf({ selection, do: { argv } }: ForEachStep, chunk: Chunk, runId: string): WireArgument[] {
  const [command, , ...rest] = argv;
  const deadline = deadlineOf(rest[0]);
  const extra = (deadline ? rest.slice(1) : rest).map((word) => literalWord(word));
  return [
    'EVALSHA',
    chunkSha1,
    '0',
    chunk.cursor,
    String(chunk.count),
    String(chunk.most),
    toBuffer(selection.match),
    selection.type ?? '',
    runId,
    deadline ? String(mustTime(chunk.timeMs) + deadline.after_ms) : '',
    String(deadline?.jitter_ms ?? 0),
    literalWord(command!),
    ...extra,
  ];
}

function deadlineOf(argument: Argument | undefined) {
  return typeof argument === 'object' && 'deadline' in argument ? argument.deadline : undefined;
}

function literalWord(argument: Argument): WireArgument {
  const word = literal(argument);
  if (word === undefined) throw new Error('invariant broken: a server-side step has an argument that is not known');
  return toBuffer(word);
}

function mustTime(timeMs: number | undefined): number {
  if (timeMs === undefined) throw new Error('invariant broken: a deadline without the time');
  return timeMs;
}

type Read = Omit<ChunkResult, 'runId' | 'repeated' | 'retries' | 'late'>;

function resultOf(step: ForEachStep, reply: Reply): Read {
  if (reply instanceof NotSent) throw new NoServerSide();
  if (reply instanceof ReplyError) {
    // an error comes before the first action: SCAN was refused, or the call; everything after runs under pcall
    if (errorOf(reply.code).retry) throw passing(reply);
    if (reply.code === 'DEADLINE') throw tooLate();
    throw new NoServerSide(reply.message);
  }
  const [cursor, ...counts] = Array.isArray(reply) ? reply : [];
  const next = cursor === undefined ? undefined : replyText(cursor);
  const [acted, changed, failed, over] = counts.slice(0, 4).map((count) => replyInteger(count));
  const errors = counts[4];
  if (
    next === undefined ||
    acted === undefined ||
    changed === undefined ||
    failed === undefined ||
    !Array.isArray(errors)
  )
    throw new OpsError('server_error', 'the script of the job answered with something that is not a chunk');
  return {
    next,
    over: over === 1,
    totals: { ...noTotals, matched: acted, changed, failed, unchanged: acted - changed - failed },
    failures: failuresOf(step, errors),
  };
}

function passing(reply: ReplyError): OpsError {
  return new OpsError('server_error', reply.message, { reply: reply.code });
}

function tooLate(): OpsError {
  return new OpsError(
    'drift',
    'the deadline has passed or is less than a second away: setting it would delete the keys',
    {
      remedy: 'Plan again with a later deadline.',
      reply: 'E233',
    },
  );
}

function failuresOf(step: ForEachStep, errors: readonly Reply[]): CommandResult[] {
  const name = literal(step.do.argv[0]!) ?? '';
  return errors.flatMap((key, at) => {
    if (at % 2 === 1 || !Buffer.isBuffer(key)) return [];
    const error = problemOf(new ReplyError(replyText(errors[at + 1]!) ?? 'ERR'));
    const argv: Bytes[] = [name, fromBuffer(key)];
    return [{ index: at / 2, argv, outcome: 'error', reply: null, error }];
  });
}
