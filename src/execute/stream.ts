/**
 * Commands without end, at the speed of the server: a window of them is in flight, replies come back in order, memory
 * stays flat however long the source. Every command ends as ok, error, not_sent or unknown, by the same word as a batch:
 * when a reply is a transient refusal or the connection is lost, the window is drained and brought to its outcomes by
 * finishBatch, and only then the stream goes on.
 */
import { type Bytes, fromBuffer } from '../base/bytes.ts';
import type { OpsError } from '../base/ops-error.ts';
import { errorOf } from '../catalog/errors.ts';
import { ReplyError, type WireArgument } from '../formats/resp.ts';
import type { GovernorFacts, Outcome, ReplyProblem } from '../plan/report.ts';
import { LostConnection, type Pipe, type Route } from '../redis/connection.ts';
import { NotSent, type Reply } from '../redis/reply.ts';
import { finishBatch, isRedirection, type Settled, settle } from './batch.ts';
import { createRests } from './rests.ts';
import type { Session, SessionContext } from './session.ts';
import { adapt, allowed, MAX_BYTES, type Window } from './window.ts';

/** One command as it is sent. */
export type Command = readonly WireArgument[];

/** How a command of a stream ended. `index` counts from 0. */
export interface Streamed {
  readonly index: number;
  readonly argv: Command;
  readonly outcome: Outcome;
  readonly reply: Reply;
  readonly error?: ReplyProblem;
  /** Sent twice: see Settled. */
  readonly repeated?: true;
}

/** How far the stream is: the window as it is, the retries, and how many commands were taken from the source and written. */
export interface StreamState {
  window: Window;
  retried: number;
  sent: number;
  /** What a governor saw and did, when one has ended. */
  governor?: GovernorFacts;
}

/** The state before the first command. */
export function startStream(window: Window): StreamState {
  return { window, retried: 0, sent: 0 };
}

/** Batches of the source: a reader gives what it has, so that no promise is spent a command. */
export type Batches = AsyncIterator<readonly Command[]> | Iterator<readonly Command[]>;

interface InFlight {
  readonly commands: readonly Command[];
  readonly sentMs: number;
  answered: number;
  bytes: number;
}

/**
 * Sends what the source gives; yields outcomes in order, in arrays. Ends by throwing OpsError (unreachable, drift, or what
 * the source throws) after everything in flight has been yielded; whatever was not taken from the source was not sent.
 * In a cluster this is the way to one node: stream-cluster.ts splits a stream by node.
 */
export async function* streamCommands(
  session: Session<SessionContext>,
  source: Batches,
  state: StreamState,
  route: Route = {},
): AsyncGenerator<readonly Streamed[], void> {
  const { signal } = session.context;
  const feed = new Feed(source, signal);
  const flying: InFlight[] = [];
  let pipe: Pipe | undefined;
  const rests = createRests(session, state, route);
  let index = 0;
  let fault: unknown;
  try {
    for (;;) {
      await rests?.due();
      // a lost pipe may still have replies to hand over: it is replaced when nothing is in flight any more
      if (!pipe || (pipe.lost && flying.length === 0)) pipe = await session.pipe(route);
      if (fault === undefined && !signal.aborted) {
        try {
          await fill(session, pipe, feed, flying, state);
        } catch (error) {
          fault = error; // what is in flight still has its outcomes to come
        }
      }
      if (flying.length === 0) {
        if (fault !== undefined) throw fault;
        if (feed.done || signal.aborted) return;
        continue;
      }
      const { outcomes, trouble } = await receive(session, pipe, flying, state, index);
      index += outcomes.length;
      // the server works on the next commands while the caller looks at these
      if (!trouble && fault === undefined && !signal.aborted) {
        try {
          await fill(session, pipe, feed, flying, state, false);
        } catch (error) {
          fault = error;
        }
      }
      if (outcomes.length > 0) yield outcomes;
      if (!trouble) continue;
      const settled = await drain(session, pipe, flying, trouble, index, state);
      index += settled.outcomes.length;
      yield settled.outcomes;
      if (settled.fault) throw settled.fault;
    }
  } finally {
    await rests?.close();
    await pipe?.close();
    await feed.close();
  }
}

/** Writes what the window allows. Waits for the source only when nothing is in flight (`wait`). */
async function fill(
  session: Session<SessionContext>,
  pipe: Pipe,
  feed: Feed,
  flying: InFlight[],
  state: StreamState,
  wait = true,
): Promise<void> {
  for (;;) {
    const inFlight = flying.reduce((sum, batch) => sum + batch.commands.length - batch.answered, 0);
    const depth = allowed(state.window);
    const room = depth - inFlight;
    // a few large writes keep the server busier than many small ones
    if (room < Math.min(depth, Math.max(1, depth >> 2)) || pipe.bytesOut > MAX_BYTES || pipe.lost) return;
    const size = session.batchSize(Math.min(room, Math.max(1, depth >> 1)));
    const commands = wait && flying.length === 0 ? await feed.take(size) : feed.takeReady(size);
    if (commands.length === 0) return;
    await session.pace(commands.length);
    flying.push({ commands, sentMs: performance.now(), answered: 0, bytes: 0 });
    pipe.write(commands);
    state.sent += commands.length;
  }
}

interface Trouble {
  /** The reply that was a transient refusal, or nothing when the connection was lost. */
  readonly refused?: ReplyError;
  readonly rest: readonly Reply[];
  readonly lost?: LostConnection;
}

/** Takes what has come; stops at a transient refusal, which leaves the rest of the window to `drain`. */
async function receive(
  session: Session<SessionContext>,
  pipe: Pipe,
  flying: InFlight[],
  state: StreamState,
  first: number,
): Promise<{ outcomes: Streamed[]; trouble?: Trouble }> {
  let replies: readonly Reply[];
  try {
    replies = await pipe.read();
  } catch (error) {
    if (!(error instanceof LostConnection)) throw error;
    return { outcomes: [], trouble: { rest: [], lost: error } };
  }
  const outcomes: Streamed[] = [];
  const nowMs = performance.now();
  for (let at = 0; at < replies.length; at += 1) {
    const reply = replies[at]!;
    const batch = flying[0]!;
    if (reply instanceof ReplyError && (errorOf(reply.code).retry || (session.cluster && isRedirection(reply.code)))) {
      return { outcomes, trouble: { refused: reply, rest: replies.slice(at) } };
    }
    outcomes.push(outcomeOf(first + at, batch.commands[batch.answered]!, reply));
    batch.answered += 1;
    batch.bytes += sizeOf(reply);
    if (batch.answered < batch.commands.length) continue;
    flying.shift();
    const sample = { commands: batch.commands.length, latencyMs: nowMs - batch.sentMs, nowMs, replyBytes: batch.bytes };
    state.window = adapt(state.window, sample);
  }
  return { outcomes };
}

/** Waits for the replies that still come, and settles everything in flight as one batch. */
async function drain(
  session: Session<SessionContext>,
  pipe: Pipe,
  flying: InFlight[],
  trouble: Trouble,
  first: number,
  state: StreamState,
): Promise<{ outcomes: Streamed[]; fault?: OpsError }> {
  const commands = flying.flatMap((batch) => batch.commands.slice(batch.answered));
  flying.length = 0;
  const replies: Reply[] = [...trouble.rest];
  let lost = trouble.lost;
  while (!lost && replies.length < commands.length) {
    try {
      replies.push(...(await pipe.read()));
    } catch (error) {
      if (!(error instanceof LostConnection)) throw error;
      lost = error;
    }
  }
  const words = commands.map((argv) => argv.map(bytesOf));
  const result = await finishBatch(session, words, replies, lost, pipe.node.address);
  state.retried += result.retries.length;
  const outcomes = result.settled.map((settled, at) => fromSettled(first + at, commands[at]!, settled));
  const fatal = result.fault && !(result.fault instanceof LostConnection) ? result.fault : undefined;
  return { outcomes, ...(fatal ? { fault: fatal } : {}) };
}

function outcomeOf(index: number, argv: Command, reply: Reply): Streamed {
  if (reply instanceof ReplyError) return fromSettled(index, argv, settle(argv.map(bytesOf), reply));
  if (reply instanceof NotSent) return { index, argv, outcome: 'not_sent', reply: null };
  return { index, argv, outcome: 'ok', reply };
}

function fromSettled(index: number, argv: Command, settled: Settled): Streamed {
  return { index, argv, ...settled };
}

/** A word as the catalog takes it. */
export function bytesOf(argument: WireArgument): Bytes {
  return typeof argument === 'string' ? argument : fromBuffer(argument);
}

/** Bytes of a reply, roughly: what it holds in memory. */
function sizeOf(reply: Reply): number {
  if (typeof reply === 'string' || Buffer.isBuffer(reply)) return reply.length + 16;
  if (!Array.isArray(reply)) return 16;
  let bytes = 16;
  for (const item of reply) bytes += sizeOf(item);
  return bytes;
}

/** The source, cut to the sizes that the window asks for. */
export class Feed {
  readonly #source: Batches;
  #current: readonly Command[] = [];
  #at = 0;
  #coming: Promise<void> | undefined;
  #fault: { readonly error: unknown } | undefined;
  #ended = false;
  readonly #signal: AbortSignal;
  #wake: (() => void) | undefined;
  readonly #onAbort = (): void => this.#wake?.();

  /** `signal`: ends a wait for the source. */
  constructor(source: Batches, signal: AbortSignal) {
    this.#source = source;
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort);
  }

  get done(): boolean {
    return this.#ended && this.#at >= this.#current.length;
  }

  /** Up to `size` commands, waiting for the source; empty at its end and when the signal ends the wait. Throws what the source throws. */
  async take(size: number): Promise<readonly Command[]> {
    while (this.#at >= this.#current.length && !this.#ended) {
      if (this.#signal.aborted) return [];
      await this.#loaded();
    }
    return this.takeReady(size);
  }

  /** Resolves when the source has answered, or the signal says that nobody waits any more. */
  #loaded(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      void this.#load().then(resolve);
    });
  }

  /** Up to `size` commands that are there already. */
  takeReady(size: number): readonly Command[] {
    if (this.#at >= this.#current.length) {
      if (this.#fault) throw this.#fault.error;
      if (!this.#ended) void this.#load();
      if (this.#at >= this.#current.length) return [];
    }
    const commands = this.#current.slice(this.#at, this.#at + size);
    this.#at += commands.length;
    return commands;
  }

  /** A source that is still waiting for its next batch is told to end, and not waited for. */
  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort);
    const returned = this.#source.return?.();
    if (this.#coming === undefined) await returned;
    else Promise.resolve(returned).catch(() => undefined);
  }

  /** Asks the source for its next batch; a source that answers at once is read at once. */
  #load(): Promise<void> {
    if (this.#coming !== undefined) return this.#coming;
    try {
      const next = this.#source.next();
      if (!isPromise(next)) {
        this.#put(next);
        return Promise.resolve();
      }
      this.#coming = next
        .then((result) => this.#put(result))
        .catch((error: unknown) => this.#fail(error))
        .finally(() => {
          this.#coming = undefined;
        });
      return this.#coming;
    } catch (error) {
      this.#fail(error);
      return Promise.resolve();
    }
  }

  #put(result: IteratorResult<readonly Command[], unknown>): void {
    if (result.done) this.#ended = true;
    else {
      this.#current = result.value;
      this.#at = 0;
    }
  }

  #fail(error: unknown): void {
    this.#fault = { error };
    this.#ended = true;
  }
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return value instanceof Promise;
}
