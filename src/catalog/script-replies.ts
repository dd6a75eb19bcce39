/**
 * Commands that mean the same inside a script as outside. Lua has doubles only, so an integer reply beyond 2^53 arrives
 * rounded; a script refuses a command with a wrong number of arguments when it comes to it, and MULTI when it is queued;
 * and some commands a script may not call. So these are listed by name, and a test holds the lists against the command
 * table: none is forbidden in scripts, and no write takes another number of arguments on another server that
 * gets such scripts (7.0 and later).
 */
import type { Argv } from './command.ts';
import { commandName } from './lookup.ts';

/** Reads with one integer, text or nil as their reply. */
const reads: ReadonlySet<string> = new Set(
  `get strlen getrange substr getbit exists type ttl pttl expiretime pexpiretime hget hlen hstrlen hexists llen lindex
  scard sismember zcard zscore zrank zrevrank zcount zlexcount xlen`.split(/\s+/),
);

/** Writes whose reply Lua holds as it is, but for the integers of `counters`. */
const writes: ReadonlySet<string> = new Set(
  `set setnx setex psetex append setrange setbit incr incrby decr decrby incrbyfloat getset getdel mset msetnx
  del unlink expire pexpire expireat pexpireat persist rename renamenx hset hsetnx hmset hincrby hincrbyfloat hdel
  lpush rpush lpushx rpushx lpop rpop lset ltrim lrem linsert rpoplpush sadd srem smove zadd zincrby zrem
  zremrangebyrank zremrangebyscore zremrangebylex xadd`.split(/\s+/),
);

/** The read that gives a counter's value as text, by the command that changes it: its integer reply may be beyond 2^53. */
const counters: ReadonlyMap<string, 'get' | 'hget'> = new Map([
  ['incr', 'get'],
  ['incrby', 'get'],
  ['decr', 'get'],
  ['decrby', 'get'],
  ['hincrby', 'hget'],
]);

/** True when a script may send this read, and gets what anybody would get. */
export function readsAlikeInScript(argv: Argv): boolean {
  return reads.has(commandName(argv));
}

/** True when a script may send this write, and gets the reply that anybody would get (of a counter: see counterRead). */
export function writesAlikeInScript(argv: Argv): boolean {
  return writes.has(commandName(argv));
}

/** The command that reads what this one has just counted: `get` of its key, `hget` of its key and field; else undefined. */
export function counterRead(argv: Argv): 'get' | 'hget' | undefined {
  return counters.get(commandName(argv));
}

/** Every command of the lists, by name. */
export function commandsAlikeInScript(): { readonly reads: readonly string[]; readonly writes: readonly string[] } {
  return { reads: [...reads], writes: [...writes] };
}
