/** redops lint, and redops script lint. */
import type { Command } from 'commander';
import type { Finish, Io } from '../io.ts';
import { type RunOptions, withTarget } from '../options.ts';
import { faultDocument } from './fault.ts';

/** Adds the verb. */
export function addLint(program: Command, io: Io, finish: Finish): void {
  addLintTo(program, 'lint <files...>', 'find what is dangerous in command files and Lua scripts', io, finish, false);
}

/** Adds a command that lints files; `scripts`: standard input is a script. */
export function addLintTo(
  parent: Command,
  usage: string,
  description: string,
  io: Io,
  finish: Finish,
  scripts: boolean,
): void {
  withTarget(parent.command(usage).description(`${description}; with --url or --target on live facts`))
    .option('--json', 'print diagnostics as JSON')
    .action((files: string[], options: RunOptions) =>
      finish(async () => {
        const { lintPaths } = await import('../understand.ts');
        return lintPaths(io, options, files, scripts);
      }, faultDocument(options)),
    );
}
