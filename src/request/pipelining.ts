/** The recipe for pipelining: commands sent together, each with an outcome of its own. */
import type { Diagnostic } from '../plan/diagnostic.ts';
import type { Draft } from '../plan/plan.ts';
import type { RequestOf } from '../plan/request.ts';
import type { CommandStep, StreamSource } from '../plan/step.ts';
import type { Target } from '../plan/target.ts';
import { argumentAt, commandProblems, readCommand, type WrittenCommand } from './commands.ts';
import { pipeline } from './drafts.ts';
import { problem, type Result, refused } from './problem.ts';
import { scriptProblems, scriptReasons } from './scripts.ts';
import { stream } from './stream.ts';

/** The draft of a pipelining request, or why there is none. `source`: its file, where it has one. */
export function pipelining(
  request: RequestOf<'pipelining'>,
  target: Target | undefined,
  source: StreamSource | undefined,
): Result<Draft> {
  if (request.commands === undefined) {
    if (source !== undefined) return stream(request, source, target);
    return refused(problem('REQ003', 'file', 'the file has not been read', 'Give its commands as commands.'));
  }
  const steps: CommandStep[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const [index, input] of request.commands.entries()) {
    const read = readCommand(input, `commands[${index}]`, false);
    const problems =
      'value' in read ? [...expressionProblems(read.value), ...commandProblems(read.value)] : read.diagnostics;
    diagnostics.push(...problems);
    if ('value' in read) steps.push({ kind: 'command', argv: [...read.value.argv] });
  }
  diagnostics.push(...scriptProblems(request, steps));
  if (diagnostics.length > 0) return refused(...diagnostics);
  return {
    value: pipeline(request, target, steps, [
      'A pipeline: the commands are known ahead and need no common outcome; each has its own.',
      ...scriptReasons(request),
    ]),
  };
}

function expressionProblems(command: WrittenCommand): readonly Diagnostic[] {
  return command.argv.flatMap((argument, index) =>
    typeof argument === 'object' && 'expr' in argument
      ? [
          problem(
            'EXP001',
            argumentAt(command, index),
            'an expression has nothing to compute with: a pipeline reads no values first',
            'Use operation_type transaction, whose let reads values, or write the value itself.',
          ),
        ]
      : [],
  );
}
