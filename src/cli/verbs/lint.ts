/** redops lint, and redops script lint. */
import { type Command, Option } from 'commander';
import type { Finish, Io } from '../io.ts';
import type { LintOptions } from '../lint.ts';
import { lintFormats } from '../lint-output.ts';
import { withTarget } from '../options.ts';
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
    .addOption(new Option('--format <form>', 'the form of the output (default: text)').choices(lintFormats))
    .option('--json', 'the same as --format json')
    .action((files: string[], options: LintOptions) =>
      finish(
        async () => {
          const { lintPaths } = await import('../lint.ts');
          return lintPaths(io, options, files, scripts);
        },
        faultDocument({ json: options.json === true || options.format === 'json' }),
      ),
    );
}
