/**
 * How a command changes the memory of the data: one model, which the rule about maxmemory and the explanation both go by.
 * From the arguments and what inspection found of the keys. An interval, since an argument may be there already, and
 * since the same bytes take more or less room by the form they are kept in (memory-forms.ts).
 *
 * Measured (test/redis/memory-change.test.ts: SET, APPEND, SETRANGE, SETBIT, HSET, SADD, ZADD, RPUSH, XADD, PFADD, COPY,
 * RESTORE and the STORE forms on Redis 6.0, 7.0 and 8.0 and Valkey 8.0, 8.1 and 9): every change lay in its interval. The high end is
 * within a quarter for strings that are written, up to eight times the truth where tiny elements go into a table. Not
 * foreseen: elements in a payload of RESTORE that are compressed far, forms with other limits than the default ones, the
 * server's own key tables, buffers of clients, tables that are resized later than they could be (while a child saves).
 */
import type { Bytes } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import { integerOf, type KeyUse, keysOf } from '../catalog/keys.ts';
import { commandName, findCommand } from '../catalog/lookup.ts';
import { isWrite, runsScript } from '../catalog/nature.ts';
import { has, mayHave } from '../catalog/options.ts';
import {
  type CollectionKind,
  collectionGrowth,
  collectionPart,
  copyOf,
  deadlineBytes,
  entryBytes,
  lengthOf,
  restoredFrom,
  resultOf,
  roomFor,
  roomForAll,
  sketchBytes,
  streamBytes,
  stringGrowth,
  surelyOf,
} from './memory-forms.ts';
import type { KeyFacts } from './target.ts';

/** What a command does to memory, in bytes. */
export interface MemoryChange {
  /** At most so much is taken, whatever is freed beside it; a key that was not looked at counts as a new one. */
  readonly takes: number;
  /** The same where a command before it wrote to the key, if that is less: a table that doubles does so once. */
  readonly again?: number;
  /** Taken less freed (negative: freed). Left out where a key was not looked at, or its size is not known. */
  readonly net?: Interval;
}

/** Bytes. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** What is known of keys, and of the time: Unix milliseconds by the server's clock. */
export interface Known {
  of(key: Bytes): KeyFacts | undefined;
  readonly now?: number | undefined;
}

/** The change by one call; undefined where not even a bound is known: scripts, unknown commands, FLUSHALL, copies of keys that were not looked at. */
export function memoryChange(argv: Argv, known: Known): MemoryChange | undefined {
  const info = findCommand(argv);
  if (info === undefined || runsScript(argv)) return undefined;
  if (!isWrite(argv)) return nothing;
  if (!info.flags.includes('write')) return undefined;
  const uses = keysOf(argv);
  if (uses === undefined) return undefined;
  const call: Call = {
    argv,
    name: info.name,
    uses,
    known,
    facts: (use) => (use?.key === undefined ? undefined : known.of(use.key)),
  };
  return changeOf(call, info.flags.includes('denyoom'));
}

/** True when the server refuses the command while its memory is full. */
export function isRefusedWhenFull(argv: Argv): boolean {
  return findCommand(argv)?.flags.includes('denyoom') ?? false;
}

/** A bound that is quick to have: what commands of so many bytes on the wire take at most, if each takesItsWords, beside what the keys that are there need for larger tables. */
export function mostOfWords({ bytes, sent }: { readonly bytes: number; readonly sent: number }): number {
  // a word has 8 bytes on the wire at least, and takes 128 beside its own at most
  return 17 * bytes + 512 * sent;
}

/** Whether the memory that a command takes is bounded by its words: not where it copies, fills up, unpacks or doubles. */
export function takesItsWords(argv: Argv): boolean {
  const name = commandName(argv);
  return name in strings || name in collections || name === 'mset' || deletes.has(name) || deadlines.has(name);
}

/** What a larger table takes at most, for a key that is there. */
export function mostOfTables({ elements = 0 }: KeyFacts): number {
  return 128 * elements;
}

interface Call {
  readonly argv: Argv;
  readonly name: string;
  readonly uses: readonly KeyUse[];
  readonly known: Known;
  facts(use: KeyUse | undefined): KeyFacts | undefined;
}

const none: Interval = { low: 0, high: 0 };
const nothing: MemoryChange = { takes: 0, net: none };

const deletes = words('del unlink getdel');
const deadlines = words('expire pexpire expireat pexpireat persist getex');
const renames = words('rename renamenx');
const stores = words(
  `sort sunionstore sinterstore sdiffstore zunionstore zinterstore zdiffstore zrangestore georadius georadiusbymember
  geosearchstore`,
);
const moves = words('lmove blmove rpoplpush brpoplpush smove');
/** Not a change of one key by its arguments: what is kept of a delivered entry, a library, another database. */
const notCounted = words('flushall flushdb swapdb xreadgroup xclaim xautoclaim xgroup|setid xcfgset move');
/** They do nothing to a key that is not there. */
const onlyOnto = words('lpushx rpushx linsert lset');
/** What they write may take the place of something larger. */
const replaces = words('hset hmset hsetex lset hincrbyfloat');

/** Where the value stands; `nx`: written only where there is no key. */
interface StringForm {
  readonly value: number;
  readonly deadline?: true;
  readonly nx?: true;
}

const strings: Readonly<Record<string, StringForm>> = {
  set: { value: 2 },
  getset: { value: 2 },
  setnx: { value: 2, nx: true },
  setex: { value: 3, deadline: true },
  psetex: { value: 3, deadline: true },
};

/** The collection that a command adds to, and how many words make one element. */
const collections: Readonly<Record<string, readonly [CollectionKind, number]>> = {
  ...each('hset hmset hsetnx hsetex hincrby hincrbyfloat', ['hash', 2]),
  ...each('sadd', ['set', 1]),
  ...each('zadd zincrby', ['zset', 2]),
  ...each('geoadd', ['zset', 3]),
  ...each('lpush rpush lpushx rpushx linsert lset', ['list', 1]),
};

function changeOf(call: Call, mayTake: boolean): MemoryChange | undefined {
  const { name, argv, uses } = call;
  if (notCounted.has(name) || name.startsWith('function|')) return undefined;
  if (deletes.has(name)) return freed(call, (sizes) => ({ low: 0 - sizes.high, high: 0 - sizes.low }));
  if (deadlines.has(name)) return deadline(call);
  if (renames.has(name)) return renamed(call);
  if (name in strings) return stringWritten(call);
  if (name === 'mset' || name === 'msetnx' || name === 'msetex') return severalWritten(call);
  if (name === 'append') return stretched(call, (old) => old + lengthOf(argv[2]));
  if (name === 'setrange') return stretched(call, () => endOf(argv[2], lengthOf(argv[3])));
  if (name === 'setbit') return stretched(call, () => endOf(argv[2], 1, 8));
  if (name === 'copy') return copied(call);
  if (name === 'restore') return restored(call);
  if (stores.has(name)) return stored(call);
  if (moves.has(name)) return moved(call);
  if (!mayTake) return freed(call, (sizes) => ({ low: 0 - sizes.high, high: 0 }));
  if (name === 'bitop') return derived(call, sumOf(uses.map((use) => sourceOf(call, use)?.elements)));
  if (name === 'pfadd' || name === 'pfmerge') return derived(call, sketchBytes, name === 'pfadd');
  if (name === 'xadd' || name.startsWith('xgroup|')) return streamed(call);
  const collection = collections[name];
  if (collection !== undefined) return added(call, ...collection);
  return { takes: entryBytes + roomForAll(argv.slice(1)) + 64 * argv.length, ...small(call) };
}

/** INCR and its like: a number instead of a number. */
function small({ name, argv, uses, facts }: Call): { readonly net?: Interval } {
  const isCounter = name.startsWith('incr') || name.startsWith('decr');
  return isCounter && facts(uses[0]) ? { net: { low: 0, high: entryBytes + roomForAll([argv[1], undefined]) } } : {};
}

/** What is held by all keys; undefined when one of them was not looked at. */
function heldBy({ uses, facts }: Pick<Call, 'uses' | 'facts'>): Interval | undefined {
  let low = 0;
  let high = 0;
  for (const use of uses) {
    const known = facts(use);
    if (known === undefined || (known.exists && known.bytes === undefined)) return undefined;
    low += known.bytes ?? 0;
    high += (known.bytes ?? 0) + (known.exists && known.ttl_ms !== -1 ? deadlineBytes : 0);
  }
  return { low, high };
}

function freed(call: Call, net: (sizes: Interval) => Interval): MemoryChange {
  const sizes = heldBy(call);
  return { takes: 0, ...(sizes && { net: net(sizes) }) };
}

function deadline(call: Call): MemoryChange {
  const { argv, name, uses, facts } = call;
  const key = facts(uses[0]);
  if (key?.exists === false || (name === 'getex' && argv.length === 2)) return nothing;
  const takesAway = name === 'persist' || has(argv, 2, 'persist');
  const high = takesAway || (key?.ttl_ms ?? -1) >= 0 ? 0 : deadlineBytes;
  if (key === undefined) return { takes: high };
  if (!takesAway && mayBePast(call)) return freed(call, (sizes) => ({ low: 0 - sizes.high, high }));
  return { takes: high, net: { low: takesAway && key.ttl_ms !== -1 ? -deadlineBytes : 0, high } };
}

/** A deadline that is not in the future deletes the key at once. */
function mayBePast({ argv, name, known }: Call): boolean {
  const option = ['ex', 'px', 'exat', 'pxat'].find((word) => name === 'getex' && mayHave(argv, 2, word));
  const number = integerOf(argv[option === undefined ? 2 : 3]);
  if (number === undefined) return true;
  if (!(option ?? name).endsWith('at')) return number <= 0;
  const ms = name === 'pexpireat' || option === 'pxat' ? number : number * 1000;
  return known.now === undefined || ms <= known.now;
}

function renamed(call: Call): MemoryChange {
  const { argv, name, facts, uses } = call;
  const newName = roomFor(lengthOf(argv[2]));
  const source = facts(uses[0]);
  if (source?.exists === false || (name === 'renamenx' && facts(uses[1])?.exists)) return { takes: newName, net: none };
  const onto = heldBy({ ...call, uses: uses.slice(1) });
  if (source === undefined || onto === undefined) return { takes: newName };
  return { takes: newName, net: { low: 0 - onto.high - roomFor(lengthOf(argv[1])), high: newName - onto.low } };
}

function stringWritten(call: Call): MemoryChange {
  const { argv, name, facts, uses } = call;
  const form = strings[name]!;
  const options = name === 'set' ? 3 : argv.length;
  const hasDeadline = form.deadline === true || mayHave(argv, options, 'ex', 'px', 'exat', 'pxat');
  const change = written(call, uses[0], argv[form.value], hasDeadline ? deadlineBytes : 0);
  const exists = facts(uses[0])?.exists;
  const nx = form.nx === true || has(argv, options, 'nx');
  if (exists === undefined || change.net === undefined) return change;
  if ((nx && exists) || (!exists && has(argv, options, 'xx'))) return { ...change, net: none };
  return mayHave(argv, options, 'ifeq', 'ifne', 'ifdeq', 'ifdne') ? orNothing(change) : change;
}

/** A string in the place of whatever the key holds. */
function written({ facts }: Call, use: KeyUse | undefined, value: Bytes | undefined, more: number): MemoryChange {
  const takes = entryBytes + roomForAll([use?.key, value]) + more;
  const old = heldBy({ uses: use ? [use] : [], facts });
  if (old === undefined) return { takes };
  const surely = surelyOf(value);
  const least = surely === 0 ? 0 : surely + lengthOf(use?.key);
  return { takes, net: { low: least - old.high, high: takes - old.low } };
}

function severalWritten(call: Call): MemoryChange {
  const { uses, name, argv, facts } = call;
  const changes = uses.map((use) => written(call, use, argv[use.index + 1], name === 'msetex' ? deadlineBytes : 0));
  const takes = changes.reduce((sum, change) => sum + change.takes, 0);
  const nets = changes.map(({ net }) => net).filter((net) => net !== undefined);
  if (nets.length < changes.length) return { takes };
  const net = nets.reduce((sum, one) => ({ low: sum.low + one.low, high: sum.high + one.high }), none);
  if (name === 'mset') return { takes, net };
  return name === 'msetnx' && uses.some((use) => facts(use)?.exists) ? { takes, net: none } : orNothing({ takes, net });
}

/** A string that is written to at its end or beyond it: what lies between is zeros. */
function stretched({ argv, name, uses, facts }: Call, endFor: (old: number) => number): MemoryChange {
  const key = facts(uses[0]);
  const end = endFor(key?.exists ? (key.elements ?? 0) : 0);
  if (end === 0 || (name === 'setrange' && lengthOf(argv[3]) === 0)) return key === undefined ? { takes: 0 } : nothing;
  const again = name === 'append' ? 2 * roomFor(lengthOf(argv[2])) : 0;
  if (key?.exists && key.elements !== undefined) {
    const net = stringGrowth(key, end);
    return { takes: net.high, again, net };
  }
  const takes = entryBytes + roomForAll([argv[1]]) + roomFor(end);
  if (key?.exists !== false) return { takes, again };
  const surely = name === 'append' ? surelyOf(argv[2]) : end;
  return { takes, again, net: { low: surely === 0 ? 0 : surely + lengthOf(argv[1]), high: takes } };
}

/** Where what is written ends: `per` of the offset's units make a byte. 0 when nothing is, or the offset is not known. */
function endOf(offset: Bytes | undefined, length: number, per = 1): number {
  const at = integerOf(offset);
  return at === undefined || at < 0 ? 0 : Math.floor(at / per) + length;
}

function copied(call: Call): MemoryChange | undefined {
  const { uses, argv, facts } = call;
  const source = facts(uses[0]);
  const size = source && copyOf(source);
  if (size === undefined) return undefined;
  if (size.high === 0) return nothing;
  const takes = size.high + roomForAll([argv[2]]);
  // the copy in another database is another key, which was not looked at
  const onto = mayHave(argv, 3, 'db') ? undefined : facts(uses[1]);
  if (onto === undefined) return { takes };
  return inPlaceOf(call, uses[1]!, { low: size.low, high: takes }, has(argv, 3, 'replace'));
}

function restored(call: Call): MemoryChange {
  const { argv, uses } = call;
  const value = restoredFrom(argv[3]);
  const high = entryBytes + roomForAll([argv[1]]) + value.high + deadlineBytes;
  const low = value.low === 0 ? 0 : value.low + lengthOf(argv[1]);
  return inPlaceOf(call, uses[0]!, { low, high }, has(argv, 4, 'replace'));
}

/** What takes a key's place, or, without leave to replace, is refused where the key exists. */
function inPlaceOf({ facts }: Call, use: KeyUse, made: Interval, replace: boolean): MemoryChange {
  const takes = made.high;
  if (facts(use)?.exists && !replace) return { takes, net: none };
  const old = heldBy({ uses: [use], facts });
  return { takes, ...(old && { net: { low: made.low - old.high, high: made.high - old.low } }) };
}

/** The result of an operation on whole keys takes the place of the key it is stored in. */
function stored(call: Call): MemoryChange | undefined {
  const { argv, uses, name } = call;
  // without STORE it only reads
  if (!uses.some(({ access }) => access === 'OW')) return nothing;
  if (name === 'sort' && mayHave(argv, 2, 'get')) return undefined;
  return derived(call, sumOf(uses.map((use) => fromSource(call, use))));
}

function fromSource(call: Call, use: KeyUse): number | undefined {
  const facts = sourceOf(call, use);
  return facts && resultOf(facts);
}

/** The facts of a key that is read; of the one that is written, as if it were empty. */
function sourceOf({ facts }: Call, use: KeyUse): KeyFacts | undefined {
  if (use.access === 'OW' && use.key !== undefined) return { key: use.key, exists: false, type: 'none', elements: 0 };
  const known = facts(use);
  return known?.exists === false ? { ...known, elements: 0 } : known;
}

/** A value of at most so many bytes in the place of the one that the command writes to; `stays`: that one only grows. */
function derived(call: Call, most: number | undefined, stays = false): MemoryChange | undefined {
  if (most === undefined) return undefined;
  const onto = call.uses.filter(({ access }) => access !== 'RO').slice(0, 1);
  const takes = entryBytes + roomForAll(onto.map(({ key }) => key)) + roomFor(most);
  const old = heldBy({ uses: onto, facts: call.facts });
  const again = stays ? { again: 0 } : {};
  if (old === undefined) return { takes, ...again };
  const net = stays ? { low: 0, high: Math.max(0, takes - old.low) } : { low: 0 - old.high, high: takes - old.low };
  return { takes, ...again, net };
}

/** An element leaves one collection for another: it is no larger than what it leaves. */
function moved(call: Call): MemoryChange | undefined {
  const { argv, name, uses, facts } = call;
  const [from, onto] = [facts(uses[0]), facts(uses[1])];
  const ofSet = name === 'smove';
  const element = ofSet ? 0 : from?.bytes;
  if (from?.exists === false) return nothing;
  if (element === undefined) return undefined;
  const growth = collectionGrowth(ofSet ? 'set' : 'list', ofSet ? [argv[3]] : [], 1, onto);
  if (growth === undefined) return undefined;
  const takes = growth + roomFor(element) + (onto?.exists ? 0 : entryBytes + roomForAll([argv[2]]));
  const held = heldBy({ uses: uses.slice(0, 1), facts });
  return { takes, ...(held && onto && { net: { low: 0 - held.high, high: takes } }) };
}

function streamed(call: Call): MemoryChange {
  const { argv, uses, facts } = call;
  const key = facts(uses[0]);
  const takes = streamBytes + roomForAll(argv.slice(1)) + (key?.exists ? 0 : entryBytes);
  const held = heldBy({ uses: uses.slice(0, 1), facts });
  const trims = mayHave(argv, 2, 'maxlen', 'minid');
  const again = 2 * roomForAll(argv.slice(2));
  return { takes, again, ...(held && { net: { low: trims ? 0 - held.high : 0, high: takes } }) };
}

function added(call: Call, kind: CollectionKind, per: number): MemoryChange {
  const { argv, name, uses, facts } = call;
  const key = facts(uses[0]);
  const brought = argv.slice(2);
  const count = Math.ceil(brought.length / per);
  const fresh = entryBytes + roomForAll([argv[1]]);
  const growth = collectionGrowth(kind, brought, count, key);
  const again = collectionPart(kind, brought, count);
  const takes = (key?.exists ? 0 : fresh) + (growth ?? again);
  if (key?.exists === false && onlyOnto.has(name)) return { takes, again, net: none };
  const held = heldBy({ uses: uses.slice(0, 1), facts });
  if (held === undefined || growth === undefined) return { takes, again };
  return { takes, again, net: { low: replaces.has(name) ? 0 - held.low : 0, high: takes } };
}

/** A condition that only the run can tell: all of it, or nothing. */
function orNothing({ net = none, ...change }: MemoryChange): MemoryChange {
  return { ...change, net: { low: Math.min(0, net.low), high: Math.max(0, net.high) } };
}

function sumOf(numbers: readonly (number | undefined)[]): number | undefined {
  return numbers.reduce<number | undefined>(
    (sum, one) => (sum === undefined || one === undefined ? undefined : sum + one),
    0,
  );
}

function words(list: string): ReadonlySet<string> {
  return new Set(list.split(/\s+/));
}

function each<Value>(list: string, value: Value): Record<string, Value> {
  return Object.fromEntries([...words(list)].map((name) => [name, value]));
}
