/**
 * What a command does by nature, from its flags and, where options decide, from its arguments. Every answer leans to
 * the careful side: an unknown command may write, and an argument that is not known may be the option that matters.
 * `more`: what a server said of commands that the table lacks (live.ts).
 */
import type { Argv, CommandInfo } from './command.ts';
import { integerOf } from './keys.ts';
import { findCommand, wordOf } from './lookup.ts';
import { has, mayHave } from './options.ts';

/**
 * True when the command may change data: it has the flag write, runs a script that may, is DEBUG, or is unknown. EXEC
 * is not: what it applies was judged when it was queued.
 */
export function isWrite(argv: Argv, more?: readonly CommandInfo[]): boolean {
  const info = findCommand(argv, more);
  if (info === undefined || info.flags.includes('write')) return true;
  if (info.name === 'debug') return true;
  return runsScript(argv) && !info.flags.includes('readonly');
}

/** True when the server itself counts the command as reading only (flag readonly). It may still be expensive, block, or run a script. */
export function isReadOnly(argv: Argv, more?: readonly CommandInfo[]): boolean {
  return findCommand(argv, more)?.flags.includes('readonly') ?? false;
}

/** True when the command may wait for other clients or replicas: BLPOP and its like, XREAD BLOCK, WAIT, WAITAOF. */
export function isBlocking(argv: Argv): boolean {
  const info = findCommand(argv);
  if (!info?.flags.includes('blocking')) return false;
  return optionalBlock.has(info.name) ? mayHave(argv, 1, 'block') : true;
}

const optionalBlock = new Set(['xread', 'xreadgroup']);

/** True for EVAL, EVALSHA, FCALL and their _RO forms. */
export function runsScript(argv: Argv): boolean {
  return scripts.has(wordOf(argv[0]));
}

const scripts = new Set(['eval', 'eval_ro', 'evalsha', 'evalsha_ro', 'fcall', 'fcall_ro']);

/** True when the command changes what its connection is or expects: never to be sent on a shared connection, never resent on another. */
export function changesConnection(argv: Argv): boolean {
  return connectionCommands.has(findCommand(argv)?.name ?? '');
}

const connectionCommands = new Set([
  ...['multi', 'exec', 'discard', 'watch', 'unwatch', 'asking', 'readonly', 'readwrite'],
  ...['select', 'auth', 'hello', 'reset', 'quit', 'monitor', 'sync', 'psync', 'replconf', 'cluster|syncslots'],
  ...['subscribe', 'psubscribe', 'ssubscribe', 'unsubscribe', 'punsubscribe', 'sunsubscribe'],
  ...['client|reply', 'client|tracking', 'client|caching', 'client|setname', 'client|setinfo', 'client|no-evict'],
  ...['client|no-touch', 'client|capa', 'client|import-source', 'script|debug'],
  // a set of fields belongs to the connection that named it
  ...['himport|prepare', 'himport|set', 'himport|discard', 'himport|discardall'],
]);

/** True for what runs the server rather than the data (flag or category admin), also for a container of such subcommands. */
export function isAdministrative(argv: Argv, more?: readonly CommandInfo[]): boolean {
  const info = findCommand(argv, more);
  if (info === undefined) return false;
  if (info.flags.includes('admin') || info.categories.includes('admin')) return true;
  if (info.subcommands === undefined) return false;
  // CLIENT with a subcommand that the table does not have, or that is not known yet
  return info.subcommands.some((name) => isAdministrative([info.name, name], more));
}

/** True for what has no flag that says so and only tells of the server, without touching a key: PING, INFO, SLOWLOG GET, CONFIG GET, ACL LIST. Some of it is secret. */
export function onlyTells(argv: Argv): boolean {
  const name = findCommand(argv)?.name ?? '';
  return telling.has(name) || name.endsWith('|help');
}

const telling: ReadonlySet<string> = new Set(
  `ping echo time info lastsave role command command|count command|docs command|info command|list command|getkeys
  command|getkeysandflags slowlog|get slowlog|len commandlog|get commandlog|len latency|latest latency|history
  latency|histogram latency|doctor latency|graph memory|stats memory|doctor client|list client|info client|id
  client|getname config|get cluster|info cluster|nodes cluster|slots cluster|shards cluster|myid cluster|myshardid
  cluster|keyslot cluster|countkeysinslot cluster|links cluster|slot-stats module|list function|list function|stats
  script|exists pubsub|channels pubsub|numsub pubsub|numpat pubsub|shardchannels pubsub|shardnumsub acl|whoami acl|cat
  acl|list acl|users acl|getuser acl|log acl|dryrun`.split(/\s+/),
);

/** A verdict for every argument list of a command, or a decision by its arguments. */
type Verdict = boolean | ((argv: Argv) => boolean);

/**
 * True when the command can remove or overwrite data that cannot be computed back from what is left: DEL, SET, RENAME,
 * LPOP, LTRIM, *STORE. False for what adds (SADD, XADD without a trim), moves (LMOVE, RENAMENX), counts (INCR), or
 * changes a deadline that lies ahead. Scripts and unknown commands can do anything: true.
 */
export function destroys(argv: Argv, more?: readonly CommandInfo[]): boolean {
  const info = findCommand(argv, more);
  if (info === undefined) return true;
  const verdict = destructionOf(info.name);
  return typeof verdict === 'function' ? verdict(argv) : (verdict ?? isWrite(argv, more));
}

/** The verdict written down for a command, by its name in the table; undefined when there is none. */
export function destructionOf(name: string): Verdict | undefined {
  return destruction.get(name);
}

/**
 * True when the command can remove whole keys by name or by time: DEL, UNLINK, GETDEL, FLUSHALL, EXPIRE with 0 or less,
 * a deadline that is past on any right clock. Removing the last element of a collection is not counted.
 */
export function deletesKeys(argv: Argv): boolean {
  const name = findCommand(argv)?.name ?? '';
  if (removers.has(name)) return true;
  if (name === 'set' || name === 'getex' || name === 'increx') return pastOption(argv, name === 'set' ? 3 : 2);
  if (name === 'migrate') return !has(argv, 6, 'copy');
  const unit = relativeTtl.get(name) ?? absoluteTtl.get(name);
  if (unit === undefined || name.startsWith('h')) return false;
  return pastDeadline(argv);
}

const removers = new Set([
  ...['del', 'unlink', 'delifeq', 'delex', 'getdel', 'flushall', 'flushdb', 'cluster|flushslot', 'trimslots'],
  ...['replicaof', 'slaveof', 'rename', 'move'],
]);

/** Milliseconds of one unit of the time that a command takes. */
const relativeTtl: ReadonlyMap<string, number> = new Map([
  ['expire', 1000],
  ['pexpire', 1],
  ['hexpire', 1000],
  ['hpexpire', 1],
]);
const absoluteTtl: ReadonlyMap<string, number> = new Map([
  ['expireat', 1000],
  ['pexpireat', 1],
  ['hexpireat', 1000],
  ['hpexpireat', 1],
]);
const optionUnits: ReadonlyMap<string, number> = new Map([
  ['exat', 1000],
  ['pxat', 1],
]);

// a deadline before this is past on every clock that is right; later ones need the server's clock to judge
const surelyPast = Date.UTC(2025, 0, 1);

/** True when the time in argv[2] of EXPIRE and its like deletes at once, or is not known. */
function pastDeadline(argv: Argv): boolean {
  const name = findCommand(argv)?.name ?? '';
  const value = integerOf(argv[2]);
  if (value === undefined) return argv[2] === undefined;
  const unit = absoluteTtl.get(name);
  return unit === undefined ? value <= 0 : value * unit <= surelyPast;
}

/** True when SET or GETEX carries EXAT or PXAT with a past time. */
function pastOption(argv: Argv, from: number): boolean {
  return argv.slice(from, -1).some((argument, offset) => {
    const unit = argument === undefined ? undefined : optionUnits.get(wordOf(argument));
    const value = integerOf(argv[from + offset + 1]);
    return unit !== undefined && value !== undefined && value * unit <= surelyPast;
  });
}

const destruction: ReadonlyMap<string, Verdict> = new Map<string, Verdict>([
  ...listed(
    true,
    `del unlink delifeq getdel getset mset setex psetex setrange setbit flushall flushdb cluster|flushslot rename
     hdel hgetdel hset hmset hsetex srem spop
     lpop rpop blpop brpop lmpop blmpop lrem lset ltrim
     zrem zpopmin zpopmax bzpopmin bzpopmax zmpop bzmpop zremrangebyrank zremrangebyscore zremrangebylex
     bitop sdiffstore sinterstore sunionstore zdiffstore zinterstore zunionstore zrangestore geosearchstore
     delex xdel xdelex xackdel xtrim xack xsetid xgroup xgroup|destroy xgroup|delconsumer xgroup|setid
     ardel ardelrange armset arring arset himport|set trimslots xcfgset
     function|delete function|flush vadd vrem vsetattr
     eval evalsha fcall debug replicaof slaveof sync psync cluster|reset cluster|syncslots shutdown`,
  ),
  ...listed(
    false,
    `append incr incrby incrbyfloat decr decrby hincrby hincrbyfloat zincrby setnx msetnx hsetnx renamenx move swapdb
     persist hpersist sadd smove lpush lpushx rpush rpushx linsert lmove blmove rpoplpush brpoplpush pfadd pfmerge
     lmovem blmovem arinsert arseek bless|clear bless|set xnack xidmprecord
     pfdebug xclaim xautoclaim xreadgroup xgroup|create xgroup|createconsumer`,
  ),
  ['set', (argv) => !has(argv, 3, 'nx')],
  ['msetex', (argv) => !has(argv, 1, 'nx')],
  ['copy', (argv) => mayHave(argv, 3, 'replace')],
  ['restore', (argv) => mayHave(argv, 4, 'replace')],
  ['restore-asking', (argv) => mayHave(argv, 4, 'replace')],
  ['migrate', (argv) => !has(argv, 6, 'copy') || mayHave(argv, 6, 'replace')],
  ['zadd', (argv) => argv.length === 4 || !has(argv.slice(0, -2), 2, 'nx', 'incr')],
  ['geoadd', (argv) => !has(argv.slice(0, -3), 2, 'nx')],
  ['bitfield', (argv) => mayHave(argv, 2, 'set', 'sat')],
  ['sort', (argv) => mayHave(argv, 2, 'store')],
  ['georadius', (argv) => mayHave(argv, 6, 'store', 'storedist')],
  ['georadiusbymember', (argv) => mayHave(argv, 5, 'store', 'storedist')],
  ['xadd', (argv) => mayHave(argv.slice(0, -2), 2, 'maxlen', 'minid')],
  ['function|load', (argv) => mayHave(argv.slice(0, -1), 2, 'replace')],
  ['function|restore', (argv) => mayHave(argv, 3, 'flush', 'replace')],
  ['getex', (argv) => pastOption(argv, 2)],
  ['increx', (argv) => pastOption(argv, 2)],
  ['hgetex', (argv) => pastOption(argv, 2)],
  ...[...relativeTtl.keys(), ...absoluteTtl.keys()].map((name) => [name, pastDeadline] as const),
]);

function listed(verdict: boolean, names: string): readonly (readonly [string, boolean])[] {
  return names
    .trim()
    .split(/\s+/)
    .map((name) => [name, verdict] as const);
}
