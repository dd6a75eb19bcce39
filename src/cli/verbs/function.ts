/** redops function: load, list, call, delete, dump, restore, flush, kill functions, and their stats. */
import { type Command, Option } from 'commander';
import type { Finish, Io } from '../io.ts';
import { defined, type RequestOptions, type RunOptions, requestMembers, withRequest } from '../options.ts';
import { runRequest } from './request.ts';

type Options = RunOptions &
  RequestOptions & {
    keys?: string[];
    args?: string[];
    readOnly?: true;
    replace?: true;
    code?: true;
    policy?: string;
    mode?: string;
  };

/** Adds the verb. */
export function addFunction(program: Command, io: Io, finish: Finish): void {
  const verb = program.command('function').description('libraries of functions, which servers from 7.0 on keep');
  const act = (action: string, members: Readonly<Record<string, unknown>>, options: Options): Promise<void> => {
    const stdin = members.file === '-' ? () => io.readStdin() : undefined;
    const request = { operation_type: 'lua_script', action, ...requestMembers(options), ...defined(members) };
    return runRequest(io, finish, options, request, stdin);
  };
  withRequest(verb.command('load <file>').description('load a library'))
    .option('--replace', 'in place of the library of that name')
    .action((file: string, options: Options) => act('function_load', { file, replace: options.replace }, options));
  withRequest(verb.command('list [pattern]').description('list the libraries with their functions'))
    .option('--code', 'with their text')
    .action((match: string | undefined, options: Options) =>
      act('function_list', { match, code: options.code }, options),
    );
  withRequest(
    verb.command('call <function>').description('call a function: FCALL, or FCALL_RO where it writes nothing'),
  )
    .option('--keys <keys...>', 'the keys')
    .option('--args <args...>', 'the arguments')
    .option('--read-only', 'FCALL_RO, whatever the flags of the function')
    .action((name: string, options: Options) => {
      const { keys, args, readOnly } = options;
      return act('call', { function: name, keys, args, read_only: readOnly }, options);
    });
  withRequest(verb.command('delete <library>').description('delete a library and its functions')).action(
    (library: string, options: Options) => act('function_delete', { library }, options),
  );
  withRequest(verb.command('dump <file>').description('write all libraries to a new file')).action(
    (save_to: string, options: Options) => act('function_dump', { save_to }, options),
  );
  withRequest(verb.command('restore <file>').description('load the libraries of a dump'))
    .addOption(new Option('--policy <policy>', 'what becomes of those that are there').choices(policies))
    .action((file: string, options: Options) => act('function_restore', { file, policy: options.policy }, options));
  withRequest(verb.command('flush').description('delete all libraries, for every client'))
    .addOption(new Option('--mode <mode>', 'how').choices(['async', 'sync']))
    .action((options: Options) => act('function_flush', { mode: options.mode }, options));
  withRequest(verb.command('kill').description("end the function that is running, whoever's it is")).action(
    (options: Options) => act('function_kill', {}, options),
  );
  withRequest(verb.command('stats').description('ask which function is running, and how many there are')).action(
    (options: Options) => act('function_stats', {}, options),
  );
}

const policies = ['append', 'replace', 'flush'];
