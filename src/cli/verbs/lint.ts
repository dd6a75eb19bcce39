/** redops lint, and redops script lint. */
import { type Command, Option } from 'commander';
import type { Finish, Io } from '../io.ts';
import type { LintOptions } from '../lint.ts';
import { lintFormats } from '../lint-output.ts';
import { whole, withTarget } from '../options.ts';
import { faultDocument } from './fault.ts';

/** Adds the verb. */
export function addLint(program: Command, io: Io, finish: Finish): void {
  addLintTo(
    program,
    'lint [files...]',
    'find what is dangerous in command files, Lua scripts, append-only files, captures of MONITOR, slow logs',
    io,
    finish,
    false,
  );
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
  const command = withTarget(parent.command(usage).description(`${description}; with --url or --target on live facts`));
  if (!scripts)
    command
      .option('--monitor <time>', "lint what the target's clients send for this long: costs the server while it runs")
      .option('--max-commands <n>', 'end --monitor after so many commands (default 1000000)', whole)
      .option('--slowlog [n]', "lint the newest entries of the target's slow log (default 1000)", whole);
  command
    .addOption(
      new Option('--input <kind>', 'what the inputs are; else told by their first bytes').choices([
        'commands',
        'aof',
        'monitor',
        'slowlog',
      ]),
    )
    .addOption(new Option('--format <form>', 'the form of the output (default: text)').choices(lintFormats))
    .option('--fix', 'rewrite what is safe to rewrite (DEL to UNLINK where it would block, idle suppressions)')
    .option('--dry-run', 'with --fix: show what would change, and write nothing')
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
