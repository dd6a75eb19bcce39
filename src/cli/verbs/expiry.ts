/** The options that say when keys expire, for `ttl set` and `batch expire`. */
import { type Command, Option } from 'commander';
import { OpsError } from '../../base/ops-error.ts';
import { defined } from '../options.ts';
import { instant } from './request.ts';

/** What the options give. */
export interface ExpiryOptions {
  readonly ttl?: string;
  readonly at?: string;
  readonly strategy?: string;
  readonly jitter?: string;
  readonly condition?: string;
  readonly onlyWithoutTtl?: boolean;
}

const strategies = ['session', 'cache_hot', 'cache_warm', 'cache_cold', 'rate_limit', 'lock'];

/** Adds the options. */
export function withExpiry(command: Command): Command {
  return command
    .option('--ttl <duration>', 'time to live: 30m, 24h, 7d, or a number of seconds')
    .option('--at <instant>', 'deadline: 2030-01-01T00:00:00Z, or Unix seconds')
    .addOption(new Option('--strategy <name>', 'a TTL by the kind of data').choices(strategies))
    .option('--jitter <amount>', 'spread: up to 10% of the TTL, or a duration, is added')
    .addOption(new Option('--condition <when>', 'as EXPIRE').choices(['nx', 'xx', 'gt', 'lt']))
    .option('--only-without-ttl', 'the same as --condition nx');
}

/** The members of a request. Throws OpsError usage where two options contradict each other. */
export function expiryMembers(options: ExpiryOptions): Record<string, unknown> {
  const { ttl, at, strategy, jitter, condition, onlyWithoutTtl } = options;
  if (onlyWithoutTtl && condition !== undefined && condition !== 'nx')
    throw new OpsError('usage', `--only-without-ttl and --condition ${condition} contradict each other`, {
      remedy: 'Give one of them.',
    });
  return defined({
    ttl,
    at: at === undefined ? undefined : instant(at),
    strategy,
    jitter,
    condition: onlyWithoutTtl ? 'nx' : condition,
  });
}
