/** redops ttl: set, persist, get, audit. */
import { type Command, Option } from 'commander';
import type { Finish, Io } from '../io.ts';
import { defined, type RequestOptions, type RunOptions, requestMembers, withRequest } from '../options.ts';
import { type ExpiryOptions, expiryMembers, withExpiry } from './expiry.ts';
import { eitherKeysOrMatch, runRequest } from './request.ts';

type Options = RunOptions & RequestOptions & ExpiryOptions & { match?: string; keysFile?: string; type?: string };

/** Adds the verb. */
export function addTtl(program: Command, io: Io, finish: Finish): void {
  const ttl = program.command('ttl').description('set, remove, read and audit expiration');
  const act = (action: string, members: Readonly<Record<string, unknown>>, options: Options): Promise<void> =>
    runRequest(io, finish, options, {
      operation_type: 'expiration',
      action,
      ...requestMembers(options),
      ...defined(members),
    });
  const match = new Option('--match <pattern>', 'every key that matches this glob pattern');
  const file = new Option('--keys-file <file>', 'every key of this file, one a line');
  const type = new Option('--type <type>', 'with --match or --keys-file: only keys of this type');
  withExpiry(withRequest(ttl.command('set [keys...]').description('give keys a time to live')))
    .addOption(match)
    .addOption(file)
    .addOption(type)
    .action((keys: string[], options: Options) =>
      act('set', { ...eitherKeysOrMatch(keys, options), ...expiryMembers(options) }, options),
    );
  withRequest(ttl.command('persist [keys...]').description('remove the time to live'))
    .addOption(match)
    .addOption(file)
    .addOption(type)
    .action((keys: string[], options: Options) => act('persist', eitherKeysOrMatch(keys, options), options));
  withRequest(ttl.command('get <keys...>').description('read the time to live')).action(
    (keys: string[], options: Options) => act('get', { keys }, options),
  );
  withRequest(ttl.command('audit [pattern]').description('count keys with and without TTL, by prefix'))
    .addOption(new Option('--type <type>', 'only keys of this type'))
    .action((pattern: string | undefined, options: Options) =>
      act('audit', { match: pattern, type: options.type }, options),
    );
}
