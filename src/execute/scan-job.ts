/**
 * A scan job: one command for every key of a selection, page by page. A page's cursor is journaled only when every command
 * of that page has an outcome, so the journal never claims a key that was not handled. The job stops by itself, before
 * acting, when it meets more keys than the plan foresaw or than the request allows.
 */
import { type Bytes, bytesId } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { formatCount } from '../base/units.ts';
import { type Page, scanPage } from '../inspect/scan.ts';
import type { Estimate } from '../plan/estimate.ts';
import type { Event } from '../plan/event.ts';
import type { Totals } from '../plan/report.ts';
import type { ForEachStep, Selection } from '../plan/step.ts';
import { LostConnection } from '../redis/connection.ts';
import { runBatch } from './batch.ts';
import { deadlineGuard } from './deadline.ts';
import { effectOf, problem } from './outcome.ts';
import { type Ending, endingOf, resultEvent } from './pipeline.ts';
import { backoffMs, isInterruption, restarted, type Session } from './session.ts';
import { bind, hasDeadline } from './wire.ts';

/** The zero of Totals. */
export const noTotals: Totals = { scanned: 0, matched: 0, changed: 0, unchanged: 0, failed: 0, unknown: 0, retried: 0 };

/** Runs the job. Failed and unknown keys get a result event each, numbered by the key's place in the run; all are in the page totals. */
export async function* runScanJob(session: Session, step: ForEachStep): AsyncGenerator<Event, Ending> {
  const { plan, journal, signal } = session.context;
  const planned = plan.execution_plan.estimate;
  let cursor = '0';
  let acted = 0;
  let told: Promise<void> | undefined;
  // what a page that is not finished has done so far: it is told also when the page ends early
  let underway: Totals | undefined;
  try {
    let coming = readPage(session, step.selection, cursor, step.count);
    do {
      if (signal.aborted) return { end: 'interrupted' };
      const page = await coming;
      const keys = distinct(page.keys);
      const excess = overLimit(session, acted + keys.length, planned);
      if (excess) return { end: 'fault', fault: excess };
      if (page.next !== '0') {
        // the server looks for the next keys while it works on these; a fault is met where the page is awaited
        coming = readPage(session, step.selection, page.next, step.count);
        coming.catch(() => undefined);
      }
      let totals: Totals = { ...noTotals, scanned: step.count, matched: keys.length };
      await fixDeadline(session, step, page.timeMs, acted, keys.length);
      for (let at = 0; at < keys.length; ) {
        const size = session.batchSize(step.batch_size);
        const chunk = keys.slice(at, at + size);
        const done = await actOn(session, step, chunk, page.timeMs, acted + at);
        for (const event of done.events) yield event;
        totals = add(totals, done.totals);
        at += chunk.length;
        underway = { ...totals, matched: at };
        const ending = endingOf(done.fault, signal);
        if (ending.end === 'done') continue;
        yield { kind: 'page', totals: underway, planned_keys: planned.keys };
        return ending;
      }
      acted += keys.length;
      cursor = page.next;
      // made durable while the next page is worked on: what a crash forgets of it is only done again
      await told;
      told = journal?.({ kind: 'page', cursor, run_id: page.runId ?? null, ...totals });
      told?.catch(() => undefined); // the fault is met where it is awaited
      yield { kind: 'page', totals, planned_keys: planned.keys };
      underway = undefined;
      if (page.runId === undefined) {
        yield {
          kind: 'unproven',
          reason: 'the user may not ask for run_id (+info), so a restart during the scan would go unseen',
        };
      }
    } while (cursor !== '0');
    await told;
  } catch (error) {
    if (underway) yield { kind: 'page', totals: underway, planned_keys: planned.keys };
    if (isInterruption(error, signal)) return { end: 'interrupted' };
    if (error instanceof OpsError) return { end: 'fault', fault: error };
    throw error;
  }
  return { end: 'done' };
}

/** One page; a lost connection is replaced, and the page is asked for again: SCAN is a read. Throws drift when another process answers. */
export async function readPage(session: Session, selection: Selection, cursor: string, count: number): Promise<Page> {
  const { retry } = session.context.plan.request;
  const { run_id: planned } = session.context.plan.target.server;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const page = await scanPage(await session.lease(), selection, cursor, count);
      if (page.runId !== undefined && planned !== '' && page.runId !== planned) throw restarted();
      return page;
    } catch (error) {
      const passing = error instanceof LostConnection || (error instanceof OpsError && isPassing(error));
      if (!passing || attempt >= retry.max_retries) throw error;
      await session.context.clock.sleep(backoffMs(attempt, retry.base_ms), session.context.signal);
    }
  }
}

function isPassing(error: OpsError): boolean {
  return error.code === 'unreachable' || error.reply === 'BUSY' || error.reply === 'LOADING';
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

/** The deadlines of a page are fixed, and durable, before anything of it is sent; its retries reuse them. */
async function fixDeadline(
  session: Session,
  step: ForEachStep,
  pageTime: number | undefined,
  first: number,
  keys: number,
): Promise<void> {
  if (keys === 0 || !hasDeadline(step.do.argv)) return;
  if (pageTime === undefined) {
    throw new OpsError('auth', 'the server does not tell its time, so no deadline can be set', {
      remedy: 'The user needs +time.',
    });
  }
  await session.context.journal?.({ kind: 'chunk', first, commands: keys, time_ms: pageTime });
}

async function actOn(
  session: Session,
  step: ForEachStep,
  keys: readonly Bytes[],
  pageTime: number | undefined,
  first: number,
): Promise<{ events: Event[]; totals: Totals; fault?: OpsError }> {
  const { runId } = session.context;
  await session.pace(keys.length);
  const commands = keys.map((key) =>
    bind(step.do.argv, { runId, key, ...(pageTime === undefined ? {} : { timeMs: pageTime }) }),
  );
  const result = await runBatch(session, commands, deadlineGuard(session.context, pageTime));
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
