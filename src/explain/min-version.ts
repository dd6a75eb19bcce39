/**
 * The oldest servers that a plan runs on, for each engine, because they part ways after 7.2: a command of Redis 7.4 may
 * have come to Valkey in 9.0 or never.
 */
import type { Argv, CommandInfo } from '../catalog/command.ts';
import { findCommand, wordOf } from '../catalog/lookup.ts';

/** Versions as "7.0"; "none" where no version of that engine is known to have a command of the plan. */
export interface MinVersion {
  readonly redis: string;
  readonly valkey: string;
}

/** What redops itself needs. */
const floor: MinVersion = { redis: '6.0', valkey: '7.2' };

/** The oldest versions that have every one of these commands with its options. */
export function minVersion(argvs: readonly Argv[]): MinVersion {
  let least = floor;
  for (const info of new Set(argvs.map((argv) => findCommand(argv)))) least = later(least, commandVersion(info));
  for (const argv of argvs) {
    const name = wordOf(argv[0]);
    for (const option of optionVersions)
      if (option.names.includes(name) && hasOption(argv, option)) least = later(least, option);
  }
  return least;
}

/**
 * From the table: `since` is a version of both up to 7.2, where they parted; above, it is that of Redis, and what Valkey
 * has of it is known from servers that were seen; what no Redis was seen to have is Valkey's own, and so is its `since`.
 */
function commandVersion(info: CommandInfo | undefined): MinVersion {
  if (info === undefined || info.since === '') return floor;
  const since = short(info.since);
  if (info.notRun !== undefined)
    return { redis: short(info.notRun.redis ?? 'none'), valkey: short(info.notRun.valkey ?? 'none') };
  if (compare(since, '7.2') <= 0) return { redis: since, valkey: since };
  if (!isSeenOn(info, 'redis')) return { redis: 'none', valkey: since };
  return { redis: since, valkey: fieldTtls.has(info.name) ? '9.0' : (oldestSeen(info, 'valkey') ?? 'none') };
}

// Valkey 9.0's release notes; the table was made from 8.1 and 9.1 and cannot tell
const fieldTtls: ReadonlySet<string> = new Set(
  'hexpire hpexpire hexpireat hpexpireat hexpiretime hpexpiretime httl hpttl hpersist hgetex hsetex'.split(' '),
);

function isSeenOn(info: CommandInfo, engine: 'redis' | 'valkey'): boolean {
  return info.seenOn.some((server) => server.startsWith(`${engine} `));
}

function oldestSeen(info: CommandInfo, engine: 'redis' | 'valkey'): string | undefined {
  const versions = info.seenOn
    .filter((server) => server.startsWith(`${engine} `))
    .map((server) => server.split(' ')[1]!);
  const [oldest] = versions.sort(compare);
  return oldest === undefined ? undefined : short(oldest);
}

interface OptionVersion extends MinVersion {
  readonly names: readonly string[];
  /** Option words; empty: the mere presence of an argument at `from`. */
  readonly words: readonly string[];
  readonly from: number;
}

// Redis's release notes: options that came later than their command (history in COMMAND DOCS, which the table leaves out)
const optionVersions: readonly OptionVersion[] = [
  option('expire pexpire expireat pexpireat', 3, 'nx xx gt lt', '7.0'),
  option('set', 3, 'exat pxat get', '6.2'),
  option('set', 3, 'ifeq', '8.4', '8.1'),
  option('set', 3, 'ifne ifdeq ifdne', '8.4', 'none'),
  option('xtrim', 2, 'keepref delref acked', '8.2', 'none'),
  option('zadd', 2, 'gt lt', '6.2'),
  option('zrange', 4, 'byscore bylex rev limit', '6.2'),
  option('lpop rpop', 2, '', '6.2'),
  option('xadd', 2, 'nomkstream minid limit', '6.2'),
  option('xtrim', 2, 'minid limit', '6.2'),
  option('flushall flushdb', 1, 'sync', '6.2'),
  option('script', 2, 'async sync', '6.2'),
  option('geoadd', 2, 'nx xx ch', '6.2'),
  option('bitcount bitpos', 4, 'bit byte', '7.0'),
];

function option(names: string, from: number, words: string, redis: string, valkey = '7.2'): OptionVersion {
  return { names: names.split(' '), from, words: words === '' ? [] : words.split(' '), redis, valkey };
}

function hasOption(argv: Argv, { words, from }: OptionVersion): boolean {
  if (words.length === 0) return argv.length > from;
  return argv.some((argument, index) => index >= from && words.includes(wordOf(argument)));
}

function later(a: MinVersion, b: MinVersion): MinVersion {
  return { redis: laterOf(a.redis, b.redis), valkey: laterOf(a.valkey, b.valkey) };
}

function laterOf(a: string, b: string): string {
  if (a === 'none' || b === 'none') return 'none';
  return compare(a, b) >= 0 ? a : b;
}

function compare(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < 3; i += 1) if ((left[i] ?? 0) !== (right[i] ?? 0)) return (left[i] ?? 0) - (right[i] ?? 0);
  return 0;
}

function parts(version: string): number[] {
  return version.split('.').map((part) => Number.parseInt(part, 10) || 0);
}

/** "7.0" of "7.0.15": features come with minor versions. */
function short(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}
