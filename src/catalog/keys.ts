/**
 * Which arguments of a command are keys, and how it uses them: the key specifications of the table, and the few
 * commands whose specifications are marked incomplete or depend on options (COMMAND GETKEYSANDFLAGS is the reference,
 * and a test compares the two). Patterns and channels are not keys.
 */
import { type Bytes, toBuffer } from '../base/bytes.ts';
import type { Argv, CommandInfo, KeySpec } from './command.ts';
import { findCommand, wordOf } from './lookup.ts';

/** How a command uses a key: reads its value, reads and writes it, overwrites it unseen, or removes it. */
export type KeyAccess = 'RO' | 'RW' | 'OW' | 'RM';

/** One key of a command. */
export interface KeyUse {
  /** Index into argv. */
  readonly index: number;
  /** undefined when the argument is not known before the run. */
  readonly key: Bytes | undefined;
  readonly access: KeyAccess;
  /** The other flags of the key specification: access, insert, update, delete. */
  readonly flags: readonly string[];
}

/**
 * The keys of a command, in the server's order; empty when it takes none. undefined when the command is unknown, when
 * its arguments do not fit, or when an argument that decides (numkeys, an option) is not known. `more`: see findCommand.
 */
export function keysOf(argv: Argv, more?: readonly CommandInfo[]): readonly KeyUse[] | undefined {
  const info = findCommand(argv, more);
  if (info === undefined || !admits(info.arity, argv.length)) return undefined;
  const special = specials[info.name];
  return special === undefined ? bySpecs(argv, info) : special(argv);
}

/** True when a command of this arity takes that many arguments, its name included. */
export function admits(arity: number, length: number): boolean {
  return arity < 0 ? length >= -arity : length === arity;
}

function bySpecs(argv: Argv, { keySpecs, flags }: CommandInfo): readonly KeyUse[] | undefined {
  const uses: KeyUse[] = [];
  // EVAL with 0 keys is right, ZUNION with 0 is not
  const least = flags.includes('no_mandatory_keys') ? 0 : 1;
  for (const spec of keySpecs) {
    if (spec.flags.includes('not_key')) continue;
    const found = bySpec(argv, spec, least);
    if (found === undefined) return undefined;
    uses.push(...found);
  }
  return uses;
}

function bySpec(argv: Argv, spec: KeySpec, least: number): readonly KeyUse[] | undefined {
  const first = beginOf(argv, spec.begin);
  if (first === undefined || 'unknown' in spec.find) return undefined;
  const { find } = spec;
  const span = 'range' in find ? rangeOf(argv, first, find.range) : countedOf(argv, first, find.keynum, least);
  if (span === undefined) return undefined;
  const [access, flags] = splitFlags(spec.flags);
  return positions(span).map((index) => use(argv, index, access, flags));
}

interface KeySpan {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

function beginOf(argv: Argv, begin: KeySpec['begin']): number | undefined {
  if ('unknown' in begin) return undefined;
  if ('index' in begin) return begin.index < argv.length ? begin.index : undefined;
  const word = begin.keyword.toLowerCase();
  const forward = begin.from > 0;
  const start = forward ? begin.from : argv.length + begin.from;
  for (let i = start; forward ? i < argv.length : i > 0; i += forward ? 1 : -1) {
    if (argv[i] === undefined) return undefined;
    if (wordOf(argv[i]) === word) return i + 1;
  }
  return undefined;
}

type Range = { readonly last: number; readonly step: number; readonly limit: number };

function rangeOf(argv: Argv, first: number, { last, step, limit }: Range): KeySpan | undefined {
  const end =
    last >= 0
      ? first + last
      : limit > 1
        ? first + Math.floor((argv.length - first) / limit) + last
        : argv.length + last;
  return end < first || end >= argv.length ? undefined : { first, last: end, step };
}

type KeyNum = { readonly index: number; readonly first: number; readonly step: number };

function countedOf(argv: Argv, begin: number, { index, first, step }: KeyNum, least: number): KeySpan | undefined {
  const count = integerOf(argv[begin + index]);
  if (count === undefined || count < least) return undefined;
  const from = begin + first;
  const last = from + (count - 1) * step;
  return last >= argv.length ? undefined : { first: from, last, step };
}

function positions({ first, last, step }: KeySpan): readonly number[] {
  return Array.from({ length: Math.max(0, Math.floor((last - first) / step) + 1) }, (_, i) => first + i * step);
}

function splitFlags(flags: readonly string[]): readonly [KeyAccess, readonly string[]] {
  const access = (['RW', 'OW', 'RM', 'RO'] as const).find((flag) => flags.includes(flag)) ?? 'RW';
  return [access, flags.filter((flag) => flag !== access && !describesSpec.has(flag))];
}

// these speak of the specification, not of the key
const describesSpec = new Set(['incomplete', 'variable_flags', 'not_key']);

function use(argv: Argv, index: number, access: KeyAccess, flags: readonly string[]): KeyUse {
  return { index, key: argv[index], access, flags };
}

type KeyFinder = (argv: Argv) => readonly KeyUse[] | undefined;

/** Commands whose keys or whose use of them depend on options. */
const specials: Readonly<Record<string, KeyFinder>> = {
  set: (argv) => setKeys(argv),
  delex: (argv) => delexKeys(argv),
  bitfield: (argv) => bitfieldKeys(argv),
  pfmerge: (argv) => pfmergeKeys(argv),
  sort: (argv) => sortKeys(argv),
  sort_ro: (argv) => [use(argv, 1, 'RO', ['access'])],
  georadius: (argv) => georadiusKeys(argv, 6),
  georadiusbymember: (argv) => georadiusKeys(argv, 5),
  migrate: (argv) => migrateKeys(argv),
  stralgo: (argv) => stralgoKeys(argv),
};

/** SET overwrites unseen unless it answers with the old value, or looks at it first. Valkey counts IFEQ as unseen all the same. */
function setKeys(argv: Argv): readonly KeyUse[] {
  const words = argv.slice(3).map((argument) => (argument === undefined ? 'get' : wordOf(argument)));
  if (words.includes('get')) return [use(argv, 1, 'RW', ['access', 'update'])];
  return [use(argv, 1, words.some((word) => comparisons.has(word)) ? 'RW' : 'OW', ['update'])];
}

const comparisons = new Set(['ifeq', 'ifne', 'ifdeq', 'ifdne']);

/** DELEX removes unseen, or with a condition looks at the value first. */
function delexKeys(argv: Argv): readonly KeyUse[] {
  return [use(argv, 1, argv.length === 2 ? 'RM' : 'RW', ['delete'])];
}

/** PFMERGE destination [source ...]: the specifications of 7.0 and later fit only where there is a source. */
function pfmergeKeys(argv: Argv): readonly KeyUse[] {
  const destination = use(argv, 1, 'RW', ['access', 'insert']);
  return [destination, ...argv.slice(2).map((_, index) => use(argv, index + 2, 'RO', ['access']))];
}

/** BITFIELD only reads when every subcommand is GET. */
function bitfieldKeys(argv: Argv): readonly KeyUse[] {
  const writes = argv.slice(2).some((argument) => argument === undefined || bitfieldWrites.has(wordOf(argument)));
  return writes ? [use(argv, 1, 'RW', ['access', 'update'])] : [use(argv, 1, 'RO', ['access'])];
}

const bitfieldWrites = new Set(['set', 'incrby']);

/** SORT key [BY pattern] [LIMIT a b] [GET pattern ...] [STORE key]; the last STORE counts, BY and GET patterns are no keys. */
function sortKeys(argv: Argv): readonly KeyUse[] | undefined {
  const skips: Readonly<Record<string, number>> = { by: 1, get: 1, limit: 2, store: 1 };
  let store: number | undefined;
  for (let i = 2; i < argv.length; i += 1) {
    if (argv[i] === undefined) return undefined;
    const word = wordOf(argv[i]);
    if (word === 'store' && i + 1 < argv.length) store = i + 1;
    i += skips[word] ?? 0;
  }
  const source = use(argv, 1, 'RO', ['access']);
  return store === undefined ? [source] : [source, use(argv, store, 'OW', ['update'])];
}

/** GEORADIUS[BYMEMBER] ... [STORE key] [STOREDIST key]: given more than once, servers differ in which they count, so all are named. */
function georadiusKeys(argv: Argv, options: number): readonly KeyUse[] | undefined {
  const uses = [use(argv, 1, 'RO', ['access'])];
  for (let i = options; i < argv.length; i += 1) {
    if (argv[i] === undefined) return undefined;
    const word = wordOf(argv[i]);
    const stores = word === 'store' || word === 'storedist';
    if (stores && i + 1 < argv.length) uses.push(use(argv, i + 1, 'OW', ['update']));
    if (stores || word === 'count') i += 1;
  }
  return uses;
}

/** MIGRATE host port key|"" db timeout [COPY] [REPLACE] [AUTH p] [AUTH2 u p] [KEYS key ...]; the keys are gone afterwards unless COPY. */
function migrateKeys(argv: Argv): readonly KeyUse[] | undefined {
  const flags = ['access', 'delete'];
  if (argv[3] === undefined) return undefined;
  if (wordOf(argv[3]) !== '') return [use(argv, 3, 'RW', flags)];
  const skips: Readonly<Record<string, number>> = { auth: 1, auth2: 2 };
  for (let i = 6; i < argv.length; i += 1 + (skips[wordOf(argv[i])] ?? 0)) {
    if (argv[i] === undefined) return undefined;
    if (wordOf(argv[i]) !== 'keys') continue;
    return positions({ first: i + 1, last: argv.length - 1, step: 1 }).map((index) => use(argv, index, 'RW', flags));
  }
  return undefined;
}

/** STRALGO LCS (6.0 to 6.2): KEYS a b, or STRINGS a b, which takes none. */
function stralgoKeys(argv: Argv): readonly KeyUse[] | undefined {
  for (let i = 2; i + 2 < argv.length; i += 1) {
    if (argv[i] === undefined) return undefined;
    const word = wordOf(argv[i]);
    if (word === 'keys') return [i + 1, i + 2].map((index) => use(argv, index, 'RO', ['access']));
    if (word === 'strings') return [];
    if (word === 'minmatchlen') i += 1;
  }
  return undefined;
}

/** A decimal integer argument in the safe range; undefined for any other. */
export function integerOf(argument: Bytes | undefined): number | undefined {
  if (argument === undefined) return undefined;
  const text = toBuffer(argument).toString('latin1');
  const value = /^(0|-?[1-9][0-9]*)$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}
