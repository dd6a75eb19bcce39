/**
 * A scan job on the server: chunk after chunk by a script, so that keys never leave it. What a chunk did is journaled with
 * the cursor behind it, while the next one runs. Caps are reserved before a chunk is sent: it is told how many keys it may act on.
 */
import { OpsError } from '../base/ops-error.ts';
import { type Partition, partitions, whole } from '../inspect/partitions.ts';
import type { Diagnostic } from '../plan/diagnostic.ts';
import type { Event } from '../plan/event.ts';
import type { ForEachStep } from '../plan/step.ts';
import { serverTime } from './deadline.ts';
import { demotion } from './demotion.ts';
import { keyLimit, overLimit } from './job-limits.ts';
import type { LateGovernor } from './late-governor.ts';
import { merge } from './merge.ts';
import type { Ending } from './pipeline.ts';
import { type ChunkResult, NoServerSide, runChunk } from './server-chunk.ts';
import { isInterruption, type Session } from './session.ts';
import { StrangeCursor } from './walk-page.ts';

/** SCAN's COUNT, at least, of a chunk that removes keys: they go a hundred a command, which takes the server a millisecond. */
const REMOVED_COUNT = 1_000;

/** Where a job stands, and how it goes. */
export interface ServerJob {
  readonly parts: number;
  /** True when the action leaves no key behind. */
  readonly deletes: boolean;
  /** Keys that earlier attempts acted on. */
  readonly acted: number;
  readonly from: (shard: string) => { readonly cursor: string; readonly done: boolean } | undefined;
  readonly governor: LateGovernor;
}

/** Runs the job; `client` when the server does not run scripts for us and nothing was done. */
export async function* runServerJob(
  session: Session,
  step: ForEachStep,
  job: ServerJob,
): AsyncGenerator<Event, Ending | 'client'> {
  const { signal } = session.context;
  const caps = createCaps(session, job.acted);
  let begun = false;
  const run = async function* (parts: readonly Partition[], from: ServerJob['from']): AsyncGenerator<Event, void> {
    // what ends one part ends the others when the chunk that they are at is told, too
    const stop: { cause?: { readonly error: unknown } } = {};
    const acting = parts.map((part) => endingWith(stop, actInPart(session, step, part, { ...job, from }, caps)));
    for await (const events of merge(acting)) {
      begun = true;
      yield* events;
    }
    if (stop.cause) throw stop.cause.error;
  };
  try {
    try {
      yield* run(partitions(job.parts), job.from);
    } catch (error) {
      if (!(error instanceof StrangeCursor)) throw error;
      yield* run([whole], () => undefined);
    }
    return { end: signal.aborted ? 'interrupted' : 'done' };
  } catch (error) {
    if (error instanceof NoServerSide && !begun) return 'client';
    if (isInterruption(error, signal)) return { end: 'interrupted' };
    if (error instanceof OpsError) return { end: 'fault', fault: error };
    if (error instanceof NoServerSide) return { end: 'fault', fault: refusedLate(error) };
    throw error;
  }
}

/** The events of a part until one of all parts fails. */
async function* endingWith<T>(
  stop: { cause?: { readonly error: unknown } },
  part: AsyncGenerator<T, void>,
): AsyncGenerator<T, void> {
  try {
    for await (const events of part) {
      yield events;
      if (stop.cause) return;
    }
  } catch (error) {
    stop.cause ??= { error };
  }
}

/** Chunk after chunk, to the end of a part. Gives the events of each. */
async function* actInPart(
  session: Session,
  step: ForEachStep,
  part: Partition,
  { from, governor, deletes }: ServerJob,
  caps: Caps,
): AsyncGenerator<readonly Event[], void> {
  const { signal, journal } = session.context;
  const start = from(part.name);
  if (start?.done) return;
  const time = createTime(session, step, part);
  let cursor = start?.cursor ?? part.start;
  let told: Promise<void> | undefined;
  while (!signal.aborted) {
    await session.hold();
    // SCAN gives little more than COUNT. What is deleted may be cut off: the rest is met again, and counted then
    const full = session.batchSize(deletes ? Math.max(step.count, REMOVED_COUNT) : step.count);
    const wanted = full * (deletes ? 1.25 : 4);
    let most = caps.reserve(wanted);
    // below a quarter a chunk costs more in calls than it saves others in waiting
    const count = Math.max(Math.ceil(full / 4), governor.chunk(full));
    const answered = await governor.pace(count);
    const timeMs = await time?.();
    const lost = () => {
      // the same keys are met again, unless they are gone
      if (deletes) most = caps.lose(most, wanted);
      return most;
    };
    const chunk = { cursor, count, most, lost, ...(timeMs === undefined ? {} : { timeMs }) };
    const done = await runChunk(session, step, chunk).finally(answered);
    const demoted = demotion(done.failures);
    if (demoted) throw demoted; // nothing of this chunk was done
    const first = caps.settle(most, done.totals.matched);
    const place = part.place(done.next);
    const last = place === 'end';
    const totals = { ...done.totals, scanned: Math.max(count, done.totals.matched) }; // SCAN may give more than COUNT
    const results = done.failures.map((result) => ({ ...result, index: first + result.index }));
    yield [
      ...done.retries,
      ...results.map((result): Event => ({ kind: 'result', effect: 'none', result })),
      ...doubts(done),
      { kind: 'page', totals, planned_keys: session.context.plan.execution_plan.estimate.keys, engine: 'server' },
    ];
    if (done.over) {
      const excess = caps.excess();
      if (excess) throw excess;
      continue; // the others had reserved what was left: the rest of this chunk is done again
    }
    await told;
    const record = { kind: 'page', shard: part.name, cursor: done.next, last, run_id: done.runId ?? null, ...totals };
    // of what a replaced primary acknowledged, nothing may count as done
    told = session.confirm().then(() => journal?.({ ...record, results }));
    told.catch(() => undefined); // the fault is met where it is awaited
    if (last) break;
    if (place === 'strange') throw new StrangeCursor();
    cursor = done.next;
    await session.pace(done.totals.matched);
  }
  await told;
}

/**
 * The server's time that relative deadlines are counted from, durable before it is used. One time serves for a hundredth of
 * the TTL, a second at most, and is that much ahead: a deadline comes late by so much, never early.
 */
function createTime(session: Session, step: ForEachStep, part: Partition): (() => Promise<number>) | undefined {
  const { clock, journal } = session.context;
  const relative = step.do.argv.find((word) => typeof word === 'object' && 'deadline' in word);
  if (typeof relative !== 'object' || !('deadline' in relative)) return undefined;
  const aheadMs = Math.min(1_000, Math.floor(relative.deadline.after_ms / 100));
  let timeMs = 0;
  let until = -1;
  return async () => {
    if (clock.monotonic() < until) return timeMs;
    const asked = clock.monotonic();
    timeMs = (await serverTime(session)) + aheadMs;
    until = asked + aheadMs;
    await journal?.({ kind: 'chunk', shard: part.name, time_ms: timeMs });
    return timeMs;
  };
}

interface Caps {
  /** Keys that a chunk may act on: as many as it wants, or what is left. */
  reserve(wanted: number): number;
  /** A chunk with that reservation may have deleted as many, unseen; gives the reservation of its next sending. */
  lose(reserved: number, wanted: number): number;
  /** The chunk acted on so many; gives the place of its first key in the run. */
  settle(reserved: number, acted: number): number;
  /** The fault of going on, when nothing is left that another chunk could give back. */
  excess(): OpsError | undefined;
}

function createCaps(session: Session, before: number): Caps {
  const limit = keyLimit(session);
  const allowed = session.context.plan.request.limits.max_keys ?? Number.POSITIVE_INFINITY;
  let acted = before;
  let reserved = 0;
  // counts against what the request allows, which is never exceeded; what was foreseen is judged by what is known
  let unseen = 0;
  const reserve = (wanted: number): number => {
    const most = Math.max(0, Math.min(Math.ceil(wanted), Math.min(limit, allowed - unseen) - acted - reserved));
    reserved += most;
    return most;
  };
  return {
    reserve,
    lose: (most, wanted) => {
      reserved -= most;
      unseen += most;
      return reserve(wanted);
    },
    settle: (most, count) => {
      const first = acted;
      reserved -= most;
      acted += count;
      return first;
    },
    excess: () => (acted >= limit || acted + unseen >= allowed ? overLimit(session, acted + unseen + 1) : undefined),
  };
}

/** What a lost reply leaves open. */
function doubts({ repeated, late }: ChunkResult): Event[] {
  if (!repeated) return [];
  const told: Event[] = [{ kind: 'notice', diagnostic: repeatedChunk }];
  const reason = 'a chunk was sent on a connection that was lost and could not be ended: it may still execute late';
  return late ? [...told, { kind: 'unproven', reason }] : told;
}

const repeatedChunk: Diagnostic = {
  code: 'E231',
  severity: 'info',
  message: 'the reply to a chunk of the job was lost, and the chunk was run again',
  at: 'the run',
  why: 'What the lost sending changed is not in the counts. The data is as the plan wanted.',
  fix: 'Nothing has to be done; do not read the count of changed as exact.',
  url: 'docs/errors.md#e231',
};

function refusedLate(error: Error): OpsError {
  return new OpsError('server_error', `the server no longer runs the script of the job: ${error.message}`, {
    remedy: 'Check the rights of the user, then resume the run.',
  });
}
