/**
 * Which arguments are keys, for every command that takes any: keysOf against COMMAND GETKEYSANDFLAGS (COMMAND GETKEYS
 * before 7.0) of each server of the matrix, for argument lists made from the grammar, right and spoilt.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandInfo, GrammarArgument } from '../../src/catalog/command.ts';
import { admits, keysOf } from '../../src/catalog/keys.ts';
import { allCommands, findCommand } from '../../src/catalog/lookup.ts';
import { type Decoded, ReplyError } from '../../src/formats/resp.ts';
import { matrix, startServer, type TestServer } from '../support/servers.ts';
import { openWire, type Wire } from './wire.ts';

/** A command as the server under test describes it. */
interface LiveCommand {
  readonly name: string;
  readonly arity: number;
  readonly takesKeys: boolean;
}

/** Argument lists for each command. */
const runs = 20;

describe.each(matrix())('keysOf, on %s', (version) => {
  let server: TestServer;
  let wire: Wire;
  let engine: string;
  let redisVersion: string;

  beforeAll(async () => {
    server = await startServer({ ...(version === undefined ? {} : { version }), args: ['--cluster-enabled', 'yes'] });
    wire = await openWire(server.port);
    const info = String(await wire.ask('INFO', 'server'));
    engine = info.includes('valkey_version') ? 'valkey' : 'redis';
    redisVersion = /redis_version:(\S+)/.exec(info)?.[1] ?? '';
  });

  afterAll(async () => {
    wire?.close();
    await server?.stop();
  });

  it('names the keys that the server names, of every command that has any', async () => {
    const withFlags = !((await wire.ask('COMMAND', 'GETKEYSANDFLAGS', 'GET', 'k')) instanceof ReplyError);
    const listed = ((await wire.ask('COMMAND')) as Decoded[]).flatMap(described);
    const live = listed
      .flatMap((command) => (withFlags ? [command] : subcommandsOf(command)))
      .filter(({ takesKeys }) => takesKeys);
    expect(live.length).toBeGreaterThan(140);
    const known = new Map(allCommands().map((info) => [info.name, info]));
    const compared = new Map<string, number>();
    for (const { name, arity } of live) {
      const info = known.get(name);
      if (info === undefined) continue; // a server that is newer than the table: catalog.test.ts tells of it
      compared.set(name, 0);
      await fc.assert(
        fc.asyncProperty(argumentsOf(asOf(info, redisVersion), withFlags ? 'KEYS' : 'p'), async (args) => {
          const argv = [...name.split('|'), ...args];
          // an option that this version does not have yet
          fc.pre(admits(arity, argv.length));
          const said = await asked(wire, withFlags, argv);
          const own = keysOf(argv);
          if (said === undefined) {
            expect([argv, isRefused(argv, withFlags) ? [] : (own ?? [])]).toEqual([argv, []]);
            return;
          }
          compared.set(name, compared.get(name)! + 1);
          const shown = (own ?? []).map(({ key, access }) => [key, access] as const);
          const compare = withFlags && !accessDiffers(engine, server.version, argv) ? whole : keysAlone;
          expect([argv, compare(shown)]).toEqual([argv, compare(said)]);
        }),
        { numRuns: runs },
      );
    }
    // every one of them was compared, and most of the lists were right
    expect([...compared].filter(([, times]) => times === 0).map(([name]) => name)).toEqual([]);
    expect([...compared.values()].reduce((sum, times) => sum + times, 0)).toBeGreaterThan(compared.size * runs * 0.6);
  });
});

type Pairs = readonly (readonly [unknown, unknown])[];

const whole = (pairs: Pairs): unknown => pairs;
const keysAlone = (pairs: Pairs): unknown => pairs.map(([key]) => key).sort();

/** The keys that the server finds, with its access to them; undefined when it finds none, and when the list does not fit. */
async function asked(wire: Wire, withFlags: boolean, argv: readonly string[]): Promise<Pairs | undefined> {
  const reply = await wire.ask('COMMAND', withFlags ? 'GETKEYSANDFLAGS' : 'GETKEYS', ...argv);
  if (reply instanceof ReplyError || (reply as Decoded[]).length === 0) return undefined;
  return (reply as Decoded[]).map((entry) => {
    const [key, flags] = withFlags ? (entry as [Decoded, Decoded[]]) : [entry, []];
    return [String(key), flags.map(String).find((flag) => ['RO', 'RW', 'OW', 'RM'].includes(flag))];
  });
}

/** Lists that the server finds no keys in, and keysOf does: which is the right answer, or does no harm. */
function isRefused(argv: readonly string[], withFlags: boolean): boolean {
  const [command = ''] = argv;
  // from 7.0 on a destination alone is no key of PFMERGE, and yet it is written
  if (command === 'pfmerge') return withFlags && argv.length === 2;
  // 6.0, and builds of 8.0.2 that are newer than others, count keys and ids; the others leave that to the command, which refuses it
  return command.startsWith('xread') && (argv.length - argv.indexOf('STREAMS')) % 2 === 0;
}

/** Where a server's own word for the access is another than that of later versions, or of the other engine. */
function accessDiffers(engine: string, version: string, argv: readonly string[]): boolean {
  const [command = '', , , ...options] = argv.map((argument) => argument.toLowerCase());
  // 7.0 says RW of a destination that is overwritten; 7.2 corrected it to OW
  if (command === 'sinterstore') return version.startsWith('7.0.');
  // Valkey reads the value for IFEQ and says OW all the same; before Redis 8.4 these words are none
  const compares = options.some((word) => ['ifeq', 'ifne', 'ifdeq', 'ifdne'].includes(word));
  return command === 'set' && compares && (engine === 'valkey' || /^([67]|8\.[0-3])\./.test(version));
}

/** The entry of COMMAND, and those of its subcommands. */
function described(reply: Decoded): readonly LiveCommand[] {
  const [name, arity, flags, first, , , , , specs, subcommands] = reply as Decoded[];
  const keys = ((specs ?? []) as Decoded[]).filter((spec) => !flagsOfSpec(spec).includes('not_key'));
  const movable = (flags as Decoded[]).map(String).includes('movablekeys');
  const takesKeys = keys.length > 0 || (specs === undefined && (Number(first) > 0 || movable));
  const subs = ((subcommands ?? []) as Decoded[]).flatMap(described);
  return [{ name: String(name).toLowerCase(), arity: Number(arity), takesKeys }, ...subs];
}

/** Before 7.0 a container stands for its subcommands: those of the table that take keys. */
function subcommandsOf(container: LiveCommand): readonly LiveCommand[] {
  const subcommands = findCommand([container.name])?.subcommands;
  if (subcommands === undefined) return [container];
  return subcommands.flatMap((name) => {
    const { name: full, arity, keySpecs } = findCommand([container.name, name])!;
    return keySpecs.length === 0 ? [] : [{ name: full, arity, takesKeys: container.takesKeys }];
  });
}

function flagsOfSpec(spec: Decoded): readonly string[] {
  const members = spec as Decoded[];
  const at = members.findIndex((member) => String(member) === 'flags');
  return (members[at + 1] as Decoded[]).map(String);
}

/** The command without options that came after a version of Redis: 6.0 reads options to find keys. */
function asOf(info: CommandInfo, version: string): CommandInfo {
  const known = (grammar: readonly GrammarArgument[]): readonly GrammarArgument[] =>
    grammar
      .filter((argument) => !argument.optional || !isLater(argument.since ?? '0', version))
      .map((argument) => (argument.arguments ? { ...argument, arguments: known(argument.arguments) } : argument));
  return info.grammar === undefined ? info : { ...info, grammar: known(info.grammar) };
}

function isLater(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number));
  const differs = a!.findIndex((part, index) => part !== (b![index] ?? 0));
  return differs >= 0 && a![differs]! > (b![differs] ?? 0);
}

/** Argument lists that a grammar allows, in its own order; a count of keys is at times wrong. `password`: that of MIGRATE. */
function argumentsOf(info: CommandInfo, password: string): fc.Arbitrary<readonly string[]> {
  if (info.name === 'migrate') return migrations(password);
  if (info.name === 'stralgo') return comparisons;
  if (info.grammar !== undefined) return sequenceOf(info.grammar);
  const least = Math.max(0, Math.abs(info.arity) - info.name.split('|').length);
  return fc.array(texts, { minLength: least, maxLength: least + (info.arity < 0 ? 2 : 0) });
}

/** A key, or KEYS with an empty key: both at once are refused from 7.0 on. 6.0 takes a password for the word KEYS. */
function migrations(password: string): fc.Arbitrary<readonly string[]> {
  return fc
    .tuple(
      fc.constantFrom('k1', ''),
      fc.subarray([['COPY'], ['replace'], ['AUTH', password], ['AUTH2', password, 'p']]),
      fc.array(fc.constantFrom('k1', 'KEYS', 'x'), { minLength: 1, maxLength: 3 }),
    )
    .map(([key, options, keys]) => [
      'h',
      '1',
      key,
      '0',
      '1',
      ...options.flat(),
      ...(key === '' ? ['KEYS', ...keys] : []),
    ]);
}

/** STRALGO, of 6.0 alone, which documents nothing. */
const comparisons: fc.Arbitrary<readonly string[]> = fc
  .tuple(fc.constantFrom('KEYS', 'strings'), fc.subarray([['LEN'], ['IDX'], ['MINMATCHLEN', '1']]))
  .map(([what, options]) => ['LCS', what, 'k1', 'x', ...options.flat()]);

function sequenceOf(grammar: readonly GrammarArgument[]): fc.Arbitrary<readonly string[]> {
  const parts = grammar.flatMap((argument, index) => {
    const before = grammar[index - 1];
    if (before !== undefined && isCount(before) && argument.multiple) return [];
    const counted = grammar[index + 1];
    return [isCount(argument) && counted?.multiple ? countedOf(counted) : argumentOf(argument)];
  });
  return fc.tuple(...parts).map((words) => words.flat());
}

const isCount = ({ name, token }: GrammarArgument) => name === 'numkeys' && token === undefined;

/** Values and how many they are; one time of eight something else. (Not 1.0, which COMMAND GETKEYS reads as 1, and the command refuses.) */
function countedOf(values: GrammarArgument): fc.Arbitrary<readonly string[]> {
  const wrong = fc.constantFrom('0', '-1', '9', 'x');
  return fc
    .tuple(
      fc.array(valuesOf(values), { minLength: 1, maxLength: 3 }),
      fc.oneof({ weight: 7, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: wrong }),
    )
    .map(([items, count]) => [count ?? String(items.length), ...items.flat()]);
}

function argumentOf(argument: GrammarArgument): fc.Arbitrary<readonly string[]> {
  const token = argument.token === undefined ? [] : [argument.token];
  const value = valuesOf(argument);
  const once = value.map((words) => [...token, ...words]);
  const many = fc
    .array(value, { minLength: 1, maxLength: 3 })
    .map((values) => values.flatMap((words, i) => [...(i === 0 || argument.multiple_token ? token : []), ...words]));
  const present = argument.multiple ? many : once;
  return argument.optional ? fc.oneof(fc.constant([]), present) : present;
}

function valuesOf(argument: GrammarArgument): fc.Arbitrary<readonly string[]> {
  switch (argument.type) {
    case 'block':
      return sequenceOf(argument.arguments ?? []);
    case 'oneof':
      return fc.oneof(...(argument.arguments ?? []).map(argumentOf));
    case 'pure-token':
      return fc.constant(argument.token === undefined ? [''] : []);
    case 'integer':
    case 'unix-time':
    case 'double':
      return fc.integer({ min: 1, max: 3 }).map((number) => [String(number)]);
    default:
      return texts.map((word) => [word]);
  }
}

/** Values, some of which are words of other places. */
const texts = fc.constantFrom('k1', 'k2', 'v', 'get', 'store', 'KEYS', '');
