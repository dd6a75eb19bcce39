/**
 * How much memory the forms take in which Redis keeps values: strings with room to grow, compact forms that become tables,
 * tables that double. The figures bound what MEMORY USAGE and used_memory said on Redis 6.0 to 8.0 and Valkey 8.0 to 9
 * with jemalloc, whose classes round a size up by a quarter at most (test/redis/memory-change.test.ts).
 */
import { type Bytes, byteLength, toBuffer } from '../base/bytes.ts';
import type { KeyFacts } from './target.ts';

/** A key's entry in the key table, and its value's object. */
export const entryBytes = 80;
/** A deadline's entry in the table of deadlines. */
export const deadlineBytes = 48;
/** The first node of a stream is made 4 kB large (stream-node-max-bytes), with its index and a group. */
export const streamBytes = 6144;
/** A HyperLogLog that is no longer sparse (HLL_DENSE_SIZE). */
export const sketchBytes = 12_304;
/** A shorter value may be kept as a number, which takes less than its text. */
const surelyText = 20;
/** sdsMakeRoomFor doubles a string that grows, up to this much more. */
const mostSpare = 1024 * 1024;
/** A string of its own takes so much more than a number, or one that lies in one piece with its object (encodings int, embstr). */
const ownString = 96;
/** Default limits of the compact forms: elements of a hash or sorted set, bytes of one of them, elements of a set of integers. */
const compactLimits = { elements: 128, bytes: 64, integers: 512 };
const inCompact = 24;
/** In a table beside its bytes: entry, slot, and of a sorted set the node of the skip list. */
const inTable = 112;
/** One that moves from a compact form into a table, its own strings with it. */
const movedIntoTable = 128;
/** A list's node (list-max-listpack-size), and the list itself. */
const nodeBytes = 8192;
const listBytes = 256;

const compactForms: ReadonlySet<string> = new Set(['listpack', 'listpackex', 'ziplist', 'zipmap', 'intset']);

/** Which collection a command writes to. */
export type CollectionKind = 'hash' | 'set' | 'zset' | 'list';

/** Bytes of an argument; one that is not known before the run counts as an integer's text. */
export function lengthOf(word: Bytes | undefined): number {
  return word === undefined ? surelyText : byteLength(word);
}

/** The most that an allocation of so many bytes takes, with a string's header. */
export function roomFor(bytes: number): number {
  return Math.ceil(bytes * 1.25) + 16;
}

/** The sum of roomFor over words. */
export function roomForAll(words: readonly (Bytes | undefined)[]): number {
  return words.reduce<number>((sum, word) => sum + roomFor(lengthOf(word)), 0);
}

/** The least that a value takes: nothing where it may be a number. */
export function surelyOf(value: Bytes | undefined): number {
  return value !== undefined && byteLength(value) > surelyText ? byteLength(value) : 0;
}

/** How much more a string of `old` bytes takes when it has `end` bytes: at least, by what MEMORY USAGE says of it, and at most. */
export function stringGrowth(facts: KeyFacts, end: number): { readonly low: number; readonly high: number } {
  const old = facts.elements ?? 0;
  // what is written within it makes a string of its own of a number or of one that lies beside its object
  if (end <= old) return { low: 0, high: facts.encoding === 'raw' ? 0 : ownString };
  const high = roomFor(Math.min(2 * end, end + mostSpare)) - old;
  return { low: facts.bytes === undefined ? 0 : Math.max(0, end - facts.bytes), high };
}

/** The most that a collection grows by: `added` elements of these words. undefined: nothing is known of its size. */
export function collectionGrowth(
  kind: CollectionKind,
  words: readonly (Bytes | undefined)[],
  added: number,
  facts: KeyFacts | undefined,
): number | undefined {
  const elements = facts?.exists ? facts.elements : 0;
  if (elements === undefined) return undefined;
  const bytes = (facts?.exists ? facts.bytes : 0) ?? 0;
  // a compact form is allocated anew, and so is a list's last node
  if (kind === 'list') return collectionPart(kind, words, added) + listBytes + Math.min(bytes, nodeBytes) / 4;
  const isCompact = elements === 0 || compactForms.has(facts?.encoding ?? '');
  const all = elements + added;
  if (isCompact && staysCompact(kind, words, all, facts)) return roomForAll(words) + all * inCompact + bytes / 4;
  return collectionPart(kind, words, added) + (isCompact ? elements * movedIntoTable : doubled(elements, all));
}

/** The most that so many elements take where their collection has the form and the size already. */
export function collectionPart(kind: CollectionKind, words: readonly (Bytes | undefined)[], added: number): number {
  return roomForAll(words) + added * (kind === 'list' ? inCompact : inTable);
}

/** A set is a table from the first word on that is no integer: only from 7.2 on it has another compact form. */
function staysCompact(
  kind: CollectionKind,
  words: readonly (Bytes | undefined)[],
  all: number,
  facts: KeyFacts | undefined,
): boolean {
  if (kind !== 'set')
    return all <= compactLimits.elements && words.every((one) => lengthOf(one) <= compactLimits.bytes);
  const integers = facts?.exists !== true || facts.encoding === 'intset';
  return integers && all <= compactLimits.integers && words.every(isInteger);
}

function isInteger(word: Bytes | undefined): boolean {
  return typeof word === 'string' && /^-?\d{1,18}$/.test(word);
}

/** A table that is full gets one of twice its size beside it; the old one goes when all has moved. */
function doubled(elements: number, all: number): number {
  return powerAbove(all) > powerAbove(elements) ? powerAbove(all) * 16 : 0;
}

function powerAbove(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(4, count)));
}

/** The most that the elements of a key take in a key of another type or form; undefined where their number is not known. */
export function resultOf(facts: KeyFacts): number | undefined {
  if (!facts.exists) return 0;
  if (facts.elements === undefined || facts.bytes === undefined) return undefined;
  return facts.bytes + facts.elements * (compactForms.has(facts.encoding ?? '') ? movedIntoTable : inTable / 2);
}

/** What a copy of a key takes: less than the key, if that had room to spare. undefined where its size is not known. */
export function copyOf(facts: KeyFacts): { readonly low: number; readonly high: number } | undefined {
  if (!facts.exists) return { low: 0, high: 0 };
  const { type, bytes, elements, encoding } = facts;
  if (bytes === undefined || elements === undefined) return undefined;
  const high = roomFor(bytes);
  if (type === 'string') return { low: elements > surelyText ? elements : 0, high };
  const isTable = (type === 'hash' || type === 'set' || type === 'zset') && !compactForms.has(encoding ?? '');
  // MEMORY USAGE knows a table by a few of its elements, and counts the slots that are empty after deletions
  return { low: isTable ? Math.min(bytes / 2, elements * 24) : bytes / 2, high };
}

/** Types of a payload whose value is one string: a string, an intset, a listpack (RDB_TYPE_* of rdb.h). */
const oneString: ReadonlySet<number> = new Set([0, 11, 16, 17, 20]);
/** Says that a compressed string follows: its size here, its size when it is unpacked, its bytes (RDB_ENC_LZF). */
const compressed = 0xc3;
/** A type, a version and a checksum, which no value keeps. */
const envelopeBytes = 16;

/**
 * What the value of a payload of DUMP takes. Of a value that is one string this is known, also where it is compressed; of
 * others at most 16 times the payload, since elements of two bytes lie in it that take thirty in a table.
 */
export function restoredFrom(value: Bytes | undefined): { readonly low: number; readonly high: number } {
  if (value === undefined) return { low: 0, high: 0 };
  const payload = toBuffer(value);
  const unpacked = oneString.has(payload[0] ?? -1) && payload[1] === compressed ? unpackedLength(payload) : undefined;
  const size = unpacked ?? payload.length;
  const low = size > 64 ? size - envelopeBytes : 0;
  return { low, high: oneString.has(payload[0] ?? -1) ? roomFor(size) : 16 * size };
}

function unpackedLength(payload: Buffer): number | undefined {
  const packed = lengthAt(payload, 2);
  return packed && lengthAt(payload, packed.next)?.length;
}

/** A length as RDB writes it: 6, 14 or 32 bits, by the two highest of its first byte. */
function lengthAt(payload: Buffer, at: number): { readonly length: number; readonly next: number } | undefined {
  const first = payload[at];
  const form = first === undefined ? 3 : first >> 6;
  if (first === undefined || form === 3 || first > 0x80 || at + 5 > payload.length) return undefined;
  if (form === 0) return { length: first, next: at + 1 };
  if (form === 1) return { length: payload.readUInt16BE(at) & 0x3fff, next: at + 2 };
  return { length: payload.readUInt32BE(at + 1), next: at + 5 };
}
