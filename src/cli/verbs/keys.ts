/** redops keys: find, inspect, rename, copy, delete, touch. */
import { type Command, Option } from 'commander';
import { OpsError } from '../../base/ops-error.ts';
import type { Finish, Io } from '../io.ts';
import { defined, type RequestOptions, type RunOptions, requestMembers, whole, withRequest } from '../options.ts';
import { type FilterOptions, filterMembers, withFilters } from './filters.ts';
import { eitherKeysOrMatch, runRequest } from './request.ts';

type Options = RunOptions &
  RequestOptions &
  FilterOptions & {
    match?: string;
    keysFile?: string;
    type?: string;
    limit?: number;
    replace?: boolean;
    export?: string;
    format?: string;
  };

/** Adds the verb. */
export function addKeys(program: Command, io: Io, finish: Finish): void {
  const keys = program.command('keys').description('find, inspect, rename, copy, delete, touch keys');
  const act = (action: string, members: Readonly<Record<string, unknown>>, options: Options): Promise<void> =>
    runRequest(io, finish, options, {
      operation_type: 'key_management',
      action,
      ...requestMembers(options),
      ...defined(members),
    });
  withFilters(withRequest(keys.command('find <pattern>').description('list keys by a glob pattern, with SCAN')))
    .option('--type <type>', 'string, list, set, zset, hash or stream')
    .option('--limit <n>', 'stop after this many keys (default 1000; none with --export)', whole)
    .option('--export <file>', 'write the keys with their values and deadlines to a file')
    .addOption(new Option('--format <format>', 'of the export (default resp)').choices(['resp', 'jsonl']))
    .action((match: string, options: Options) => {
      const exported = exportOf(options);
      const members = { match, type: options.type, limit: options.limit, export: exported };
      return act('find', { ...members, ...filterMembers(options) }, options);
    });
  withRequest(keys.command('inspect <keys...>').description('type, encoding, size, memory, time to live')).action(
    (names: string[], options: Options) => act('inspect', { keys: names }, options),
  );
  for (const action of ['rename', 'copy'] as const)
    withRequest(keys.command(`${action} <key> <new-key>`).description(`${action} one key`))
      .option('--replace', 'overwrite a key that has the new name')
      .action((from: string, to: string, options: Options) =>
        act(action, { keys: [from], to, replace: options.replace }, options),
      );
  for (const [action, what] of [
    ['delete', 'delete keys with UNLINK'],
    ['touch', 'refresh the idle time of keys'],
  ] as const)
    withFilters(
      withRequest(
        keys.command(`${action} [keys...]`).description(`${what}: by name, all that match, or those of a file`),
      ),
    )
      .option('--match <pattern>', 'every key that matches this glob pattern')
      .option('--keys-file <file>', 'every key of this file, one a line')
      .option('--type <type>', 'with --match or --keys-file: only keys of this type')
      .action((names: string[], options: Options) =>
        act(action, { ...eitherKeysOrMatch(names, options), ...filterMembers(options) }, options),
      );
}

function exportOf({ export: file, format }: Options): Record<string, unknown> | undefined {
  if (file !== undefined) return defined({ file, format });
  if (format === undefined) return undefined;
  throw new OpsError('usage', '--format is of an export', { remedy: 'Give --export FILE, or remove --format.' });
}
