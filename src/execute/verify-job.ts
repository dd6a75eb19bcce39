/**
 * A scan job, and behind it the look whether it did what it was for: its selection is walked once more for keys that are not
 * as the action leaves them. A keyspace that lives gets new keys meanwhile, and no job lists the keys that it acted on, so
 * what is found and was not refused by name is told as either: new since, or missed.
 */
import { type Bytes, bytesId } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { formatCount } from '../base/units.ts';
import { commandName } from '../catalog/lookup.ts';
import type { Event } from '../plan/event.ts';
import { isFiltered } from '../plan/filters.ts';
import type { ForEachStep, Selection } from '../plan/step.ts';
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

async function* verification(session: Session, step: ForEachStep, open: ReadonlySet<string>): AsyncGenerator<Event> {
  const left = leftBehind(step);
  if (left === undefined) {
    yield {
      kind: 'unproven',
      reason: 'nothing can be verified: the keys look the same before this action and after it',
    };
    return;
  }
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

/** The keys that the action leaves none of; undefined where there are no such keys, or a condition of the action may have left them. */
function leftBehind({ selection, do: { argv } }: ForEachStep): Selection | undefined {
  const name = commandName(argv.map(literal));
  const condition = argv[3];
  switch (name) {
    case 'unlink':
    case 'del':
      // of a file every key is given, there or not; what has a size is there
      return selection.keys_file && !isFiltered(selection) ? { ...selection, bytes: { min: 0 } } : selection;
    case 'persist':
      return { ...selection, ttl: selection.ttl ?? 'any' };
    case 'pexpireat': {
      const everyKey = condition === undefined || condition === 'NX' || condition === 'LT';
      const fromNone = selection.ttl === undefined || selection.ttl === 'none';
      return everyKey && fromNone ? { ...selection, ttl: 'none' } : undefined;
    }
    default:
      return undefined;
  }
}
