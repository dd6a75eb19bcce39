/** redops plan: makes the plan of a request and sends nothing. */
import type { Command } from 'commander';
import type { Finish, Io } from '../io.ts';
import { type RunOptions, withTarget } from '../options.ts';
import { faultDocument } from './fault.ts';

/** Adds the verb. */
export function addPlan(program: Command, io: Io, finish: Finish): void {
  withTarget(
    program.command('plan <file>').description('make the plan of a request ("-": standard input); send nothing'),
  )
    .option('--json', 'print the plan as JSON')
    .action((file: string, options: RunOptions) =>
      finish(async () => {
        const { planFile } = await import('../plan-file.ts');
        return planFile(io, options, file);
      }, faultDocument(options)),
    );
}
