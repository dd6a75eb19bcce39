/**
 * A scan job: one command for every key of a selection, page by page. A page's cursor is journaled only when every command
 * of that page has an outcome, so the journal never claims a key that was not handled. The job stops by itself, before
 * acting, when it meets more keys than the plan foresaw or than the request allows.
 */
import { type Bytes, bytesId } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { formatCount } from '../base/units.ts';
import { commandName } from '../catalog/lookup.ts';
import type { Estimate } from '../plan/estimate.ts';
import type { Event } from '../plan/event.ts';
import type { Totals } from '../plan/report.ts';
import type { ForEachStep } from '../plan/step.ts';
import { literal } from '../plan/values.ts';
import { runBatch } from './batch.ts';
import { chunkTime } from './deadline.ts';
import { effectOf, problem } from './outcome.ts';
import { type Ending, endingOf, resultEvent } from './pipeline.ts';
import { isInterruption, type Session } from './session.ts';
import { walk } from './walk.ts';
import { bind } from './wire.ts';

/** The zero of Totals. */
export const noTotals: Totals = { scanned: 0, matched: 0, changed: 0, unchanged: 0, failed: 0, unknown: 0, retried: 0 };

/** What leaves no key behind: one that is met later is another key. A deadline that would delete is never sent. */
const removing: ReadonlySet<string> = new Set(['del', 'unlink']);

/** Runs the job. Failed and unknown keys get a result event each, numbered by the key's place in the run; all are in the page totals. */
export async function* runScanJob(session: Session, step: ForEachStep): AsyncGenerator<Event, Ending> {
  const { plan, journal, signal } = session.context;
  const planned = plan.execution_plan.estimate;
  const deletes = removing.has(commandName(step.do.argv.map(literal)));
  let acted = 0;
  let told: Promise<void> | undefined;
  // what a page that is not finished has done so far: it is told also when the page ends early
  let underway: Totals | undefined;
  try {
    const pages = walk(session, { selection: step.selection, count: step.count, deletes });
    for (;;) {
      if (signal.aborted) return { end: 'interrupted' };
      const next = await pages.next();
      if (next.done) {
        for (const reason of next.value) yield { kind: 'unproven', reason };
        break;
      }
      const page = next.value;
      const keys = distinct(page.keys);
      const again = Math.min(page.again, keys.length);
      const excess = overLimit(session, acted + keys.length - again, planned);
      if (excess) return { end: 'fault', fault: excess };
      let totals: Totals = { ...noTotals, scanned: step.count, matched: keys.length };
      for (let at = 0; at < keys.length; ) {
        const size = session.batchSize(step.batch_size);
        const chunk = keys.slice(at, at + size);
        const done = await actOn(session, step, chunk, acted + at);
        for (const event of done.events) yield event;
        totals = add(totals, done.totals);
        at += chunk.length;
        underway = { ...totals, matched: at };
        const ending = endingOf(done.fault, signal);
        if (ending.end === 'done') continue;
        yield { kind: 'page', totals: underway, planned_keys: planned.keys };
        return ending;
      }
      acted += keys.length - again;
      totals = withoutRepeats(totals, again);
      // made durable while the next page is worked on: what a crash forgets of it is only done again
      await told;
      told = journal?.({
        kind: 'page',
        ...(page.node === undefined ? {} : { node: page.node }),
        cursor: page.next,
        run_id: page.runId ?? null,
        ...totals,
      });
      told?.catch(() => undefined); // the fault is met where it is awaited
      yield { kind: 'page', totals, planned_keys: planned.keys };
      underway = undefined;
    }
    await told;
  } catch (error) {
    if (underway) yield { kind: 'page', totals: underway, planned_keys: planned.keys };
    if (isInterruption(error, signal)) return { end: 'interrupted' };
    if (error instanceof OpsError) return { end: 'fault', fault: error };
    throw error;
  }
  return { end: 'done' };
}

/** Why the job must not act on this many keys: the plan foresaw fewer (E233), or the request allows fewer (E234). */
function overLimit(session: Session, keys: number, planned: Estimate): OpsError | undefined {
  const cap = session.context.plan.request.limits.max_keys;
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

/** Keys of a slot that was walked twice count once. The second time most actions find nothing to change. */
function withoutRepeats(totals: Totals, again: number): Totals {
  const unchanged = Math.max(0, totals.unchanged - again);
  const changed = Math.max(0, totals.changed - (again - (totals.unchanged - unchanged)));
  return { ...totals, matched: totals.matched - again, changed, unchanged };
}

function distinct(keys: readonly Bytes[]): Bytes[] {
  return [...new Map(keys.map((key) => [bytesId(key), key])).values()];
}

function add(a: Totals, b: Totals): Totals {
  return {
    scanned: a.scanned + b.scanned,
    matched: a.matched + b.matched,
    changed: a.changed + b.changed,
    unchanged: a.unchanged + b.unchanged,
    failed: a.failed + b.failed,
    unknown: a.unknown + b.unknown,
    retried: a.retried + b.retried,
  };
}
