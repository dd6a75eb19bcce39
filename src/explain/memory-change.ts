/**
 * How a command changes the memory of the data, in bytes: from MEMORY USAGE of the keys it touches and the bytes that it
 * brings. An interval, since an argument may be there already, and since what is brought lies in structures of its own.
 */
import { byteLength } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import { type KeyUse, keysOf } from '../catalog/keys.ts';
import { commandName, findCommand } from '../catalog/lookup.ts';
import { isWrite, runsScript } from '../catalog/nature.ts';
import type { Facts } from './command-cost.ts';

/** Bytes more (or, when negative, less). */
export interface MemoryChange {
  readonly low: number;
  readonly high: number;
}

/** A key with its entry and value, beyond their bytes (MEMORY USAGE of small strings: 50 to 70). */
const keyOverhead = 70;
/** An element of a collection that is a table, beyond its bytes (sorted sets: 70 to 100; hashes and sets: 50). */
const elementOverhead = 100;
/** A TTL's entry. */
const ttlBytes = 40;

/** The change by one call; undefined where it is not known: scripts, commands that the table does not have, keys that were not looked at. */
export function memoryChange(argv: Argv, facts: Facts): MemoryChange | undefined {
  const name = commandName(argv);
  if (findCommand(argv) === undefined || runsScript(argv)) return undefined;
  if (!isWrite(argv)) return none;
  const uses = keysOf(argv) ?? [];
  if (uses.some(({ key }) => key === undefined || facts.of(key) === undefined)) return undefined;
  if (deletes.has(name)) return sum(uses.map((use) => gone(use, facts)));
  if (takes.has(name)) return { low: sum(uses.map((use) => gone(use, facts))).low, high: 0 };
  if (ttls.has(name)) return { low: -ttlBytes, high: ttlBytes };
  if (name === 'flushall' || name === 'flushdb') return undefined;
  const old = sum(uses.filter(({ access }) => access === 'OW').map((use) => gone(use, facts)));
  if (optional.has(name) && !uses.some(({ access }) => access === 'OW')) return none;
  if (copies.has(name)) return { low: old.low, high: old.high + sum(uses.map((use) => held(use, facts))).high };
  if (moves.has(name)) return old;
  return { low: old.low, high: old.high + brought(argv) };
}

const none: MemoryChange = { low: 0, high: 0 };
const deletes: ReadonlySet<string> = new Set(['del', 'unlink', 'getdel']);
const takes: ReadonlySet<string> = new Set(
  'hdel srem spop zrem lpop rpop blpop brpop ltrim lrem zpopmin zpopmax zremrangebyrank zremrangebyscore zremrangebylex xdel xtrim lmpop zmpop'.split(
    ' ',
  ),
);
const ttls: ReadonlySet<string> = new Set('expire pexpire expireat pexpireat persist getex'.split(' '));
const moves: ReadonlySet<string> = new Set('rename renamenx'.split(' '));
const copies: ReadonlySet<string> = new Set(
  'copy sort sunionstore sinterstore sdiffstore zunionstore zinterstore zdiffstore zrangestore georadius georadiusbymember geosearchstore bitop pfmerge'.split(
    ' ',
  ),
);

/** Without STORE they only read. */
const optional: ReadonlySet<string> = new Set(['sort', 'georadius', 'georadiusbymember']);

function gone(use: KeyUse, facts: Facts): MemoryChange {
  const bytes = (use.key === undefined ? undefined : facts.of(use.key)?.bytes) ?? 0;
  return { low: 0 - bytes, high: 0 - bytes };
}

/** What a key that is read holds: a result can be as large. */
function held(use: KeyUse, facts: Facts): MemoryChange {
  if (use.access === 'OW' || use.key === undefined) return none;
  return { low: 0, high: facts.of(use.key)?.bytes ?? 0 };
}

/** The arguments behind the key, if all of them were new elements; an entry of the key itself. */
function brought(argv: Argv): number {
  const words = argv.slice(2);
  const bytes = words.reduce((all, word) => all + (word === undefined ? 8 : byteLength(word)) + elementOverhead, 0);
  return bytes + keyOverhead + (argv[1] === undefined ? 0 : byteLength(argv[1]));
}

function sum(changes: readonly MemoryChange[]): MemoryChange {
  return changes.reduce((all, one) => ({ low: all.low + one.low, high: all.high + one.high }), none);
}
