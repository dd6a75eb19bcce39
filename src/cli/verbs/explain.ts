/** redops explain: what a command or a request means, on live data; who may run it; what commands cost here. */
import type { Command } from 'commander';
import type { ExplainOptions } from '../explain.ts';
import type { Finish, Io } from '../io.ts';
import { withTarget } from '../options.ts';
import { faultDocument } from './fault.ts';

/** Adds the verb. */
export function addExplain(program: Command, io: Io, finish: Finish): void {
  withTarget(
    program
      .command('explain [command-or-file]')
      .description('explain a command ("ZRANGE z 0 -1") or a request (a .json file, "-": standard input)'),
  )
    .option('--json', 'print the estimate and the explanation as JSON')
    .option(
      '--acl',
      'print the ACL SETUSER line of a user who may run it and nothing else; without a command: who may only read',
    )
    .option('--user <name>', 'the name of that user (default redops-job, redops-reader)')
    .option('--calibrate', 'measure what commands cost, on a throwaway server of the same version (REDOPS_SERVER)')
    .option('--on-target', 'with --calibrate: measure on the target itself, with keys of its own')
    .option('--yes', 'allow that on a target that counts as production')
    .option('--no-progress', 'no progress line')
    .action((what: string | undefined, options: ExplainOptions) =>
      finish(async () => {
        const { explain } = await import('../explain.ts');
        return explain(io, options, what);
      }, faultDocument(options)),
    );
}
