/**
 * A scan job: one command for every key of a selection. Parts of the keyspace are walked at the same time, and pages are
 * worked on at the same time, each by a worker with a connection of its own. A page's cursor is journaled only when every
 * command of it and of all earlier pages of its part has an outcome, so the journal never claims a key that was not
 * handled. The job stops by itself, before acting, when it meets more keys than the plan foresaw or the request allows.
 */
import { type Bytes, bytesId } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { formatCount } from '../base/units.ts';
import { commandName } from '../catalog/lookup.ts';
import type { Event } from '../plan/event.ts';
import type { CommandResult, Totals } from '../plan/report.ts';
import type { ForEachStep } from '../plan/step.ts';
import { literal } from '../plan/values.ts';
import { runBatch } from './batch.ts';
import { chunkTime } from './deadline.ts';
import { type Governor, startGovernor } from './governor.ts';
import { Outbox } from './outbox.ts';
import { effectOf, problem } from './outcome.ts';
import { partsFor } from './partitions.ts';
import { type Ending, endingOf, resultEvent } from './pipeline.ts';
import { isInterruption, Session } from './session.ts';
import { addTotals, noTotals, withoutRepeats } from './totals.ts';
import { walk } from './walk.ts';
import type { WalkPage } from './walk-page.ts';
import { bind } from './wire.ts';

/** What leaves no key behind: one that is met later is another key. A deadline that would delete is never sent. */
const removing: ReadonlySet<string> = new Set(['del', 'unlink']);

/** Runs the job. Failed and unknown keys get a result event each, numbered by the key's place in the run; all are in the page totals. */
export async function* runScanJob(session: Session, step: ForEachStep): AsyncGenerator<Event, Ending> {
  const { plan, journal, signal } = session.context;
  const { server } = plan.target;
  const deletes = removing.has(commandName(step.do.argv.map(literal)));
  const before = startingPoint(session);
  const parts = before?.parts ?? partsFor(server, plan.request.performance_mode, step.count);
  const governor = await governorFor(session);
  const job = new Job(session, step, { acted: before?.totals.matched ?? 0, governor });
  const workers = Array.from(
    { length: session.cluster ? CLUSTER_WORKERS : parts },
    () => new Session(session.context, session),
  );
  const free = [...workers];
  const pages = walk(session, {
    selection: step.selection,
    count: step.count,
    deletes,
    parts,
    ...(before ? { from: before.from } : {}),
  });
  let coming = false;
  let walked = false;
  const nextPage = async (): Promise<void> => {
    try {
      const next = await pages.next();
      if (next.done) {
        walked = true;
        job.events.put(...next.value.map((reason): Event => ({ kind: 'unproven', reason })));
      } else if (job.ending === undefined) startPage(next.value);
    } catch (error) {
      job.stop(faultOf(error, signal));
    }
  };
  const startPage = (page: WalkPage): void => {
    const reserved = job.reserve(page);
    if (!reserved) return;
    const worker = free.pop()!;
    void job.run(worker, reserved).finally(() => {
      free.push(worker);
      job.events.wake();
    });
  };
  try {
    await journal?.({ kind: 'started', parts });
    if (before) {
      for (const result of before.results) yield { kind: 'result', effect: 'none', result };
      yield { kind: 'page', totals: before.totals, planned_keys: plan.execution_plan.estimate.keys };
    }
    for (;;) {
      yield* job.events.take();
      if (signal.aborted) job.stop({ end: 'interrupted' });
      const over = walked || job.ending !== undefined;
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
    yield* job.events.take();
  } catch (error) {
    job.stop(faultOf(error, signal));
  } finally {
    await pages.return([]);
    for (const worker of workers) await worker.close();
    await governor?.close();
  }
  if (governor) yield { kind: 'governed', facts: governor.facts() };
  return job.ending ?? { end: 'done' };
}

/** Jobs from this many keys on are long enough to be felt by others. */
const GOVERNED_FROM = 20_000;

async function governorFor(session: Session): Promise<Governor | undefined> {
  const { request, execution_plan } = session.context.plan;
  const sloMs = request.limits.slo_p99_ms;
  if (sloMs === undefined && execution_plan.estimate.keys < GOVERNED_FROM) return undefined;
  return startGovernor(session, { mode: request.performance_mode, sloMs });
}

/** Pages of a cluster's nodes that are worked on at the same time. */
const CLUSTER_WORKERS = 4;

/** What earlier attempts of this run did that still stands: parts whose cursor came from the process that answers now. */
function startingPoint({ context, cluster }: Session) {
  const { resumed, plan } = context;
  const { run_id } = plan.target.server;
  // in a cluster slots may have moved since: everything is walked again, which finds what is left
  if (!resumed || cluster || run_id === '') return undefined;
  const stands = (shard: string): boolean => resumed.of(shard)?.runId === run_id;
  if (!resumed.shards.some(stands)) return undefined;
  return {
    parts: resumed.parts,
    totals: resumed.totals(stands),
    results: resumed.resultsOf(stands),
    from: (shard: string) => (stands(shard) ? resumed.of(shard) : undefined),
  };
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
  ending: Ending | undefined;
  readonly #session: Session;
  readonly #step: ForEachStep;
  /** Of each part: true when all its pages up to now are journaled. */
  readonly #journaled = new Map<string, Promise<boolean>>();
  /** Of each part: the keys of its last page. */
  readonly #given = new Map<string, ReadonlyMap<string, Bytes>>();
  readonly #governor: Governor | undefined;
  #acted: number;

  /** `acted`: keys that earlier attempts have worked on. */
  constructor(session: Session, step: ForEachStep, how: { acted: number; governor: Governor | undefined }) {
    this.#session = session;
    this.#step = step;
    this.#acted = how.acted;
    this.#governor = how.governor;
  }

  /** Nothing more is begun; what is under way comes to its outcomes. The first reason counts. */
  stop(ending: Ending): void {
    if (this.ending !== undefined) return;
    this.ending = ending;
    this.events.wake();
  }

  /** Counts a page against the caps before anything of it is sent; undefined when it goes over them, which ends the job. */
  reserve(page: WalkPage): Reserved | undefined {
    const keys = this.#fresh(page);
    const again = Math.min(page.again, keys.length);
    const excess = overLimit(this.#session, this.#acted + keys.length - again);
    if (excess) {
      this.stop({ end: 'fault', fault: excess });
      return undefined;
    }
    const first = this.#acted;
    this.#acted += keys.length - again;
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
    let journaled: (done: boolean) => void = () => undefined;
    this.#journaled.set(
      page.shard,
      new Promise((resolve) => {
        journaled = resolve;
      }),
    );
    let totals: Totals = { ...noTotals, scanned: this.#step.count, matched: keys.length };
    const results: CommandResult[] = [];
    let at = 0;
    try {
      while (at < keys.length) {
        const most = worker.batchSize(this.#step.batch_size);
        const chunk = keys.slice(at, at + (this.#governor?.chunk(most) ?? most));
        const answered = await this.#governor?.pace(chunk.length);
        const done = await actOn(worker, this.#step, chunk, first + at).finally(answered);
        this.events.put(...done.events);
        for (const event of done.events) if (event.kind === 'result') results.push(event.result);
        totals = addTotals(totals, done.totals);
        at += chunk.length;
        const ending = endingOf(done.fault, signal);
        if (ending.end === 'done') continue;
        this.stop(ending);
        break;
      }
      if (at >= keys.length && (await before)) {
        totals = withoutRepeats(totals, again);
        await this.#record(page, totals, results);
        journaled(true);
      }
    } catch (error) {
      this.stop(faultOf(error, signal));
    } finally {
      journaled(false); // when it was not: no later page of the part may be
      if (at > 0 || keys.length === 0)
        this.events.put({ kind: 'page', totals: { ...totals, matched: Math.min(at, totals.matched) }, planned_keys });
    }
  }

  async #record(page: WalkPage, totals: Totals, results: readonly CommandResult[]): Promise<void> {
    const { shard, next, last, runId } = page;
    await this.#session.context.journal?.({
      kind: 'page',
      shard,
      cursor: next,
      last,
      run_id: runId ?? null,
      ...totals,
      results,
    });
  }
}

/** How a job ends that meets this error. Throws what is no fault of the world. */
function faultOf(error: unknown, signal: AbortSignal): Ending {
  if (isInterruption(error, signal)) return { end: 'interrupted' };
  if (error instanceof OpsError) return { end: 'fault', fault: error };
  throw error;
}

/** Why the job must not act on this many keys: the plan foresaw fewer (E233), or the request allows fewer (E234). */
function overLimit(session: Session, keys: number): OpsError | undefined {
  const { request, execution_plan } = session.context.plan;
  const planned = execution_plan.estimate;
  const cap = request.limits.max_keys;
  if (cap !== undefined && keys > cap) {
    const { message } = problem('E234', `limits.max_keys is ${formatCount(cap)}, and the next page would go over it`);
    return new OpsError('refused', message, { remedy: 'Raise limits.max_keys, or select fewer keys.', reply: 'E234' });
  }
  const drift = Math.max(planned.high, Math.floor(planned.keys * 1.1));
  if (keys <= drift) return undefined;
  return new OpsError(
    'drift',
    `the plan foresaw at most ${formatCount(planned.high)} keys, and more than ${formatCount(drift)} match`,
    {
      remedy: 'The data has changed since planning. Plan again.',
      reply: 'E233',
    },
  );
}

async function actOn(
  session: Session,
  step: ForEachStep,
  keys: readonly Bytes[],
  first: number,
): Promise<{ events: Event[]; totals: Totals; fault?: OpsError }> {
  const { runId, journal } = session.context;
  await session.pace(keys.length);
  // the deadline of this chunk is fixed, and durable, after every wait and before anything of it is sent; retries reuse it
  const { timeMs, guard } = await chunkTime(session, [step.do.argv]);
  if (timeMs !== undefined) await journal?.({ kind: 'chunk', first, commands: keys.length, time_ms: timeMs });
  const commands = keys.map((key) => bind(step.do.argv, { runId, key, ...(timeMs === undefined ? {} : { timeMs }) }));
  const result = await runBatch(session, commands, guard);
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
  return { events, totals, ...(result.fault ? { fault: result.fault } : {}) };
}
