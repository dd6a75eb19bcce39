/** redops apply: runs a request or a plan, exactly as planned. */
import type { Command } from 'commander';
import type { Finish, Io } from '../io.ts';
import { type RunOptions, withRun } from '../options.ts';
import { reportOfFault } from './request.ts';

/** Adds the verb. */
export function addApply(program: Command, io: Io, finish: Finish): void {
  withRun(
    program.command('apply <file>').description('run a request or a plan ("-": standard input), exactly as planned'),
  ).action(async (file: string, options: RunOptions) => {
    await finish(
      async () => {
        const [{ readJson }, { applyPlan, operate }] = await Promise.all([
          import('../input.ts'),
          import('../operate.ts'),
        ]);
        const document = await readJson(io, file);
        const isPlan = typeof document === 'object' && document !== null && 'execution_plan' in document;
        return isPlan ? applyPlan(io, options, document) : operate(io, options, document);
      },
      await reportOfFault(options),
    );
  });
}
