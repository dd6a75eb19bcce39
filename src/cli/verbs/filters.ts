/** The options that select among the keys that match, for `batch`, `keys find`, `keys delete` and `keys touch`. */
import type { Command } from 'commander';
import { OpsError } from '../../base/ops-error.ts';
import { defined, wholeOrZero } from '../options.ts';

/** What the options give. */
export interface FilterOptions {
  readonly withoutTtl?: boolean;
  readonly withTtl?: boolean;
  readonly ttlAbove?: string;
  readonly ttlBelow?: string;
  readonly sizeAbove?: number;
  readonly sizeBelow?: number;
  readonly bytesAbove?: number;
  readonly bytesBelow?: number;
}

/** Adds the options. */
export function withFilters(command: Command): Command {
  return command
    .option('--without-ttl', 'only keys without a time to live')
    .option('--with-ttl', 'only keys with a time to live')
    .option('--ttl-above <duration>', 'only keys with at least this much time left: 7d')
    .option('--ttl-below <duration>', 'only keys with at most this much time left: 1h')
    .option('--size-above <n>', 'only keys of at least n elements (a string: bytes)', wholeOrZero)
    .option('--size-below <n>', 'only keys of at most n elements (a string: bytes)', wholeOrZero)
    .option('--bytes-above <n>', 'only keys that take at least n bytes of memory', wholeOrZero)
    .option('--bytes-below <n>', 'only keys that take at most n bytes of memory', wholeOrZero);
}

/** The members of a request. Throws OpsError usage where two options contradict each other. */
export function filterMembers(options: FilterOptions): Record<string, unknown> {
  const { withoutTtl, withTtl, ttlAbove, ttlBelow, sizeAbove, sizeBelow, bytesAbove, bytesBelow } = options;
  const bounded = ttlAbove !== undefined || ttlBelow !== undefined;
  if (withoutTtl && (withTtl || bounded))
    throw new OpsError('usage', '--without-ttl contradicts the options that ask for a time to live', {
      remedy: 'Give one of them.',
    });
  const ttl = withoutTtl ? 'none' : bounded ? defined({ min: ttlAbove, max: ttlBelow }) : withTtl ? 'any' : undefined;
  return defined({ ttl, size: range(sizeAbove, sizeBelow), bytes: range(bytesAbove, bytesBelow) });
}

function range(min: number | undefined, max: number | undefined): Record<string, unknown> | undefined {
  return min === undefined && max === undefined ? undefined : defined({ min, max });
}
