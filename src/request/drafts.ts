/** The two shapes that most recipes end in: commands sent together, and a job over every key that matches. */
import { isFiltered } from '../plan/filters.ts';
import type { Draft } from '../plan/plan.ts';
import type { Request } from '../plan/request.ts';
import type { CommandStep, Selection } from '../plan/step.ts';
import type { Target } from '../plan/target.ts';
import { batchSize, scanCount } from './batch-size.ts';
import { conditionReasons, filterReasons } from './selection.ts';
import { serverSide } from './server-side.ts';

/** Commands sent together, each with an outcome of its own. `steps` is not empty. */
export function pipeline(
  request: Request,
  target: Target | undefined,
  steps: readonly CommandStep[],
  reasons: readonly string[],
): Draft {
  const batch = batchSize(request, target);
  return {
    request,
    strategy: 'pipeline',
    steps: [{ kind: 'pipeline', batch_size: batch.size, steps: [...steps] }],
    batch_size: batch.size,
    reasons: steps.length > 1 ? [...reasons, batch.reason] : reasons,
  };
}

/** One command for every key of a selection, found by SCAN or read from a file. */
export function job(
  request: Request,
  target: Target | undefined,
  selection: Selection,
  step: CommandStep,
  reasons: readonly string[],
): Draft {
  const batch = batchSize(request, target);
  const count = scanCount(request.performance_mode);
  const onServer = serverSide(request, selection, step);
  return {
    request,
    strategy: 'scan_job',
    steps: [{ kind: 'for_each', selection, count: count.size, batch_size: batch.size, do: step, ...onServer.step }],
    batch_size: batch.size,
    reasons: [
      ...reasons,
      ...filterReasons(selection, step, target),
      ...(isFiltered(selection) ? [] : conditionReasons(step, target)),
      ...onServer.reasons,
      ...(selection.keys_file === undefined
        ? ['A scan job is atomic per key, not as a whole.', count.reason]
        : listedReasons(count.size)),
      batch.reason,
    ],
  };
}

function listedReasons(count: number): readonly string[] {
  return [
    `The keys come from the file, ${count} a page, in its order; nothing is scanned. Each key is acted on by itself, not all as a whole.`,
    'The whole file is read for its SHA-256 before the first key is acted on: another content is refused.',
  ];
}
