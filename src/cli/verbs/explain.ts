/** redops explain: the price of a command or of a request, on live data. */
import type { Command } from 'commander';
import type { Finish, Io } from '../io.ts';
import { type RunOptions, withTarget } from '../options.ts';
import { faultDocument } from './fault.ts';

/** Adds the verb. */
export function addExplain(program: Command, io: Io, finish: Finish): void {
  withTarget(
    program
      .command('explain <command-or-file>')
      .description('price a command ("ZRANGE z 0 -1") or a request (a .json file, "-": standard input)'),
  )
    .option('--json', 'print the estimate as JSON')
    .action((what: string, options: RunOptions) =>
      finish(async () => {
        const { explain } = await import('../understand.ts');
        return explain(io, options, what);
      }, faultDocument(options)),
    );
}
