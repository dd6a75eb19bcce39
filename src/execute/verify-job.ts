/**
 * A scan job, and behind it the look whether it did what it was for: its selection is walked once more for keys that are not
 * as the action leaves them. A keyspace that lives gets new keys meanwhile, and no job lists the keys that it acted on, so
 * what is found and was not refused by name is told as either: new since, or missed.
 */
import { type Bytes, bytesId } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { formatCount } from '../base/units.ts';
import { infoFields } from '../inspect/info.ts';
import type { Event } from '../plan/event.ts';
import { leftBehind } from '../plan/left-behind.ts';
import type { ForEachStep } from '../plan/step.ts';
import { literal } from '../plan/values.ts';
import { LostConnection } from '../redis/connection.ts';
import { replyText } from '../redis/reply.ts';
import type { Ending } from './pipeline.ts';
import { type Calls, callsThatMake, isQuiet } from './quiet.ts';
import { runScanJob } from './scan-job.ts';
import type { Session } from './session.ts';
import { walk } from './walk.ts';

/** Keys that are shown of those that are left. */
const SHOWN = 20;

/** Ids of keys that are remembered, so that one that SCAN gives twice counts once; beyond that it may count twice. */
const REMEMBERED = 200_000;

/** Runs the job, and looks at the end when its request says so. */
export async function* runJob(session: Session, step: ForEachStep): AsyncGenerator<Event, Ending> {
  const { request } = session.context.plan;
  const wanted = request.operation_type === 'batch' && request.verify === true;
  if (!wanted || session.context.dryRun === true || leftBehind(step) === undefined)
    return yield* runScanJob(session, step);
  // what an earlier attempt began, others may have done something since
  const calls = session.context.resumed ? undefined : await callsOf(session, step);
  const open = new Set<string>();
  let notApplied = 0;
  const job = runScanJob(session, step);
  let ending: Ending;
  try {
    for (;;) {
      const next = await job.next();
      if (next.done) {
        ending = next.value;
        break;
      }
      if (next.value.kind === 'result') open.add(bytesId(keyOf(next.value.result.argv)));
      if (next.value.kind === 'page') notApplied += next.value.totals.failed + next.value.totals.unknown;
      yield next.value;
    }
  } finally {
    await job.return({ end: 'interrupted' });
  }
  if (ending.end === 'done') yield* verification(session, step, { open, notApplied, calls });
  return ending;
}

/** The key of a command as results have it. */
function keyOf(argv: readonly Parameters<typeof literal>[0][]): Bytes {
  return literal(argv[1] ?? '') ?? '';
}

/** What is known of the run that is verified. */
export interface Known {
  /** Ids of the keys that were named as not applied or unknown. */
  readonly open: ReadonlySet<string>;
  /** How many were: a script names a few of each chunk only. */
  readonly notApplied: number;
  /** Before the run began: see quiet.ts. */
  readonly calls?: Calls | undefined;
}

/** Walks the selection of a job, on a primary, for what it left. Nothing where there is nothing to look for. */
export async function* verification(session: Session, step: ForEachStep, known: Known): AsyncGenerator<Event, void> {
  const left = leftBehind(step);
  if (left === undefined) return;
  const seen = new Set<string>();
  const sample: Bytes[] = [];
  let notApplied = 0;
  let others = 0;
  let doubts: readonly string[] = [];
  try {
    await mustBePrimary(session);
    const pages = walk(session, { selection: left, count: step.count, deletes: false });
    for (let next = await pages.next(); ; next = await pages.next()) {
      if (next.done) {
        doubts = next.value;
        break;
      }
      for (const key of next.value.keys) {
        const id = bytesId(key);
        if (seen.has(id)) continue;
        if (seen.size < REMEMBERED) seen.add(id);
        if (known.open.has(id)) notApplied += 1;
        else others += 1;
        if (sample.length < SHOWN) sample.push(key);
      }
      await session.pace(1);
    }
    await mustBePrimary(session); // what a replica lists is behind
  } catch (error) {
    if (!(error instanceof OpsError || error instanceof LostConnection || session.context.signal.aborted)) throw error;
    const why = session.context.signal.aborted ? 'it was interrupted' : (error as Error).message;
    yield { kind: 'unproven', reason: `the verification came to no end: ${why}` };
    return;
  }
  for (const reason of doubts) yield { kind: 'unproven', reason };
  const missed = others > 0 && isQuiet(known.calls, await callsOf(session, step));
  const facts = { left: notApplied + others, not_applied: notApplied, others, sample };
  yield { kind: 'verified', facts: { ...facts, ...(missed ? { quiet: true } : {}) } };
  const unnamed = Math.min(others, Math.max(0, known.notApplied - known.open.size));
  if (unnamed > 0) {
    yield {
      kind: 'unproven',
      reason: `${formatCount(unnamed)} of the keys that are left may be of those that were not applied: not all of these are named`,
    };
  } else if (missed) {
    yield {
      kind: 'unproven',
      reason: `${formatCount(others)} of the keys were missed: since the run began no command was called that could have made them`,
    };
  } else if (others > 0) {
    yield {
      kind: 'unproven',
      reason: `${formatCount(others)} of the keys match now as if nothing had been done: they are new since, or were missed`,
    };
  }
}

/** Throws OpsError drift for a replica: also when it became one meanwhile. A cluster's walk looks by itself. */
async function mustBePrimary(session: Session): Promise<void> {
  if (session.cluster) return;
  await session.confirm();
  const role = infoFields(replyText(await session.read(['INFO', 'replication'])) ?? '').get('role');
  if (role !== 'slave') return;
  throw new OpsError('drift', 'this server is a replica now, and may be behind its primary', {
    remedy: 'Name the primary.',
  });
}

/** A proof that cannot be had proves nothing, and ends nothing. */
async function callsOf(session: Session, step: ForEachStep): Promise<Calls | undefined> {
  try {
    return await callsThatMake(session, step);
  } catch (error) {
    if (error instanceof OpsError || session.context.signal.aborted) return undefined;
    throw error;
  }
}
