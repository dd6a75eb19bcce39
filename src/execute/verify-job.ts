/**
 * A scan job, and behind it the look whether it did what it was for: its selection is walked once more for keys that are not
 * as the action leaves them. A keyspace that lives gets new keys meanwhile, and no job lists the keys that it acted on, so
 * what is found and was not refused by name is told as either: new since, or missed.
 */
import { type Bytes, bytesId } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { formatCount } from '../base/units.ts';
import type { Event } from '../plan/event.ts';
import { leftBehind } from '../plan/left-behind.ts';
import type { ForEachStep } from '../plan/step.ts';
import { literal } from '../plan/values.ts';
import { LostConnection } from '../redis/connection.ts';
import type { Ending } from './pipeline.ts';
import { runScanJob } from './scan-job.ts';
import type { Session } from './session.ts';
import { walk } from './walk.ts';

/** Keys that are shown of those that are left. */
const SHOWN = 20;

/** Runs the job, and looks at the end when its request says so. */
export async function* runJob(session: Session, step: ForEachStep): AsyncGenerator<Event, Ending> {
  const { request } = session.context.plan;
  const wanted = request.operation_type === 'batch' && request.verify === true;
  if (!wanted || session.context.dryRun === true) return yield* runScanJob(session, step);
  const open = new Set<string>();
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
      yield next.value;
    }
  } finally {
    await job.return({ end: 'interrupted' });
  }
  if (ending.end === 'done') yield* verification(session, step, open);
  return ending;
}

/** The key of a command as results have it. */
function keyOf(argv: readonly Parameters<typeof literal>[0][]): Bytes {
  return literal(argv[1] ?? '') ?? '';
}

/** Walks the selection of a job for what it left; `open`: ids of the keys that were named as not applied or unknown. Nothing where there is nothing to look for. */
export async function* verification(
  session: Session,
  step: ForEachStep,
  open: ReadonlySet<string>,
): AsyncGenerator<Event, void> {
  const left = leftBehind(step);
  if (left === undefined) return;
  let notApplied = 0;
  let others = 0;
  const sample: Bytes[] = [];
  try {
    for await (const { keys } of walk(session, { selection: left, count: step.count, deletes: false })) {
      for (const key of keys) {
        if (open.has(bytesId(key))) notApplied += 1;
        else others += 1;
        if (sample.length < SHOWN) sample.push(key);
      }
      await session.pace(1);
    }
  } catch (error) {
    if (!(error instanceof OpsError || error instanceof LostConnection || session.context.signal.aborted)) throw error;
    const why = session.context.signal.aborted ? 'it was interrupted' : (error as Error).message;
    yield { kind: 'unproven', reason: `the verification came to no end: ${why}` };
    return;
  }
  yield { kind: 'verified', facts: { left: notApplied + others, not_applied: notApplied, others, sample } };
  if (others === 0) return;
  yield {
    kind: 'unproven',
    reason: `${formatCount(others)} of the keys match now as if nothing had been done: they are new since, or were missed`,
  };
}
