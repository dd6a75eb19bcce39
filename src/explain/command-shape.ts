/** How the work of a command grows: with nothing, with its arguments, with the elements of its keys, with the keyspace. */
import { toBuffer } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import { commandName, wordOf } from '../catalog/lookup.ts';

/** Which elements of a key a command touches. */
export type Range =
  /** All of them. */
  | { readonly all: true }
  /** Index `from` to `to` (arguments), negative from the end; `LIMIT` does not occur. */
  | { readonly from: number; readonly to: number }
  /** At most the count that stands at this argument; 1 when it is left out. */
  | { readonly count: number }
  /** All of them, or the count after LIMIT. */
  | { readonly limit: true }
  /** What is left when index `from` to `to` stays. */
  | { readonly outside: { readonly from: number; readonly to: number } }
  /** Those between the index at this argument and the nearer end. */
  | { readonly index: number };

/** How the elements of several keys count. */
export type Across =
  /** Each of them is looked at: unions, copies. */
  | 'sum'
  /** Those of the smallest are looked up in every key: intersections. */
  | 'least'
  /** Those of the first are looked up in every other, or all are gone through: whichever is less work. */
  | 'difference';

/** The shape of a command's work. */
export type Shape =
  | { readonly shape: 'one' }
  /** Priced by what its keys free. */
  | { readonly shape: 'deletes' }
  /** One element for every `step` arguments from `from` on; `replies`: with the values of its keys. */
  | { readonly shape: 'per_argument'; readonly from: number; readonly step: number; readonly replies?: boolean }
  | {
      readonly shape: 'elements';
      readonly range: Range;
      readonly replies: boolean;
      readonly across: Across;
      /** How many are touched depends on the data: so many at most. */
      readonly atMost: boolean;
    }
  /** Visits the whole keyspace, or `reads` keys of it. */
  | { readonly shape: 'keyspace'; readonly micros: 'scan' | 'keys'; readonly reads?: number }
  /** Frees the keyspace; `asynchronous` is undefined where the server's setting decides. */
  | { readonly shape: 'flush'; readonly asynchronous: boolean | undefined };

/** The shape of this command; `one` for what does constant or logarithmic work, and for scripts, whose work is not known. */
export function shapeOf(argv: Argv): Shape {
  const name = commandName(argv);
  if (name === 'scan') return { shape: 'keyspace', micros: 'scan', reads: numberAfter(argv, 'count') ?? 10 };
  if (name === 'flushall' || name === 'flushdb') return { shape: 'flush', asynchronous: flushMode(argv) };
  if (name === 'zrangestore' && hasWord(argv, ['byscore', 'bylex'])) return { ...limited, replies: false };
  if (name === 'zrange' && hasWord(argv, ['byscore', 'bylex'])) return limited;
  if (name === 'xrange' || name === 'xrevrange') return entries(argv);
  if (name === 'xread' || name === 'xreadgroup') return following(argv);
  const fixed = shapes.get(name);
  return fixed ?? { shape: 'one' };
}

/** How many of `all` elements the range touches. */
export function elementsRead(range: Range, argv: Argv, all: number): number {
  if ('all' in range) return all;
  if ('limit' in range) return Math.min(all, limitOf(argv) ?? all);
  if ('count' in range) return counted(integerAt(argv, range.count) ?? 1, all);
  if ('index' in range) return toIndex(integerAt(argv, range.index), all);
  if ('outside' in range) return all - between(range.outside, argv, all);
  return between(range, argv, all);
}

/** A negative count of SRANDMEMBER and its like gives elements more than once. */
function counted(count: number, all: number): number {
  return all === 0 ? 0 : count < 0 ? -count : Math.min(all, count);
}

/** LINDEX goes from the nearer end; an index outside is seen at once. */
function toIndex(index: number | undefined, all: number): number {
  if (index === undefined) return Math.ceil(all / 2);
  const from = index < 0 ? all + index : index;
  return from < 0 || from >= all ? 0 : Math.min(from + 1, all - from);
}

function between(range: { readonly from: number; readonly to: number }, argv: Argv, all: number): number {
  const from = integerAt(argv, range.from);
  const to = integerAt(argv, range.to);
  if (from === undefined || to === undefined) return all;
  const first = Math.max(0, from < 0 ? all + from : from);
  const last = Math.min(all - 1, to < 0 ? all + to : to);
  return Math.max(0, last - first + 1);
}

/** XRANGE key start end [COUNT n]: all from - to +, else so many at most. */
function entries(argv: Argv): Shape {
  const words = [wordOf(argv[2]), wordOf(argv[3])];
  return words.includes('-') && words.includes('+') ? { ...limited, atMost: false } : limited;
}

/** XREAD [COUNT n] [BLOCK ms] STREAMS key ... id ...: all entries of each at most, or so many. */
function following(argv: Argv): Shape {
  const at = argv.findIndex((argument) => wordOf(argument) === 'count' || wordOf(argument) === 'streams');
  return at > 0 && wordOf(argv[at]) === 'count' ? { ...limited, range: { count: at + 1 } } : limited;
}

/** The count of `LIMIT offset count`; skipped elements are walked over too. A negative count is all. */
function limitOf(argv: Argv): number | undefined {
  const at = argv.findIndex((argument, index) => index > 1 && wordOf(argument) === 'limit');
  if (at < 0) return numberAfter(argv, 'count');
  const offset = integerAt(argv, at + 1);
  const count = integerAt(argv, at + 2);
  return offset === undefined || count === undefined || count < 0 ? undefined : Math.max(0, offset) + count;
}

function integerAt(argv: Argv, index: number): number | undefined {
  const argument = argv[index];
  if (argument === undefined) return undefined;
  const value = Number(toBuffer(argument).toString('latin1'));
  return Number.isSafeInteger(value) ? value : undefined;
}

function numberAfter(argv: Argv, word: string): number | undefined {
  const at = argv.findIndex((argument, index) => index > 1 && wordOf(argument) === word);
  const value = at < 0 ? undefined : integerAt(argv, at + 1);
  return value === undefined || value < 1 ? undefined : value;
}

function hasWord(argv: Argv, words: readonly string[]): boolean {
  return argv.some((argument, index) => index > 1 && words.includes(wordOf(argument)));
}

function flushMode(argv: Argv): boolean | undefined {
  const mode = wordOf(argv[1]);
  return mode === 'async' ? true : mode === 'sync' ? false : undefined;
}

const all: Range = { all: true };
const limited = elements({ limit: true }, { replies: true, atMost: true });
const whole = elements(all, { replies: true });
const upToAll = elements(all, { atMost: true });
const popped = elements({ count: 2 }, { replies: true });
const indexed = elements({ from: 2, to: 3 }, { replies: true });

function elements(
  range: Range,
  more: { readonly replies?: boolean; readonly across?: Across; readonly atMost?: boolean } = {},
): Extract<Shape, { shape: 'elements' }> {
  return { shape: 'elements', range, replies: false, across: 'sum', atMost: false, ...more };
}

const shapes: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ...named('del unlink', { shape: 'deletes' }),
  ...named('exists touch', { shape: 'per_argument', from: 1, step: 1 }),
  ...named('mget', { shape: 'per_argument', from: 1, step: 1, replies: true }),
  ...named('mset msetnx', { shape: 'per_argument', from: 1, step: 2 }),
  ...named('hset hmset', { shape: 'per_argument', from: 2, step: 2 }),
  ...named('zadd', { shape: 'per_argument', from: 2, step: 2 }),
  ...named('sadd srem smismember hdel hmget lpush rpush lpushx rpushx zrem zmscore pfadd xdel', {
    shape: 'per_argument',
    from: 2,
    step: 1,
  }),
  ...named('hgetall hkeys hvals smembers', whole),
  ...named('zrangebyscore zrevrangebyscore zrangebylex zrevrangebylex', limited),
  ...named('lrange zrange zrevrange', indexed),
  ...named('ltrim', elements({ outside: { from: 2, to: 3 } })),
  ...named('zremrangebyrank', elements({ from: 2, to: 3 })),
  ...named('zremrangebyscore zremrangebylex', upToAll),
  ...named('lpop rpop spop zpopmin zpopmax', popped),
  ...named('srandmember hrandfield zrandmember', popped),
  ...named('sunion zunion', whole),
  ...named('sunionstore zunionstore', elements(all)),
  ...named('sinter zinter', elements(all, { across: 'least', replies: true, atMost: true })),
  ...named('sinterstore zinterstore sintercard zintercard', elements(all, { across: 'least', atMost: true })),
  ...named('sdiff zdiff', elements(all, { across: 'difference', replies: true, atMost: true })),
  ...named('sdiffstore zdiffstore', elements(all, { across: 'difference', atMost: true })),
  ...named('zrangestore', elements({ from: 3, to: 4 })),
  ...named('sort sort_ro dump', whole),
  ...named('copy', elements(all)),
  ...named('lpos lrem linsert', upToAll),
  ...named('lindex lset', elements({ index: 2 })),
  ...named('xtrim', upToAll),
  ...named('keys', { shape: 'keyspace', micros: 'keys' }),
]);

function named(names: string, shape: Shape): [string, Shape][] {
  return names.split(' ').map((name) => [name, shape]);
}
