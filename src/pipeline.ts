/**
 * The library's pipeline: commands without end, each with its outcome, in order, at the speed of the server. It runs
 * without a plan and under the same caps, outcomes and refusals as one.
 */
import { systemClock } from './base/clock.ts';
import { OpsError } from './base/ops-error.ts';
import { problemOf } from './execute/outcome.ts';
import { Session, type SessionContext } from './execute/session.ts';
import { type Command, type Streamed, startStream } from './execute/stream.ts';
import { streamRouted } from './execute/stream-cluster.ts';
import { openWindow } from './execute/window.ts';
import { type AdmissionTerms, createAdmission } from './lint/admission.ts';
import type { Outcome, ReplyProblem } from './plan/report.ts';
import type { Request } from './plan/request.ts';
import type { Target } from './plan/target.ts';
import type { ReplyValue } from './plan/values.ts';
import type { Connection } from './redis/connection.ts';
import { toReplyValue } from './redis/reply.ts';

/** A command: its name and arguments. A string is its UTF-8 bytes, a number its decimal digits. */
export type PipelineCommand = readonly (string | Uint8Array | number | bigint)[];

/** How one command ended; `index` counts from 0, `reply` as in a report. */
export interface PipelineOutcome {
  readonly index: number;
  readonly outcome: Outcome;
  readonly reply: ReplyValue;
  readonly error?: ReplyProblem;
  /** True when a lost connection made it be sent twice: the reply is the second's, and its 0 may hide what the first did. */
  readonly repeated?: true;
}

/** Options of a pipeline. */
export interface PipelineOptions {
  readonly performance_mode?: Request['performance_mode'];
  /** Commands a second at most. */
  readonly rate?: number;
  readonly max_retries?: number;
  readonly base_ms?: number;
  /** The target's name, as a person gave it: allows what destroys data on a production target. */
  readonly typedName?: string;
  /** Codes of lint errors that are accepted: DEL003 for FLUSHALL, FLUSHDB and SWAPDB, KEY001 for KEYS. */
  readonly accept?: readonly string[];
  readonly signal?: AbortSignal;
}

/** What a pipeline needs of its agent. */
export interface PipelineSettings {
  readonly connection: Connection;
  readonly target: Target;
  readonly terms: AdmissionTerms;
}

/** Commands handed on at once: no promise is spent on each. */
const GROUP = 512;

/** Runs the commands; throws OpsError refused (with the index) at a command that may not be sent, unreachable, drift: after the outcomes of all that was sent. */
export function runPipelineOf(
  { connection, target, terms }: PipelineSettings,
  commands: Iterable<PipelineCommand> | AsyncIterable<PipelineCommand>,
  options: PipelineOptions,
): AsyncIterableIterator<PipelineOutcome> {
  const stop = new AbortController();
  const session = new Session<SessionContext>({
    plan: {
      request: {
        retry: { max_retries: options.max_retries ?? 3, base_ms: options.base_ms ?? 500 },
        limits: options.rate === undefined ? {} : { rate: options.rate },
      },
      target,
    },
    runId: 'pipeline',
    connection,
    clock: systemClock,
    signal: options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal,
    journal: undefined,
  });
  const state = startStream(openWindow(options.performance_mode ?? 'balanced', target.server.round_trip_ms));
  const admit = createAdmission(terms);
  const source = Symbol.asyncIterator in commands ? grouped(commands, admit) : groupedSync(commands, admit);
  return oneByOne(closing(session, streamRouted(session, source, state)), () => stop.abort());
}

async function* closing<T>(session: Session<SessionContext>, groups: AsyncGenerator<T, void>): AsyncGenerator<T, void> {
  try {
    yield* groups;
    await session.confirm();
  } finally {
    await session.close();
  }
}

/** Outcomes out of groups of them; `stop` ends what next() waits for. Written by hand: an async generator spends three turns of the queue on each value. */
function oneByOne(
  groups: AsyncGenerator<readonly Streamed[], void>,
  stop: () => void,
): AsyncIterableIterator<PipelineOutcome> {
  let group: readonly Streamed[] = [];
  let at = 0;
  let tail: Promise<unknown> | undefined;
  const pull = async (): Promise<IteratorResult<PipelineOutcome, void>> => {
    for (;;) {
      const one = group[at];
      at += 1;
      if (one !== undefined) return { done: false, value: outcomeOf(one) };
      const result = await groups.next();
      if (result.done) return { done: true, value: undefined };
      group = result.value;
      at = 0;
    }
  };
  const next = (): Promise<IteratorResult<PipelineOutcome, void>> => {
    const one = group[at];
    if (one !== undefined && tail === undefined) {
      at += 1;
      return Promise.resolve({ done: false, value: outcomeOf(one) });
    }
    // whoever asks ahead of an answer is served in turn
    const turn = (tail ?? Promise.resolve()).then(pull);
    const mine = turn
      .catch(() => undefined)
      .then(() => {
        if (tail === mine) tail = undefined;
      });
    tail = mine;
    return turn;
  };
  return {
    next,
    return: async () => {
      stop();
      await groups.return();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Most outcomes are what they are to be already: no second object for them. */
function outcomeOf(one: Streamed): PipelineOutcome {
  const { reply } = one;
  if (reply === null || typeof reply === 'string' || typeof reply === 'number') return one as PipelineOutcome;
  const value = toReplyValue(reply, problemOf);
  const { index, outcome, error, repeated } = one;
  return { index, outcome, reply: value, ...(error ? { error } : {}), ...(repeated ? { repeated } : {}) };
}

function* groupedSync(
  commands: Iterable<PipelineCommand>,
  admit: ReturnType<typeof createAdmission>,
): Generator<Command[]> {
  let group: Command[] = [];
  let index = 0;
  for (const command of commands) {
    const argv = wireOf(command);
    const refused = admit(argv);
    if (refused !== undefined) {
      if (group.length > 0) yield group;
      throw refusedAt(index, refused);
    }
    group.push(argv);
    index += 1;
    if (group.length < GROUP) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/**
 * A slow source must not hold back what it already gave: its commands go on one by one. Written by hand: an async
 * generator that waits for its source does not pass on that it shall end.
 */
function grouped(
  commands: AsyncIterable<PipelineCommand>,
  admit: ReturnType<typeof createAdmission>,
): AsyncIterator<readonly Command[], undefined> {
  const source = commands[Symbol.asyncIterator]();
  let index = 0;
  let ended = false;
  return {
    next: async () => {
      if (ended) return { done: true, value: undefined };
      const result = await source.next().catch((error: unknown) => {
        ended = true;
        throw error;
      });
      if (result.done) {
        ended = true;
        return { done: true, value: undefined };
      }
      const argv = wireOf(result.value);
      const refused = admit(argv);
      if (refused !== undefined) throw refusedAt(index, refused);
      index += 1;
      return { done: false, value: [argv] };
    },
    return: async () => {
      const running = !ended;
      ended = true;
      if (running) await source.return?.();
      return { done: true, value: undefined };
    },
  };
}

function wireOf(command: PipelineCommand): Command {
  for (const word of command) if (typeof word !== 'string') return command.map(wordOf);
  return command as readonly string[];
}

function wordOf(word: string | Uint8Array | number | bigint): string | Buffer {
  if (typeof word === 'string') return word;
  if (typeof word === 'number' || typeof word === 'bigint') return String(word);
  return Buffer.from(word.buffer, word.byteOffset, word.byteLength);
}

function refusedAt(index: number, why: string): OpsError {
  return new OpsError('refused', `command ${index} was not sent: ${why}`, {
    remedy: 'Everything before it has its outcome; nothing from it on was sent.',
  });
}
