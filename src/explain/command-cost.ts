/**
 * The price of one command on live data: how many elements the server touches, how long that holds its main thread, how
 * many bytes come back. The N of each O(N) comes from the cardinalities that inspection read; a key that was not
 * inspected counts as one element.
 */
import { type Bytes, byteLength } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import { type KeyUse, keysOf } from '../catalog/keys.ts';
import { commandName, findCommand } from '../catalog/lookup.ts';
import { type Costs, formOf } from '../plan/costs.ts';
import type { KeyFacts, Server } from '../plan/target.ts';
import { type Across, elementsRead, type Shape, shapeOf } from './command-shape.ts';
import { bulkBytes } from './resp-bytes.ts';
import {
  about,
  addTimes,
  fixedPart,
  type Micros,
  noTime,
  timeOf,
  times,
  unknownCommand,
  type Work,
} from './server-time.ts';
import { keysVisitMicros, scanVisit } from './unit-costs.ts';

/** Elements touched, time of the server's main thread, bytes of the reply. */
export interface CommandCost {
  readonly elements: number;
  /** False: so many at most, or facts of a key are missing. */
  readonly exact: boolean;
  readonly time: Micros;
  readonly reply_bytes: number;
}

/** What the price depends on besides the command. */
export interface Facts {
  readonly server: Server;
  readonly costs: Costs;
  of(key: Bytes): KeyFacts | undefined;
}

/** The price of one command; at least one element. */
export function commandCost(argv: Argv, facts: Facts): CommandCost {
  const uses = keysOf(argv) ?? [];
  const shape = shapeOf(argv);
  const cost = sum([work(shape, argv, uses, facts), ...uses.map((use) => overwritten(use, argv, facts))]);
  return { ...cost, elements: Math.max(1, cost.elements) };
}

/** The sum of prices. */
export function sum(costs: readonly CommandCost[]): CommandCost {
  let elements = 0;
  let reply_bytes = 0;
  for (const cost of costs) {
    elements += cost.elements;
    reply_bytes += cost.reply_bytes;
  }
  return {
    elements,
    exact: costs.every(({ exact }) => exact),
    time: addTimes(costs.map(({ time }) => time)),
    reply_bytes,
  };
}

const smallReply = 5; // `+OK\r\n`, `:1\r\n`

function work(shape: Shape, argv: Argv, uses: readonly KeyUse[], facts: Facts): CommandCost {
  switch (shape.shape) {
    case 'one': {
      const time = timeOfOne(argv, uses, facts);
      return { elements: 1, exact: findCommand(argv) !== undefined, time, reply_bytes: oneReply(argv, uses, facts) };
    }
    case 'deletes':
      return sum(uses.map((use) => deleted(use, argv, facts, uses.length)));
    case 'per_argument':
      return argumentsCost(shape, argv, uses, facts);
    case 'elements':
      return elementsCost(shape, argv, uses, facts);
    case 'keyspace': {
      const keys = shape.reads === undefined ? facts.server.keys : Math.min(facts.server.keys, shape.reads);
      const visits = shape.micros === 'scan' ? times(scanVisit(facts), keys) : about(keys * keysVisitMicros, 2.5);
      const time = addTimes([unknownCommand, visits]);
      return { elements: keys, exact: shape.reads === undefined, time, reply_bytes: 16 + keys * 16 };
    }
    case 'flush':
      return flushCost(shape.asynchronous ?? lazy(facts.server, 'flush'), facts.server);
  }
}

/** Constant work, or logarithmic in the size of the key; of a string as many bytes as are read or given. */
function timeOfOne(argv: Argv, [use]: readonly KeyUse[], { of, costs }: Facts): Micros {
  if (use === undefined) return unknownCommand;
  const known = of(keyOf(use));
  const command = commandName(argv);
  const type = typeOf(command, argv, known);
  const size = writesString.has(command) ? byteLength(argv.at(-1) ?? '') : (known?.elements ?? 0);
  return timeOf({ command, type, form: formOf(type, known?.encoding), size, units: 1, per: 'size' }, costs);
}

const writesString: ReadonlySet<string> = new Set('set setex psetex setnx getset append setrange'.split(' '));

function argumentsCost(
  shape: Extract<Shape, { shape: 'per_argument' }>,
  argv: Argv,
  uses: readonly KeyUse[],
  { of, costs }: Facts,
): CommandCost {
  const units = Math.max(1, Math.ceil((argv.length - shape.from) / shape.step));
  const command = commandName(argv);
  const known = uses[0] && of(keyOf(uses[0]));
  const type = shape.from === 1 ? 'keys' : typeOf(command, argv, known);
  // what grows by its arguments is no longer compact after the first few hundred
  const form = type === 'keys' ? 'string' : 'table';
  const reply_bytes = shape.replies ? uses.reduce((bytes, use) => bytes + valueBytes(of(keyOf(use))), 0) : smallReply;
  const time = timeOf({ command, type, form, size: known?.elements ?? 0, units, per: 'argument' }, costs);
  return { elements: units, exact: true, time: addTimes([time, bytesTime(reply_bytes - units * 16)]), reply_bytes };
}

function elementsCost(
  { range, across, replies, atMost }: Extract<Shape, { shape: 'elements' }>,
  argv: Argv,
  uses: readonly KeyUse[],
  { of, costs }: Facts,
): CommandCost {
  const command = commandName(argv);
  const read = uses.filter((use) => use.access !== 'OW'); // what it overwrites is priced as freed
  const each = read.map((use) => {
    const known = of(keyOf(use));
    const all = sizeOf(known);
    return { known, all, touched: elementsRead(range, argv, all) };
  });
  const touched = acrossKeys(
    each.map((one) => one.touched),
    across,
  );
  const largest = each.reduce(
    (most, one) => (one.all > most.all ? one : most),
    each[0] ?? { known: undefined, all: 0 },
  );
  const type = typeOf(command, argv, largest.known);
  const isString = type === 'string';
  const found: Work = {
    command,
    type,
    form: formOf(type, largest.known?.encoding),
    size: isString ? (largest.known?.elements ?? 0) : largest.all,
    units: isString ? (largest.known?.elements ?? 0) : touched,
    per: 'element',
  };
  const typical = smallReply + touched * 40;
  const reply_bytes = replies
    ? smallReply + each.reduce((bytes, one) => bytes + replyShare(one.known, one.all, one.touched), 0)
    : smallReply;
  return {
    elements: Math.max(1, touched),
    exact: !atMost && each.length > 0 && each.every(({ known }) => known !== undefined),
    time: addTimes([timeOf(found, costs), bytesTime(reply_bytes - typical)]),
    reply_bytes,
  };
}

function sizeOf(known: KeyFacts | undefined): number {
  if (known?.exists === false) return 0;
  return known === undefined || known.type === 'string' ? 1 : (known.elements ?? 1);
}

function acrossKeys(touched: readonly number[], across: Across): number {
  if (touched.length === 0) return 0; // its keys are not known
  const all = touched.reduce((sum, one) => sum + one, 0);
  if (across === 'sum') return all;
  if (across === 'least') return Math.min(...touched) * touched.length;
  return Math.min(touched[0]! * touched.length, all);
}

/** The type that a key has, or would have: the one that the command works on. */
function typeOf(command: string, argv: Argv, known: KeyFacts | undefined): string {
  if (known?.exists) return known.type;
  const group = findCommand(argv)?.group ?? '';
  if (group === 'sorted-set') return 'zset';
  return group === 'generic' || group === 'bitmap' || command === '' ? 'string' : group;
}

/** What bytes beyond those of small elements take: copying into the reply (GET of 16 KB to 1 MB, Redis 7.0). */
function bytesTime(bytes: number): Micros {
  return bytes <= 0 ? noTime : about(bytes * 0.00008, 2.5);
}

/** The part of a value that comes back; MEMORY USAGE counts the bookkeeping too, so this is at the upper side. */
function replyShare(known: KeyFacts | undefined, all: number, touched: number): number {
  if (known === undefined || all === 0) return touched * 16;
  if (known.type === 'string') return valueBytes(known);
  return Math.round(((known.bytes ?? all * 16) / all) * touched);
}

function oneReply(argv: Argv, uses: readonly KeyUse[], facts: Facts): number {
  const name = commandName(argv);
  if (name === 'echo' || name === 'ping') return bulkBytes(argv[1] === undefined ? 4 : byteLength(argv[1]));
  const [use] = uses;
  if (use === undefined || !valueReplies.has(name)) return smallReply;
  const known = facts.of(keyOf(use));
  if (known?.type === 'string') return valueBytes(known);
  return known?.elements === undefined || known.elements === 0 ? smallReply : replyShare(known, known.elements, 1);
}

const valueReplies: ReadonlySet<string> = new Set(
  'get getdel getex getset getrange substr hget lindex lpop rpop spop srandmember hrandfield lmove rpoplpush dump'.split(
    ' ',
  ),
);

function valueBytes(known: KeyFacts | undefined): number {
  return known?.type === 'string' && known.elements !== undefined ? bulkBytes(known.elements) : smallReply;
}

/** DEL, UNLINK: looking the key up is an element of its own; `among` so many keys. */
function deleted(use: KeyUse, argv: Argv, { server, costs, of }: Facts, among: number): CommandCost {
  const known = of(keyOf(use));
  const name = commandName(argv);
  const reply_bytes = among === 0 ? 0 : smallReply / among;
  const lookup = times(
    timeOf({ command: name, type: 'keys', form: 'string', size: 0, units: among, per: 'argument' }, costs),
    1 / among,
  );
  if (known === undefined || !known.exists)
    return { elements: 1, exact: known !== undefined, time: lookup, reply_bytes };
  const background = name === 'unlink' || lazy(server, 'del');
  const { elements, time } = freeing(known, background, costs);
  return { elements: Math.max(1, elements), exact: true, time: addTimes([lookup, time]), reply_bytes };
}

/** What the server frees because a key is overwritten, where it does so at once. */
function overwritten(use: KeyUse, argv: Argv, { of, costs, server }: Facts): CommandCost {
  const nothing: CommandCost = { elements: 0, exact: true, time: noTime, reply_bytes: 0 };
  const gone = use.access === 'OW' || (use.access === 'RM' && commandName(argv) === 'getdel');
  const known = of(keyOf(use));
  if (!gone || known === undefined || !known.exists) return nothing;
  const { elements, time } = freeing(known, lazy(server, 'server_del'), costs);
  return known.type === 'string' ? { ...nothing, time } : { ...nothing, elements, time };
}

/** Collections of at most 64 elements are freed at once even where that is left to the background (LAZYFREE_THRESHOLD). */
const alwaysAtOnce = 64;

/** Freeing a value, beyond finding it. */
function freeing(
  known: KeyFacts,
  background: boolean,
  costs: Costs,
): { readonly elements: number; readonly time: Micros } {
  const { type } = known;
  const size = known.elements ?? 1;
  const form = formOf(type, known.encoding);
  const found: Work = { command: 'del', type, form, size, units: size, per: 'element' };
  if (type === 'string') return { elements: 1, time: beyondFixed(found, costs) };
  if (background && size > alwaysAtOnce) return { elements: 1, time: about(0.5, 3) };
  return { elements: size, time: beyondFixed(found, costs) };
}

function beyondFixed(found: Work, costs: Costs): Micros {
  const { expected, low, high } = timeOf(found, costs);
  const fixed = fixedPart(found, costs);
  const less = (micros: number) => Math.max(0, micros - fixed);
  return { expected: less(expected), low: less(low), high: less(high) };
}

function flushCost(background: boolean, server: Server): CommandCost {
  if (background) return { elements: 1, exact: true, time: about(100, 3), reply_bytes: smallReply };
  const time = addTimes([unknownCommand, about(server.keys * freedKeyMicros, 3)]);
  return { elements: Math.max(1, server.keys), exact: true, time, reply_bytes: smallReply };
}

/** A small key that is freed with its entry (FLUSHALL SYNC of 1M strings, Redis 7.0). */
const freedKeyMicros = 0.45;

/** The lazyfree setting; where the server does not tell it, its engine's default (yes from Valkey 8.0, no on Redis). */
function lazy(server: Server, name: keyof Server['lazyfree']): boolean {
  return server.lazyfree[name] ?? (server.engine === 'valkey' && Number.parseInt(server.version, 10) >= 8);
}

function keyOf(use: KeyUse): Bytes {
  return use.key ?? '';
}
