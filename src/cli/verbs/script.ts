/** redops script: lint, load, run, test, exists, flush, kill, and the library of scripts. */
import { type Command, Option } from 'commander';
import { OpsError } from '../../base/ops-error.ts';
import type { Finish, Io } from '../io.ts';
import { collect, defined, type RequestOptions, type RunOptions, requestMembers, withRequest } from '../options.ts';
import { faultDocument } from './fault.ts';
import { addLintTo } from './lint.ts';
import { runRequest } from './request.ts';

type Options = RunOptions & RequestOptions & { keys?: string[]; args?: string[]; mode?: string; library?: string };

/** Adds the verb. */
export function addScript(program: Command, io: Io, finish: Finish): void {
  const script = program.command('script').description('lint, load, run, test, exists, flush, kill Lua scripts');
  const act = (action: string, members: Readonly<Record<string, unknown>>, options: Options): Promise<void> => {
    const stdin = members.file === '-' ? () => io.readStdin() : undefined;
    const request = { operation_type: 'lua_script', action, ...requestMembers(options), ...defined(members) };
    return runRequest(io, finish, options, request, stdin);
  };
  addLintTo(script, 'lint <files...>', 'find what is wrong or dangerous in scripts', io, finish, true);
  withRequest(script.command('load <file>').description('load a script into the script cache')).action(
    (file: string, options: Options) => act('load', { file }, options),
  );
  withRequest(script.command('run [file]').description('run a script by its SHA1, loaded when it must be'))
    .option('--library <name>', 'a script of the library instead of a file (redops script library)')
    .option('--keys <keys...>', 'KEYS')
    .option('--args <args...>', 'ARGV')
    .action(async (file: string | undefined, options: Options) =>
      act('run', { file: await fileOrLibrary(file, options), keys: options.keys, args: options.args }, options),
    );
  addTest(script, io, finish);
  addLibrary(script, io, finish);
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

function addTest(script: Command, io: Io, finish: Finish): void {
  script
    .command('test <fixtures...>')
    .description('run fixtures (.yaml, .mjs, .ts) of scripts on throwaway servers; connects to no target')
    .option('--server <path>', 'a redis-server or valkey-server to test on (may be repeated)', collect, [])
    .option('--timeout <duration>', 'the most that one call may take', '5s')
    .option('--watch', 'run again whenever a script or a fixture changes')
    .option('--json', 'print the results as JSON')
    .action((files: string[], options: { server: string[]; timeout: string; watch?: boolean; json?: boolean }) =>
      finish(async () => {
        const { testScripts } = await import('../script-test.ts');
        return testScripts(io, options, files);
      }, faultDocument(options)),
    );
}

function addLibrary(script: Command, io: Io, finish: Finish): void {
  script
    .command('library [name]')
    .description('list the scripts that come with redops, or print one')
    .option('--json', 'print the list, or the script, as JSON')
    .action((name: string | undefined, options: { json?: boolean }) =>
      finish(async () => {
        const { showLibrary } = await import('../script-library.ts');
        return showLibrary(io, options, name);
      }, faultDocument(options)),
    );
}

async function fileOrLibrary(file: string | undefined, { library }: Options): Promise<string> {
  if (file !== undefined && library === undefined) return file;
  if (file !== undefined || library === undefined)
    throw new OpsError('usage', file === undefined ? 'no script is given' : 'a file and --library are both given', {
      remedy: 'Name a file, or a script of the library with --library NAME.',
    });
  return (await import('../script-library.ts')).libraryPath(library);
}

function fileOrDigests(what: readonly string[]): Record<string, unknown> {
  if (what.every((word) => /^[0-9a-f]{40}$/i.test(word))) return { sha1: what };
  if (what.length === 1) return { file: what[0] };
  throw new OpsError('usage', 'script exists takes one file, or SHA1s', { remedy: 'Ask for one file at a time.' });
}
