/**
 * What is measured: one command on keys of a known size. A curve is named for its command; what a unit of it is stands
 * with the probe, and is what the price of a command counts too (explain/command-cost.ts).
 */
import { adding, fieldValue, type Kind, memberOf, namesOf, setting } from './material.ts';

/** Where a probe works: the key under test, a second one like it, a name to write to; elements of the key; units asked for. */
export interface Site {
  readonly key: string;
  readonly other: string;
  readonly out: string;
  readonly elements: number;
  readonly units: number;
}

/** One command to measure. */
export interface Probe {
  readonly curve: string;
  readonly kind: Kind;
  /**
   * What a unit is. element: an element of the keys it works on, all of them; argument: an item in the command, on a key of
   * `argumentKey` elements; window: an element among those of a key that is larger; size: an element of the key, of which
   * the command touches one.
   */
  readonly unit: 'element' | 'argument' | 'window' | 'size';
  readonly command: Command;
  /** What is sent before each call instead, and is not measured. */
  readonly preparing?: Command;
  /** Units for each element of the key, where it is not one: two keys are read, or half of one is walked over. */
  readonly share?: number;
  /** What is made anew before each call: the key, from its copy or, under a name for each call, as it was built; or the name to write to, which must not exist. */
  readonly before?: 'copy' | 'gone' | 'built';
}

/** The command for a place; `call` counts the calls, so that no two need look at the same spot. */
export type Command = (site: Site, call: number) => string[];

/** Commands by the name of their curve, and what goes for all of a group. */
interface Groups {
  readonly element?: Commands;
  /** On two keys of the same size. */
  readonly pairs?: Commands;
  /** On two keys of the same size, into a new one. */
  readonly stored?: Commands;
  /** Takes a whole key away, which `out` is a copy of. */
  readonly copied?: Commands;
  /** Takes a whole key away that was built as the key was: a copy lies in memory as it is read, and is freed faster. */
  readonly built?: Commands;
  /** Writes a whole key to `out`. */
  readonly gone?: Commands;
  readonly size?: Commands;
  /** Walks to the middle of the key. */
  readonly halves?: Commands;
  readonly argument?: Commands;
  /** Puts items into `out`, which does not exist. */
  readonly filling?: Commands;
  /** Takes items from `out`, a copy of the key. */
  readonly removing?: Commands;
  readonly window?: Commands;
  /** Takes keys away, which are set again before. */
  readonly again?: Commands;
}

type Commands = Readonly<Record<string, Command>>;

const terms: Readonly<Record<keyof Groups, Pick<Probe, 'unit' | 'before' | 'preparing' | 'share'>>> = {
  element: { unit: 'element' },
  pairs: { unit: 'element', share: 2 },
  stored: { unit: 'element', share: 2, before: 'gone' },
  gone: { unit: 'element', before: 'gone' },
  copied: { unit: 'element', before: 'copy' },
  built: { unit: 'element', before: 'built' },
  size: { unit: 'size' },
  halves: { unit: 'element', share: 0.5 },
  argument: { unit: 'argument' },
  filling: { unit: 'argument', before: 'gone' },
  removing: { unit: 'argument', before: 'copy' },
  window: { unit: 'window' },
  again: { unit: 'argument', preparing: ({ key, units }) => setting(key, units) },
};

/** Everything that is measured on one kind of key. */
export function probesOf(kind: Kind): readonly Probe[] {
  const groups = commands[kind];
  return (Object.keys(groups) as (keyof Groups)[]).flatMap((group) =>
    Object.entries(groups[group] ?? {}).map(([curve, command]) => ({ curve, kind, command, ...terms[group] })),
  );
}

const members = (count: number): string[] => Array.from({ length: count }, (_, at) => memberOf(at));
/** Spread over the key, so that no two lie side by side in memory. */
const scattered = ({ elements, units }: Site): string[] =>
  Array.from({ length: units }, (_, at) => memberOf((at * 7919 + 13) % elements));
const anywhere = ({ elements }: Site, call: number): string => memberOf((call * 7919) % elements);
/** Any number is a cursor: its low bits say where. */
const cursor = (call: number): string => String((call * 7919) % 65_536);
/** First and last index of a window that is elsewhere at every call. */
const between = ({ elements, units }: Site, call: number): string[] => {
  const from = (call * 7919) % (elements - units + 1);
  return [String(from), String(from + units - 1)];
};

const built: Commands = { del: ({ out }, call) => ['DEL', builtName(out, call)] };

/** The keys that a round takes away one by one. */
export function builtName(out: string, call: number): string {
  return `${out}:${call}`;
}

const strings: Groups = {
  element: {
    get: ({ key }) => ['GET', key],
    getrange: ({ key }) => ['GETRANGE', key, '0', '-1'],
    bitcount: ({ key }) => ['BITCOUNT', key],
    dump: ({ key }) => ['DUMP', key],
    set: ({ key, units }) => ['SET', key, 'x'.repeat(units)],
    bitop: ({ key, other, out }) => ['BITOP', 'AND', out, key, other],
  },
  copied: { unlink: ({ out }) => ['UNLINK', out] },
  built,
  gone: { copy: ({ key, out }) => ['COPY', key, out] },
  size: {
    strlen: ({ key }) => ['STRLEN', key],
    expire: ({ key }) => ['EXPIRE', key, '100000'],
    pttl: ({ key }) => ['PTTL', key],
    type: ({ key }) => ['TYPE', key],
    exists: ({ key }) => ['EXISTS', key],
  },
};

const hashes: Groups = {
  element: {
    hgetall: ({ key }) => ['HGETALL', key],
    hkeys: ({ key }) => ['HKEYS', key],
    hvals: ({ key }) => ['HVALS', key],
    dump: ({ key }) => ['DUMP', key],
  },
  copied: { unlink: ({ out }) => ['UNLINK', out] },
  built,
  gone: { copy: ({ key, out }) => ['COPY', key, out] },
  size: {
    hget: (site, call) => ['HGET', site.key, anywhere(site, call)],
    hlen: ({ key }) => ['HLEN', key],
    hexists: (site, call) => ['HEXISTS', site.key, anywhere(site, call)],
  },
  argument: {
    hmget: (site) => ['HMGET', site.key, ...scattered(site)],
    hrandfield: ({ key, units }) => ['HRANDFIELD', key, String(units)],
  },
  filling: { hset: ({ out, units }) => adding('hash', out, members(units)) },
  removing: { hdel: (site) => ['HDEL', site.out, ...scattered(site)] },
  window: { hscan: ({ key, units }, call) => ['HSCAN', key, cursor(call), 'COUNT', String(units)] },
};

const sets: Groups = {
  element: {
    smembers: ({ key }) => ['SMEMBERS', key],
    dump: ({ key }) => ['DUMP', key],
    sort: ({ key }) => ['SORT', key, 'ALPHA'],
  },
  pairs: {
    sunion: ({ key, other }) => ['SUNION', key, other],
    sinter: ({ key, other }) => ['SINTER', key, other],
    sdiff: ({ key, other }) => ['SDIFF', key, other],
  },
  stored: {
    sunionstore: ({ key, other, out }) => ['SUNIONSTORE', out, key, other],
    sinterstore: ({ key, other, out }) => ['SINTERSTORE', out, key, other],
    sdiffstore: ({ key, other, out }) => ['SDIFFSTORE', out, key, other],
  },
  copied: { unlink: ({ out }) => ['UNLINK', out] },
  built,
  gone: { copy: ({ key, out }) => ['COPY', key, out] },
  size: {
    sismember: (site, call) => ['SISMEMBER', site.key, anywhere(site, call)],
    scard: ({ key }) => ['SCARD', key],
  },
  argument: {
    smismember: (site) => ['SMISMEMBER', site.key, ...scattered(site)],
    srandmember: ({ key, units }) => ['SRANDMEMBER', key, String(units)],
  },
  filling: { sadd: ({ out, units }) => adding('set', out, members(units)) },
  removing: {
    srem: (site) => ['SREM', site.out, ...scattered(site)],
    spop: ({ out, units }) => ['SPOP', out, String(units)],
  },
  window: { sscan: ({ key, units }, call) => ['SSCAN', key, cursor(call), 'COUNT', String(units)] },
};

const sortedSets: Groups = {
  element: {
    zrange: ({ key }) => ['ZRANGE', key, '0', '-1'],
    zrangebyscore: ({ key }) => ['ZRANGEBYSCORE', key, '-inf', '+inf'],
    dump: ({ key }) => ['DUMP', key],
  },
  pairs: {
    zunion: ({ key, other }) => ['ZUNION', '2', key, other],
    zinter: ({ key, other }) => ['ZINTER', '2', key, other],
    zdiff: ({ key, other }) => ['ZDIFF', '2', key, other],
  },
  stored: {
    zunionstore: ({ key, other, out }) => ['ZUNIONSTORE', out, '2', key, other],
    zinterstore: ({ key, other, out }) => ['ZINTERSTORE', out, '2', key, other],
    zdiffstore: ({ key, other, out }) => ['ZDIFFSTORE', out, '2', key, other],
  },
  built,
  copied: {
    unlink: ({ out }) => ['UNLINK', out],
    zremrangebyrank: ({ out }) => ['ZREMRANGEBYRANK', out, '0', '-1'],
  },
  size: {
    zscore: (site, call) => ['ZSCORE', site.key, anywhere(site, call)],
    zrank: (site, call) => ['ZRANK', site.key, anywhere(site, call)],
    zincrby: (site, call) => ['ZINCRBY', site.key, '500', anywhere(site, call)],
    zcount: ({ key }) => ['ZCOUNT', key, '1000000000', '3000000000'],
    zcard: ({ key }) => ['ZCARD', key],
  },
  argument: { zmscore: (site) => ['ZMSCORE', site.key, ...scattered(site)] },
  filling: { zadd: ({ out, units }) => adding('zset', out, members(units)) },
  removing: {
    zrem: (site) => ['ZREM', site.out, ...scattered(site)],
    zpopmin: ({ out, units }) => ['ZPOPMIN', out, String(units)],
  },
  window: { zscan: (site, call) => ['ZRANGE', site.key, ...between(site, call)] },
};

const lists: Groups = {
  element: {
    lrange: ({ key }) => ['LRANGE', key, '0', '-1'],
    dump: ({ key }) => ['DUMP', key],
    lpos: ({ key }) => ['LPOS', key, 'absent'],
    lrem: ({ key }) => ['LREM', key, '0', 'absent'],
    sort: ({ key }) => ['SORT', key, 'ALPHA'],
  },
  gone: { copy: ({ key, out }) => ['COPY', key, out] },
  built,
  copied: {
    unlink: ({ out }) => ['UNLINK', out],
    ltrim: ({ out }) => ['LTRIM', out, '1', '0'],
  },
  size: { llen: ({ key }) => ['LLEN', key] },
  // the middle is the farthest from both ends
  halves: { lindex: ({ key, elements }) => ['LINDEX', key, String(Math.floor(elements / 2))] },
  filling: { rpush: ({ out, units }) => adding('list', out, members(units)) },
  removing: { lpop: ({ out, units }) => ['LPOP', out, String(units)] },
  window: { lscan: (site, call) => ['LRANGE', site.key, ...between(site, call)] },
};

const streams: Groups = {
  element: { xrange: ({ key }) => ['XRANGE', key, '-', '+'], dump: ({ key }) => ['DUMP', key] },
  gone: { copy: ({ key, out }) => ['COPY', key, out] },
  built,
  copied: {
    unlink: ({ out }) => ['UNLINK', out],
    xtrim: ({ out }) => ['XTRIM', out, 'MAXLEN', '0'],
  },
  size: { xlen: ({ key }) => ['XLEN', key], xadd: ({ key }) => ['XADD', key, '*', 'field', fieldValue] },
  window: { xscan: ({ key, units }) => ['XRANGE', key, '-', '+', 'COUNT', String(units)] },
};

const many: Groups = {
  argument: {
    mget: ({ key, units }) => ['MGET', ...namesOf(key, units)],
    exists: ({ key, units }) => ['EXISTS', ...namesOf(key, units)],
    mset: ({ key, units }) => setting(key, units),
  },
  window: { scan: ({ units }, call) => ['SCAN', cursor(call), 'COUNT', String(units)] },
  again: {
    del: ({ key, units }) => ['DEL', ...namesOf(key, units)],
    unlink: ({ key, units }) => ['UNLINK', ...namesOf(key, units)],
  },
};

const commands: Readonly<Record<Kind, Groups>> = {
  string: strings,
  hash: hashes,
  set: sets,
  zset: sortedSets,
  list: lists,
  stream: streams,
  keys: many,
};
