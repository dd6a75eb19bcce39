/** redops keys: find, inspect, rename, copy, delete, touch. */
import type { Command } from 'commander';
import type { Finish, Io } from '../io.ts';
import { defined, type RequestOptions, type RunOptions, requestMembers, whole, withRequest } from '../options.ts';
import { eitherKeysOrMatch, runRequest } from './request.ts';

type Options = RunOptions & RequestOptions & { match?: string; type?: string; limit?: number; replace?: boolean };

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
  withRequest(keys.command('find <pattern>').description('list keys by a glob pattern, with SCAN'))
    .option('--type <type>', 'string, list, set, zset, hash or stream')
    .option('--limit <n>', 'stop after this many keys (default 1000)', whole)
    .action((match: string, options: Options) =>
      act('find', { match, type: options.type, limit: options.limit }, options),
    );
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
    withRequest(keys.command(`${action} [keys...]`).description(`${what}: by name, or all that match`))
      .option('--match <pattern>', 'every key that matches this glob pattern')
      .option('--type <type>', 'with --match: only keys of this type')
      .action((names: string[], options: Options) => act(action, eitherKeysOrMatch(names, options), options));
}
