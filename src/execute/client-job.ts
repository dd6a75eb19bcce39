/**
 * A scan job from here: pages come from a walk, and several are worked on at the same time, each by a worker with a
 * connection of its own. A page's cursor is journaled only when every command of it and of all earlier pages of its part
 * has an outcome, so the journal never claims a key that was not handled.
 */
import { type Bytes, bytesId } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import type { Event } from '../plan/event.ts';
import { isFiltered } from '../plan/filters.ts';
import { guardedCommand } from '../plan/guarded-command.ts';
import { isJob } from '../plan/plan.ts';
import type { CommandResult, Totals } from '../plan/report.ts';
import type { ForEachStep } from '../plan/step.ts';
import { addTotals, noTotals, withoutRepeats } from '../plan/totals.ts';
import { runBatch } from './batch.ts';
import { chunkTime } from './deadline.ts';
import { demotion, isDemotion } from './demotion.ts';
import { overLimit } from './job-limits.ts';
import type { LateGovernor } from './late-governor.ts';
import { Outbox } from './outbox.ts';
import { effectOf } from './outcome.ts';
import { confirmedBatch, type Ending, endingOf, resultEvent } from './pipeline.ts';
import { isInterruption, Session } from './session.ts';
import { walk } from './walk.ts';
import type { WalkOptions, WalkPage } from './walk-page.ts';
import { bind } from './wire.ts';

/** How the job goes. */
export interface ClientJob {
  readonly parts: number;
  /** True when the action leaves no key behind. */
  readonly deletes: boolean;
  /** Keys that earlier attempts acted on. */
  readonly acted: number;
  readonly from: NonNullable<WalkOptions['from']>;
  readonly governor: LateGovernor;
}

/** Pages of a cluster's nodes that are worked on at the same time: one of each primary, at least and at most so many. */
const CLUSTER_WORKERS = { least: 4, most: 16 };
/** Pages of a file of keys that are worked on at the same time. */
const FILE_WORKERS = 4;

/** How many pages are worked on at the same time. */
function workersFor({ cluster, context: { plan } }: Session, { selection }: ForEachStep, parts: number): number {
  if (cluster) return Math.min(CLUSTER_WORKERS.most, Math.max(CLUSTER_WORKERS.least, parts));
  // a file has one part, and its pages can be worked on side by side
  const aside = selection.keys_file !== undefined && plan.request.performance_mode !== 'latency_optimized';
  return aside ? FILE_WORKERS : parts;
}

/** Runs the job. */
export async function* runClientJob(
  session: Session,
  step: ForEachStep,
  { parts, deletes, acted, from, governor }: ClientJob,
): AsyncGenerator<Event, Ending> {
  const { signal } = session.context;
  const job = new Job(session, step, { acted, governor });
  const many = workersFor(session, step, parts);
  const workers = Array.from({ length: many }, () => new Session(session.context, session));
  const free = [...workers];
  const had = new Map<string, Session>();
  // what else is asked of the keys of a filtered page is not SCAN's time
  const tune = isFiltered(step.selection) ? {} : { tune: session.context.plan.request.performance_mode };
  const pages = walk(session, { selection: step.selection, count: step.count, ...tune, deletes, parts, from });
  let coming = false;
  let walked = false;
  const nextPage = async (): Promise<void> => {
    try {
      await session.hold();
      const next = await pages.next();
      if (next.done) {
        walked = true;
        job.events.put(...next.value.map((reason): Event => ({ kind: 'unproven', reason })));
      } else if (!job.stopped) startPage(next.value);
    } catch (error) {
      job.fail(error);
    }
  };
  const startPage = (page: WalkPage): void => {
    const reserved = job.reserve(page);
    if (!reserved) return;
    // whoever had the part's last page has a connection to its node, and the others need none
    const last = had.get(page.shard);
    const at = last === undefined ? -1 : free.indexOf(last);
    const worker = free.splice(at < 0 ? free.length - 1 : at, 1)[0]!;
    had.set(page.shard, worker);
    void job.run(worker, reserved).finally(() => {
      free.push(worker);
      job.events.wake();
    });
  };
  try {
    for (;;) {
      yield* job.events.take();
      if (signal.aborted) job.stop({ end: 'interrupted' });
      const over = walked || job.stopped;
      if (over && !coming && free.length === workers.length) break;
      if (!over && !coming && free.length > 0) {
        coming = true;
        void nextPage().finally(() => {
          coming = false;
          job.events.wake();
        });
      }
      await job.events.changed();
    }
    await job.settled();
    yield* job.events.take();
  } finally {
    await pages.return([]);
    for (const worker of workers) await worker.close();
  }
  return job.ending();
}

/** A page whose keys count against the caps. */
interface Reserved {
  readonly page: WalkPage;
  readonly keys: readonly Bytes[];
  readonly again: number;
  /** The place of its first key in the run. */
  readonly first: number;
}

/** What the workers share: the count of keys, the events, the order of the journal, the end. */
class Job {
  readonly events = new Outbox<Event>();
  #ending: Ending | undefined;
  #bug: { readonly error: unknown } | undefined;
  readonly #session: Session;
  readonly #step: ForEachStep;
  /** Of each part: true when all its pages up to now are journaled. */
  readonly #journaled = new Map<string, Promise<boolean>>();
  /** Of each part: the keys of its last page. */
  readonly #given = new Map<string, ReadonlyMap<string, Bytes>>();
  readonly #governor: LateGovernor;
  #acted: number;
  /** Keys taken for repeats that may be none: they count against the caps. */
  #unsure = 0;

  /** `acted`: keys that earlier attempts have worked on. */
  constructor(session: Session, step: ForEachStep, how: { acted: number; governor: LateGovernor }) {
    this.#session = session;
    this.#step = step;
    this.#acted = how.acted;
    this.#governor = how.governor;
  }

  get stopped(): boolean {
    return this.#ending !== undefined || this.#bug !== undefined;
  }

  /** Nothing more is begun; what is under way comes to its outcomes. The first reason counts. */
  stop(ending: Ending): void {
    if (this.stopped) return;
    this.#ending = ending;
    this.events.wake();
  }

  /** Stops by a fault of the world, an interruption, or a bug. */
  fail(error: unknown): void {
    if (isInterruption(error, this.#session.context.signal)) this.stop({ end: 'interrupted' });
    else if (error instanceof OpsError) this.stop({ end: 'fault', fault: error });
    else {
      this.#bug ??= { error };
      this.events.wake();
    }
  }

  /** How it ended; throws the bug that ended it. */
  ending(): Ending {
    if (this.#bug) throw this.#bug.error;
    return this.#ending ?? { end: 'done' };
  }

  /** Counts a page against the caps before anything of it is sent; undefined when it goes over them, which ends the job. */
  reserve(page: WalkPage): Reserved | undefined {
    const keys = this.#fresh(page);
    const again = Math.min(page.again, keys.length);
    const unsure = Math.min(page.unsure, again);
    const excess = overLimit(this.#session, this.#acted + this.#unsure + keys.length - again + unsure);
    if (excess) {
      this.stop({ end: 'fault', fault: excess });
      return undefined;
    }
    const first = this.#acted;
    this.#acted += keys.length - again;
    this.#unsure += unsure;
    return { page, keys, again, first };
  }

  /** SCAN gives a key twice while a table shrinks: mostly on the page that was asked for before the first was acted on. */
  #fresh(page: WalkPage): readonly Bytes[] {
    const before = this.#given.get(page.shard);
    const byId = new Map(page.keys.map((key) => [bytesId(key), key]));
    this.#given.set(page.shard, byId);
    return before === undefined ? [...byId.values()] : [...byId].flatMap(([id, key]) => (before.has(id) ? [] : [key]));
  }

  /** Works on a page and journals it. Never rejects: faults end the job. */
  async run(worker: Session, { page, keys, again, first }: Reserved): Promise<void> {
    const { signal, plan } = this.#session.context;
    const planned_keys = plan.execution_plan.estimate.keys;
    const before = this.#journaled.get(page.shard) ?? Promise.resolve(true);
    let journaled: (done: boolean | Promise<boolean>) => void = () => undefined;
    this.#journaled.set(
      page.shard,
      new Promise((resolve) => {
        journaled = resolve;
      }),
    );
    let totals: Totals = { ...noTotals, scanned: page.scanned, matched: keys.length };
    const results: CommandResult[] = [];
    let at = 0;
    // keys that were left open are acted on when the job is resumed: their page is not done, nor is any after it
    let handled = true;
    try {
      while (at < keys.length) {
        await worker.hold();
        const most = worker.batchSize(this.#step.batch_size);
        const chunk = keys.slice(at, at + this.#governor.chunk(most));
        const answered = await this.#governor.pace(chunk.length);
        const done = await actOn(worker, this.#step, chunk, first + at).finally(answered);
        this.events.put(...done.events);
        for (const event of done.events) if (event.kind === 'result') results.push(event.result);
        totals = addTotals(totals, done.totals);
        at += chunk.length;
        handled &&= done.handled;
        const ending = endingOf(done.fault, signal);
        if (ending.end === 'done') continue;
        this.stop(ending);
        break;
      }
      if (handled && at >= keys.length && (await before)) {
        totals = withoutRepeats(totals, again);
        // made durable while the next page is worked on: what a crash forgets of it is only done again
        journaled(this.#record(page, totals, results));
      }
    } catch (error) {
      this.fail(error);
    } finally {
      journaled(false); // when it was not: no later page of the part may be
      if (at > 0 || keys.length === 0)
        this.events.put({
          kind: 'page',
          totals: { ...totals, matched: Math.min(at, totals.matched) },
          planned_keys,
          engine: 'client',
        });
    }
  }

  /** Resolves when every page that may be journaled is. */
  async settled(): Promise<void> {
    await Promise.all(this.#journaled.values());
  }

  async #record(page: WalkPage, totals: Totals, results: readonly CommandResult[]): Promise<boolean> {
    const { shard, next, last, runId } = page;
    try {
      // of what a replaced primary acknowledged, nothing may count as done
      await this.#session.confirm();
      await this.#session.context.journal?.({
        kind: 'page',
        shard,
        cursor: next,
        last,
        run_id: runId ?? null,
        ...totals,
        results,
      });
      return true;
    } catch (error) {
      this.fail(error);
      return false;
    }
  }
}

async function actOn(
  session: Session,
  step: ForEachStep,
  keys: readonly Bytes[],
  first: number,
): Promise<{ events: Event[]; totals: Totals; handled: boolean; fault?: OpsError }> {
  const { runId, journal, plan } = session.context;
  await session.pace(keys.length);
  // the deadline of this chunk is fixed, and durable, after every wait and before anything of it is sent; retries reuse it
  const { timeMs, guard } = await chunkTime(session, [step.do.argv]);
  if (timeMs !== undefined) await journal?.({ kind: 'chunk', first, commands: keys.length, time_ms: timeMs });
  const commands = keys.map((key) => bind(step.do.argv, { runId, key, ...(timeMs === undefined ? {} : { timeMs }) }));
  const sent = commands.map((argv) => guardedCommand(argv, step.selection, plan.target.server));
  const acted = await runBatch(session, sent, guard);
  // what may be done twice is done again when its page is not journaled; of the rest each key is told
  const result = isJob(plan) ? acted : await confirmedBatch(session, sent, acted);
  const totals = { ...noTotals };
  const events: Event[] = [...result.retries];
  result.settled.forEach((settled, index) => {
    const words = commands[index]!;
    if (settled.outcome === 'error') totals.failed += 1;
    if (settled.outcome === 'unknown') totals.unknown += 1;
    if (settled.outcome === 'ok') totals[effectOf(words, settled.reply) === 'unchanged' ? 'unchanged' : 'changed'] += 1;
    // in a dry run nothing is sent to any key: that is the plan's own count, not a result a key
    else if (settled.outcome !== 'not_sent' || settled.error || result.fault) {
      events.push(resultEvent(first + index, words, words, settled));
    }
  });
  const fault = result.fault ?? demotion(result.settled);
  // a write that a replica refused is as good as not sent
  const handled = result.settled.every((one) => one.outcome === 'ok' || (one.outcome === 'error' && !isDemotion(one)));
  return { events, totals, handled, ...(fault ? { fault } : {}) };
}
