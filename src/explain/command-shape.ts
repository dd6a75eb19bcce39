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
  | { readonly outside: { readonly from: number; readonly to: number } };

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
      readonly work: 'read' | 'algebra' | 'copy' | 'step' | 'remove';
      readonly replies: boolean;
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
  if (name === 'zrange' && hasWord(argv, ['byscore', 'bylex'])) return limited;
  if (name === 'xrange' || name === 'xrevrange') return entries(argv);
  const fixed = shapes.get(name);
  return fixed ?? { shape: 'one' };
}

/** How many of `all` elements the range touches. */
export function elementsRead(range: Range, argv: Argv, all: number): number {
  if ('all' in range) return all;
  if ('limit' in range) return Math.min(all, limitOf(argv) ?? all);
  if ('count' in range) return Math.min(all, Math.abs(integerAt(argv, range.count) ?? 1));
  if ('outside' in range) return all - between(range.outside, argv, all);
  return between(range, argv, all);
}

function between(range: { readonly from: number; readonly to: number }, argv: Argv, all: number): number {
  const from = integerAt(argv, range.from);
  const to = integerAt(argv, range.to);
  if (from === undefined || to === undefined) return all;
  const first = Math.max(0, from < 0 ? all + from : from);
  const last = Math.min(all - 1, to < 0 ? all + to : to);
  return Math.max(0, last - first + 1);
}

/** The count of `LIMIT offset count`; skipped elements are walked over too. A negative count is all. */
function limitOf(argv: Argv): number | undefined {
  const at = argv.findIndex((argument, index) => index > 1 && wordOf(argument) === 'limit');
  const offset = at < 0 ? undefined : integerAt(argv, at + 1);
  const count = at < 0 ? undefined : integerAt(argv, at + 2);
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

/** All entries of a stream, or at most as many as COUNT says. */
function entries(argv: Argv): Shape {
  const at = argv.findIndex((argument, index) => index > 3 && wordOf(argument) === 'count');
  return at < 0 ? whole : { shape: 'elements', range: { count: at + 1 }, work: 'read', replies: true };
}

function hasWord(argv: Argv, words: readonly string[]): boolean {
  return argv.some((argument, index) => index > 1 && words.includes(wordOf(argument)));
}

function flushMode(argv: Argv): boolean | undefined {
  const mode = wordOf(argv[1]);
  return mode === 'async' ? true : mode === 'sync' ? false : undefined;
}

const limited: Shape = { shape: 'elements', range: { limit: true }, work: 'read', replies: true };
const whole: Shape = { shape: 'elements', range: { all: true }, work: 'read', replies: true };
const algebra: Shape = { shape: 'elements', range: { all: true }, work: 'algebra', replies: true };
const store: Shape = { shape: 'elements', range: { all: true }, work: 'algebra', replies: false };
const copy: Shape = { shape: 'elements', range: { all: true }, work: 'copy', replies: false };
const step: Shape = { shape: 'elements', range: { all: true }, work: 'step', replies: false };
const popped: Shape = { shape: 'elements', range: { count: 2 }, work: 'remove', replies: true };
const indexed: Shape = { shape: 'elements', range: { from: 2, to: 3 }, work: 'read', replies: true };
const removed: Shape = { shape: 'elements', range: { all: true }, work: 'remove', replies: false };

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
  ...named('ltrim', { shape: 'elements', range: { outside: { from: 2, to: 3 } }, work: 'remove', replies: false }),
  ...named('zremrangebyrank', { shape: 'elements', range: { from: 2, to: 3 }, work: 'remove', replies: false }),
  ...named('zremrangebyscore zremrangebylex', removed),
  ...named('lpop rpop spop zpopmin zpopmax', popped),
  ...named('srandmember hrandfield zrandmember', {
    shape: 'elements',
    range: { count: 2 },
    work: 'read',
    replies: true,
  }),
  ...named('sunion sinter sdiff zunion zinter zdiff sintercard zintercard', algebra),
  ...named('sunionstore sinterstore sdiffstore zunionstore zinterstore zdiffstore zrangestore', store),
  ...named('sort sort_ro', { shape: 'elements', range: { all: true }, work: 'copy', replies: true }),
  ...named('dump', { shape: 'elements', range: { all: true }, work: 'read', replies: true }),
  ...named('copy', copy),
  ...named('lpos lrem linsert lindex lset', step),
  ...named('keys', { shape: 'keyspace', micros: 'keys' }),
]);

function named(names: string, shape: Shape): [string, Shape][] {
  return names.split(' ').map((name) => [name, shape]);
}
