/**
 * The recipe for a file of commands: one step that streams it. The commands that were read while planning are checked
 * like those of a pipeline; those behind them are checked by the same rules when it is their turn.
 */

import { formatCount } from '../base/units.ts';
import { commandName } from '../catalog/lookup.ts';
import { isAdministrative } from '../catalog/nature.ts';
import type { Diagnostic } from '../plan/diagnostic.ts';
import { type Draft, type SampledCommand, sampledCommands } from '../plan/plan.ts';
import type { RequestOf } from '../plan/request.ts';
import type { StreamSource, StreamStep } from '../plan/step.ts';
import type { Target } from '../plan/target.ts';
import { batchSize } from './batch-size.ts';
import { commandProblems } from './commands.ts';
import { problem, type Result, refused } from './problem.ts';

/** The draft of a stream, or what is wrong with the commands that were read of it. */
export function stream(
  request: RequestOf<'pipelining'>,
  source: StreamSource,
  target: Target | undefined,
): Result<Draft> {
  const window = batchSize(request, target);
  const step: StreamStep = {
    kind: 'stream',
    source,
    ...(request.failures_file === undefined ? {} : { failures_file: request.failures_file }),
  };
  const diagnostics = sampledCommands({ steps: [step] }, target).flatMap(problemsOf);
  if (diagnostics.length > 0) return refused(...diagnostics);
  const facts = target?.sources?.find(({ path }) => path === source.path);
  return {
    value: {
      request,
      strategy: 'pipeline',
      steps: [step],
      batch_size: window.size,
      reasons: [
        'A stream: the file is sent while it is read, so its size is no matter; each command has its own outcome.',
        `A window of ${formatCount(window.size)} commands in flight at first; it then follows the replies.`,
        ...(facts === undefined || facts.sampled >= facts.high
          ? []
          : [
              `Judged from the first ${formatCount(facts.sampled)} commands of the file: a later one that writes or destroys where these do not, or that may not be sent at all, ends the run before it is sent.`,
            ]),
      ],
    },
  };
}

function problemsOf(command: SampledCommand): readonly Diagnostic[] {
  const { argv, at, line, source } = command;
  const found = commandProblems({ argv, at, line: true });
  const wrong = found.length > 0 || !isAdministrative(argv) ? found : [administration(command)];
  if (source.format === 'resp') return wrong;
  return wrong.map((one) => ({ ...one, span: { file: source.path, line, column: 1, length: 0 } }));
}

function administration({ argv, at }: SampledCommand): Diagnostic {
  const name = commandName(argv).replace('|', ' ').toUpperCase();
  return problem(
    'CMD002',
    at,
    `${name} is administration, not data`,
    `Remove ${name} from the file; plan it as a request of its own (commands).`,
    'A file is judged from its first commands; what reaches the whole server is looked at by itself.',
  );
}
