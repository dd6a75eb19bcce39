/** redops batch: unlink, expire, persist, touch every key that is selected. */
import type { Command } from 'commander';
import type { Finish, Io } from '../io.ts';
import { type RequestOptions, type RunOptions, requestMembers, withRequest } from '../options.ts';
import { type ExpiryOptions, expiryMembers, withExpiry } from './expiry.ts';
import { type FilterOptions, filterMembers, withFilters } from './filters.ts';
import { eitherKeysOrMatch, runRequest } from './request.ts';

type Options = RunOptions &
  RequestOptions &
  ExpiryOptions &
  FilterOptions & { match?: string; keysFile?: string; type?: string; verify?: boolean };

/** Adds the verb. */
export function addBatch(program: Command, io: Io, finish: Finish): void {
  const batch = program.command('batch').description('unlink, expire, persist or touch every key that is selected');
  const job = (name: string, what: string): Command =>
    withFilters(
      withRequest(batch.command(name).description(what))
        .option('--match <pattern>', 'every key that matches this glob pattern')
        .option('--keys-file <file>', 'every key of this file, one a line')
        .option('--type <type>', 'only keys of this type')
        .option('--verify', 'walk them once more at the end, for what is left'),
    );
  const act = (options: Options, action: Readonly<Record<string, unknown>>): Promise<void> =>
    runRequest(io, finish, options, {
      operation_type: 'batch',
      ...requestMembers(options),
      select: { ...eitherKeysOrMatch([], options), ...filterMembers(options) },
      ...(options.verify ? { verify: true } : {}),
      do: action,
    });
  job('unlink', 'delete them with UNLINK').action((options: Options) => act(options, { action: 'unlink' }));
  withExpiry(job('expire', 'give them a time to live')).action((options: Options) =>
    act(options, { action: 'expire', ...expiryMembers(options) }),
  );
  job('persist', 'remove their time to live').action((options: Options) => act(options, { action: 'persist' }));
  job('touch', 'refresh their idle time').action((options: Options) => act(options, { action: 'touch' }));
}
