/**
 * A stream over a cluster: split by node, each node with a pipe and a window of its own, all at once; outcomes come out
 * in the order of the commands. The commands of one slot are with one node at a time, so the order per key holds: when a
 * slot has moved, the next command for it waits until those on their way to the old node have their outcomes.
 */
import { OpsError } from '../base/ops-error.ts';
import { ReplyError } from '../formats/resp.ts';
import { runBatch, type Settled } from './batch.ts';
import { runsEverywhere } from './broadcast.ts';
import { mergeFacts } from './governor.ts';
import { problem, problemOf } from './outcome.ts';
import { placeOf } from './routing.ts';
import { Session, type SessionContext } from './session.ts';
import {
  type Batches,
  bytesOf,
  type Command,
  Feed,
  type Streamed,
  type StreamState,
  startStream,
  streamCommands,
} from './stream.ts';

/** Commands between the source and the caller at most, with their outcomes or without: how far the nodes can be apart. */
const MOST_UNDERWAY = 32_768;
/**
 * Commands that were admitted and not yet sent at most. At a stop those of a slow node lie before what others were sent,
 * and are told one by one: fewer than a report names.
 */
const MOST_QUEUED = 4_096;
/** Commands taken from the source at once. */
const TAKE = 512;
const SLOTS = 16_384;

/** streamCommands, split by node where the session is with a cluster. */
export function streamRouted(
  session: Session<SessionContext>,
  source: Batches,
  state: StreamState,
): AsyncGenerator<readonly Streamed[], void> {
  return session.cluster ? streamCluster(session, source, state) : streamCommands(session, source, state);
}

async function* streamCluster(
  session: Session<SessionContext>,
  source: Batches,
  state: StreamState,
): AsyncGenerator<readonly Streamed[], void> {
  const { signal } = session.context;
  const feed = new Feed(source, signal);
  const split = new Splitter(session, state);
  /** Nothing more is sent; outcomes are held back until all are there: what was never sent, at the end, is not told. */
  const stopped = (): boolean => split.fault !== undefined || signal.aborted;
  /** The source has failed: what was taken from it before is still sent. */
  let broken: { readonly error: unknown } | undefined;
  let taken: readonly Command[] = [];
  let at = 0;
  const take = async (wait: boolean): Promise<void> => {
    at = 0;
    taken = [];
    try {
      taken = wait ? await feed.take(TAKE) : feed.takeReady(TAKE);
    } catch (error) {
      broken = { error };
    }
  };
  try {
    for (;;) {
      while (!stopped()) {
        if (at === taken.length && !broken && split.hasRoom) await take(false);
        if (at === taken.length || !split.admit(taken[at]!)) break;
        at += 1;
      }
      split.flush();
      const ready = stopped() ? [] : split.ready();
      if (ready.length > 0) yield ready;
      else if (split.underway > 0) await split.changed();
      else if (stopped()) break;
      else if (at < taken.length) await split.alone(taken[at++]!);
      else if (broken || feed.done) break;
      else await take(true); // only now: nobody waits for an outcome because the source makes us wait
    }
    await split.end();
    const last = split.sent();
    if (last.length > 0) yield last;
    if (split.fault !== undefined) throw split.fault;
    if (broken) throw broken.error;
  } finally {
    split.stop();
    await split.end();
    await feed.close();
  }
}

/** A command on its way. */
interface Underway {
  readonly index: number;
  readonly argv: Command;
  /** -1: it has no key. */
  readonly slot: number;
}

/** The way to one node. */
interface Lane {
  readonly address: string;
  readonly queue: LaneQueue;
  readonly state: StreamState;
  /** Commands without an outcome, in order, from `head` on. */
  pending: Underway[];
  head: number;
  /** Commands that were ever handed to it. */
  handed: number;
  /** The node is gone, and whoever takes over gets what is pending. */
  orphaned: boolean;
  run: Promise<void>;
}

/** Hands commands to the lanes of their nodes and puts their outcomes back in order. */
class Splitter {
  /** What ends the stream. */
  fault: unknown;
  /** Commands that were admitted and have no outcome yet. */
  underway = 0;
  readonly #session: Session<SessionContext>;
  readonly #state: StreamState;
  readonly #stop = new AbortController();
  readonly #lanes = new Map<string, Lane>();
  readonly #runs = new Set<Promise<void>>();
  readonly #slotLane: (Lane | undefined)[] = Array.from({ length: SLOTS });
  readonly #slotCount = new Uint32Array(SLOTS);
  /** Outcomes from index `#base` on; holes have none yet. */
  #out: (Streamed | undefined)[] = [];
  #base = 0;
  #next = 0;
  #wake: (() => void) | undefined;
  #woken = false;

  constructor(session: Session<SessionContext>, state: StreamState) {
    this.#session = session;
    this.#state = state;
  }

  /** Takes a command on; false when it has to wait for others. */
  admit(argv: Command): boolean {
    const { connection } = this.#session.context;
    const words = argv.map(bytesOf);
    if (runsEverywhere(words)) return false; // alone() runs it when nothing else is on its way
    const place = placeOf(connection, words);
    if (place.at === 'crossslot') {
      this.#put({ index: this.#next++, argv, outcome: 'not_sent', reply: null, error: problemOf(place.error) });
      return true;
    }
    // a slot without an owner: any node says so, and the command is tried again until its retries are used up
    const address = place.at === 'node' ? place.address : connection.nodes()[0]?.address;
    const slot = place.at === 'node' ? (place.slot ?? -1) : -1;
    const bound = slot >= 0 && this.#slotCount[slot]! > 0 ? this.#slotLane[slot] : undefined;
    if (bound && bound.address !== address && !bound.orphaned) return false;
    this.#hand(bound ?? this.#laneTo(address ?? ''), { index: this.#next++, argv, slot });
    this.underway += 1;
    return true;
  }

  /** True while more may be taken from the source. */
  get hasRoom(): boolean {
    let queued = 0;
    for (const { handed, state } of this.#lanes.values()) queued += handed - state.sent;
    return queued < MOST_QUEUED && this.#next - this.#base < MOST_UNDERWAY;
  }

  /** Runs a command on every node, when nothing else is on its way. */
  async alone(argv: Command): Promise<void> {
    const index = this.#next++;
    const result = await runBatch(this.#session, [argv.map(bytesOf)]);
    this.#state.retried += result.retries.length;
    this.#put(told(index, argv, result.settled[0]!));
    if (result.fault && result.fault.code !== 'connection_lost' && result.fault.code !== 'connection_timeout') {
      this.fail(result.fault);
    }
  }

  /** Lets the lanes have what was admitted. */
  flush(): void {
    for (const lane of this.#lanes.values()) lane.queue.flush();
  }

  /** The outcomes that are next in order. */
  ready(): Streamed[] {
    let count = 0;
    while (count < this.#out.length && this.#out[count] !== undefined) count += 1;
    this.#base += count;
    return this.#out.splice(0, count) as Streamed[];
  }

  /** Resolves when outcomes have come since the last call. */
  async changed(): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#woken = false;
  }

  /** Ends the stream: what is in flight is settled, nothing more is sent. */
  fail(error: unknown): void {
    this.fault ??= error;
    this.stop();
    this.#notify();
  }

  /** Sends nothing more. */
  stop(): void {
    this.#stop.abort();
    for (const lane of this.#lanes.values()) lane.queue.end();
  }

  /** Waits until every lane has ended. */
  async end(): Promise<void> {
    for (const lane of this.#lanes.values()) lane.queue.end();
    while (this.#runs.size > 0) await Promise.all(this.#runs); // one that ends may have passed on to another
  }

  /** What is left after a stop, up to the last command that was sent: those after it count as not taken on. */
  sent(): Streamed[] {
    const left = this.ready();
    while (left.at(-1)?.outcome === 'not_sent') left.pop();
    return left;
  }

  #laneTo(address: string): Lane {
    const known = this.#lanes.get(address);
    if (known) return known;
    const lane: Lane = {
      address,
      queue: new LaneQueue(),
      state: startStream(this.#state.window),
      pending: [],
      head: 0,
      handed: 0,
      orphaned: false,
      run: Promise.resolve(),
    };
    this.#lanes.set(address, lane);
    const run = this.#run(lane).finally(() => this.#runs.delete(run));
    this.#runs.add(run);
    return lane;
  }

  #hand(lane: Lane, command: Underway): void {
    lane.pending.push(command);
    lane.handed += 1;
    if (command.slot >= 0) {
      this.#slotCount[command.slot]! += 1;
      this.#slotLane[command.slot] = lane;
    }
    if (!lane.orphaned) lane.queue.put(command.argv);
  }

  async #run(lane: Lane): Promise<void> {
    const { context } = this.#session;
    const signal = AbortSignal.any([context.signal, this.#stop.signal]);
    const own = new Session<SessionContext>({ ...context, signal }, this.#session);
    let fault: unknown;
    try {
      for await (const group of streamCommands(own, lane.queue, lane.state, { address: lane.address })) {
        for (const one of group) this.#settle(lane, one);
        this.#state.window = lane.state.window;
        this.#notify();
      }
    } catch (error) {
      fault = error;
    } finally {
      await own.close();
      this.#state.retried += lane.state.retried;
      if (lane.state.governor) this.#state.governor = mergeFacts(this.#state.governor, lane.state.governor);
    }
    await this.#close(lane, fault);
  }

  /** A lane has ended. What it had not sent goes to the node that took over, or is told as not sent. */
  async #close(lane: Lane, fault: unknown): Promise<void> {
    const { connection, signal } = this.#session.context;
    const stopped = (): boolean => signal.aborted || this.#stop.signal.aborted;
    if (fault instanceof OpsError && fault.code === 'unreachable' && !stopped()) {
      lane.orphaned = true; // what comes for its slots meanwhile queues up behind
      await this.#session.awaitTakeover(lane.address);
      const gone = connection.nodes().every((node) => node.address !== lane.address);
      if (gone && !stopped()) return this.#passOn(lane);
    }
    if (this.#lanes.get(lane.address) === lane) this.#lanes.delete(lane.address);
    if (fault !== undefined) this.fail(fault);
    const why = fault instanceof Error ? fault.message : 'the run was stopped before';
    for (const { argv } of lane.pending.slice(lane.head)) {
      const error = problem('E231', `not sent: ${why}`);
      this.#settle(lane, { index: 0, argv, outcome: 'not_sent', reply: null, error });
    }
    this.#notify();
  }

  /** In their order, so that the order per slot holds. */
  #passOn(lane: Lane): void {
    this.#lanes.delete(lane.address);
    const left = lane.pending.slice(lane.head);
    for (const { slot } of left) if (slot >= 0) this.#slotCount[slot]! -= 1;
    const { connection } = this.#session.context;
    for (const command of left) {
      const node =
        command.slot < 0 ? connection.nodes()[0] : (connection.nodeOf(command.slot) ?? connection.nodes()[0]);
      this.#hand(this.#laneTo(node?.address ?? ''), command);
    }
    this.flush();
    this.#notify();
  }

  #settle(lane: Lane, one: Streamed): void {
    const { index, slot } = lane.pending[lane.head]!;
    lane.head += 1;
    if (lane.head > 4096) {
      lane.pending = lane.pending.slice(lane.head);
      lane.head = 0;
    }
    if (slot >= 0) this.#slotCount[slot]! -= 1;
    this.underway -= 1;
    this.#put({ ...one, index });
  }

  #put(one: Streamed): void {
    this.#out[one.index - this.#base] = one;
  }

  #notify(): void {
    this.#woken = true;
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** The source of a lane: what was put since the last flush is one batch. */
class LaneQueue implements AsyncIterator<readonly Command[]> {
  #commands: Command[] = [];
  #waiting: ((result: IteratorResult<readonly Command[], undefined>) => void) | undefined;
  #ended = false;

  put(argv: Command): void {
    this.#commands.push(argv);
  }

  flush(): void {
    if (!this.#waiting || (this.#commands.length === 0 && !this.#ended)) return;
    this.#waiting(this.#take());
    this.#waiting = undefined;
  }

  /** No more will be put; what is there is still given. */
  end(): void {
    this.#ended = true;
    this.flush();
  }

  next(): Promise<IteratorResult<readonly Command[], undefined>> {
    if (this.#commands.length > 0 || this.#ended) return Promise.resolve(this.#take());
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  #take(): IteratorResult<readonly Command[], undefined> {
    if (this.#commands.length === 0) return { done: true, value: undefined };
    const value = this.#commands;
    this.#commands = [];
    return { done: false, value };
  }
}

function told(index: number, argv: Command, settled: Settled): Streamed {
  const { reply } = settled;
  if (reply instanceof ReplyError) return { index, argv, outcome: 'error', reply: null, error: problemOf(reply) };
  return { index, argv, ...settled };
}
