/** redops script: lint, load, run, exists, flush, kill. */
import { type Command, Option } from 'commander';
import { OpsError } from '../../base/ops-error.ts';
import type { Finish, Io } from '../io.ts';
import { defined, type RequestOptions, type RunOptions, requestMembers, withRequest } from '../options.ts';
import { addLintTo } from './lint.ts';
import { runRequest } from './request.ts';

type Options = RunOptions & RequestOptions & { keys?: string[]; args?: string[]; mode?: string };

/** Adds the verb. */
export function addScript(program: Command, io: Io, finish: Finish): void {
  const script = program.command('script').description('lint, load, run, exists, flush, kill Lua scripts');
  const act = (action: string, members: Readonly<Record<string, unknown>>, options: Options): Promise<void> => {
    const stdin = members.file === '-' ? () => io.readStdin() : undefined;
    const request = { operation_type: 'lua_script', action, ...requestMembers(options), ...defined(members) };
    return runRequest(io, finish, options, request, stdin);
  };
  addLintTo(script, 'lint <files...>', 'find what is wrong or dangerous in scripts', io, finish, true);
  withRequest(script.command('load <file>').description('load a script into the script cache')).action(
    (file: string, options: Options) => act('load', { file }, options),
  );
  withRequest(script.command('run <file>').description('run a script by its SHA1, loaded when it must be'))
    .option('--keys <keys...>', 'KEYS')
    .option('--args <args...>', 'ARGV')
    .action((file: string, options: Options) => act('run', { file, keys: options.keys, args: options.args }, options));
  withRequest(
    script.command('exists <file-or-sha1...>').description('ask whether the script cache has a file, or SHA1s'),
  ).action((what: string[], options: Options) => act('exists', fileOrDigests(what), options));
  withRequest(script.command('flush').description('empty the script cache, for every client'))
    .addOption(new Option('--mode <mode>', 'how').choices(['async', 'sync']))
    .action((options: Options) => act('flush', { mode: options.mode }, options));
  withRequest(script.command('kill').description("end the script that is running, whoever's it is")).action(
    (options: Options) => act('kill', {}, options),
  );
}

function fileOrDigests(what: readonly string[]): Record<string, unknown> {
  if (what.every((word) => /^[0-9a-f]{40}$/i.test(word))) return { sha1: what };
  if (what.length === 1) return { file: what[0] };
  throw new OpsError('usage', 'script exists takes one file, or SHA1s', { remedy: 'Ask for one file at a time.' });
}
