/**
 * Which commands count as harmless reads. The flag readonly of the server's own table is needed and not enough: EVAL_RO, LCS
 * and KEYS carry it. So a read must be known here, listed there, run no script, wait for nobody, change nothing, and its
 * work must be bounded by facts that were read. What carries no flag but only tells is named one by one.
 */
import { type Bytes, bytesId } from './base/bytes.ts';
import type { Argv } from './catalog/command.ts';
import { integerOf, keysOf } from './catalog/keys.ts';
import { type LiveTable, liveFlags } from './catalog/live-table.ts';
import { commandName, findCommand, wordOf } from './catalog/lookup.ts';
import { changesConnection, isBlocking, isReadOnly, isWrite, onlyTells, runsScript } from './catalog/nature.ts';
import { shapeOf } from './explain/command-shape.ts';
import { globTest } from './lint/glob.ts';
import type { KeyFacts } from './plan/target.ts';

/** Why a command is no harmless read, in words after its name; undefined: it is one. `table` is undefined where the server did not tell it. */
export function notARead(
  argv: Argv,
  table: LiveTable | undefined,
  factsOf: (key: Bytes) => KeyFacts | undefined,
): string | undefined {
  return neverARead(argv, table) ?? byArguments(argv) ?? byWork(argv, factsOf);
}

/** Why a command is no harmless read, whatever its arguments and keys are, in words after its name. */
export function neverARead(argv: Argv, table: LiveTable | undefined): string | undefined {
  return byNature(argv, table) ?? unbounded.get(commandName(argv));
}

/** Facts of keys by their bytes. */
export function factsIn(keys: readonly KeyFacts[]): (key: Bytes) => KeyFacts | undefined {
  const known = new Map(keys.map((facts) => [bytesId(facts.key), facts]));
  return (key) => known.get(bytesId(key));
}

function byNature(argv: Argv, table: LiveTable | undefined): string | undefined {
  const info = findCommand(argv);
  if (info === undefined) return 'is not a command that redops knows';
  if (table === undefined) return 'cannot be judged: the server does not tell its command table (COMMAND)';
  const flags = liveFlags(table, info.name);
  if (flags === undefined) return 'is not in the command table of this server';
  if (runsScript(argv)) return 'runs a script, whose work nothing bounds';
  if (changesConnection(argv)) return 'changes its connection';
  if (isBlocking(argv)) return 'may wait without end';
  if (isWrite(argv) || flags.has('write') || flags.has('may_replicate')) return 'can change data';
  if (info.name === 'keys') return 'visits every key in one call; find lists them page by page';
  if ((keysOf(argv) ?? []).some(({ access }) => access !== 'RO')) return 'can change the key that it reads';
  if (secret.has(info.name)) return 'shows who may do what';
  if (onlyTells(argv)) return undefined;
  if (flags.has('readonly') && isReadOnly(argv)) return undefined;
  return 'is not a plain read';
}

// who may do what, with hashes of passwords, and what others were refused
const secret: ReadonlySet<string> = new Set(['acl|list', 'acl|users', 'acl|getuser', 'acl|log', 'acl|dryrun']);

/** The largest COUNT of one call. */
const mostOfOneCall = 1000;

function byArguments(argv: Argv): string | undefined {
  const name = commandName(argv);
  switch (name) {
    case 'config|get': {
      const shown = argv
        .slice(2)
        .find((pattern) => pattern === undefined || secretSettings.some(globTest(wordOf(pattern))));
      return shown === undefined ? undefined : 'would show a secret: name the settings one by one';
    }
    case 'scan':
    case 'hscan':
    case 'sscan':
    case 'zscan':
    case 'clusterscan':
      return most(argv, 'count') ? undefined : `asks for more than ${mostOfOneCall} in one call`;
    case 'srandmember':
    case 'hrandfield':
    case 'zrandmember':
      return argv[2] === undefined || Math.abs(integerOf(argv[2]) ?? Number.POSITIVE_INFINITY) <= mostOfOneCall
        ? undefined
        : `asks for more than ${mostOfOneCall} in one call`;
    case 'memory|usage':
      return most(argv, 'samples') ? undefined : `samples more than ${mostOfOneCall} elements`;
    case 'xinfo|stream':
      return most(argv, 'count') ? undefined : `asks for more than ${mostOfOneCall} in one call`;
    case 'sort_ro':
      return argv.slice(2).some((word) => word === undefined || wordOf(word).includes('*'))
        ? 'reads keys that it does not name (BY, GET)'
        : undefined;
    case 'lolwut':
      return argv.length > 3 ? 'draws as much as it is told to' : undefined;
    default:
      return undefined;
  }
}

const product = 'works as long as the product of both lengths, and takes as much memory';
const unbounded: ReadonlyMap<string, string> = new Map([
  ['lcs', product],
  ['stralgo', product],
]);

const secretSettings = ['requirepass', 'masterauth', 'primaryauth', 'tls-key-file-pass', 'tls-client-key-file-pass'];

/** True when the number after the option is from 1 to the most, or there is no such option. */
function most(argv: Argv, option: string): boolean {
  return argv.every((word, index) => {
    if (index < 2 || wordOf(word) !== option) return true;
    const value = integerOf(argv[index + 1]);
    return value !== undefined && value >= 1 && value <= mostOfOneCall;
  });
}

const mostElements = 10_000;
const mostBytes = 4 * 1024 * 1024;

/** Prices know the shape of most work; of the rest the whole value must be small. */
function byWork(argv: Argv, factsOf: (key: Bytes) => KeyFacts | undefined): string | undefined {
  const uses = keysOf(argv) ?? [];
  const info = findCommand(argv);
  if (uses.length === 0 || info === undefined || bounded.has(info.name)) return undefined;
  if (info.name === 'xread' && wordOf(argv[1]) === 'count' && most(['xread', ...argv], 'count')) return undefined;
  const shape = shapeOf(argv).shape;
  if (shape === 'per_argument' && info.name !== 'mget') return undefined;
  if (shape === 'one' && /^O\((?:1|log\(N\))\)/.test(info.complexity)) return undefined;
  for (const { key } of uses) {
    const facts = key === undefined ? undefined : factsOf(key);
    if (facts === undefined) return 'reads a key whose size is not known';
    const whole = shape === 'one' || info.name === 'xread';
    const large = whole ? tooLarge(facts) : facts.exists && facts.elements === undefined && tooLarge(facts);
    if (large) return `would read ${facts.elements ?? facts.bytes ?? 'unknown'} elements or bytes, which may take long`;
  }
  return undefined;
}

// their work is bounded by their arguments or by what was checked above
const bounded: ReadonlySet<string> = new Set(
  'hscan sscan zscan memory|usage httl hpttl hexpiretime hpexpiretime xinfo|stream'.split(' '),
);

function tooLarge({ exists, type, elements, bytes }: KeyFacts): boolean {
  if (!exists) return false;
  if (elements === undefined) return bytes === undefined || bytes > mostBytes;
  return elements > (type === 'string' ? mostBytes : mostElements);
}
