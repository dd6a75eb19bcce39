/**
 * The price of one command on live data: how many elements the server touches, how long that holds its main thread, how
 * many bytes come back. The N of each O(N) comes from the cardinalities that inspection read; a key that was not
 * inspected counts as one element.
 */
import { type Bytes, byteLength } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import { type KeyUse, keysOf } from '../catalog/keys.ts';
import { commandName } from '../catalog/lookup.ts';
import type { KeyFacts, Server } from '../plan/target.ts';
import { elementsRead, type Shape, shapeOf } from './command-shape.ts';
import { bulkBytes } from './resp-bytes.ts';
import {
  algebraMicros,
  argumentMicros,
  commandMicros,
  copyMicros,
  freeMicros,
  freeStringByteMicros,
  keysVisitMicros,
  listStepMicros,
  readMicros,
  scanVisitMicros,
} from './unit-costs.ts';

/** Elements touched, microseconds of the server's main thread, bytes of the reply. */
export interface CommandCost {
  readonly elements: number;
  readonly micros: number;
  readonly reply_bytes: number;
}

/** What the price depends on besides the command. */
export interface Facts {
  readonly server: Server;
  of(key: Bytes): KeyFacts | undefined;
}

/** The price of one command; at least one element. */
export function commandCost(argv: Argv, facts: Facts): CommandCost {
  const uses = keysOf(argv) ?? [];
  const shape = shapeOf(argv);
  const cost = sum([work(shape, argv, uses, facts), ...uses.map((use) => freed(use, argv, facts))]);
  return { ...cost, elements: Math.max(1, cost.elements) };
}

/** The sum of prices. */
export function sum(costs: readonly CommandCost[]): CommandCost {
  let elements = 0;
  let micros = 0;
  let reply_bytes = 0;
  for (const cost of costs) {
    elements += cost.elements;
    micros += cost.micros;
    reply_bytes += cost.reply_bytes;
  }
  return { elements, micros, reply_bytes };
}

const smallReply = 5; // `+OK\r\n`, `:1\r\n`

function work(shape: Shape, argv: Argv, uses: readonly KeyUse[], facts: Facts): CommandCost {
  switch (shape.shape) {
    case 'one':
      return { elements: 1, micros: commandMicros, reply_bytes: oneReply(argv, uses, facts) };
    case 'deletes':
      return { elements: 0, micros: commandMicros, reply_bytes: smallReply };
    case 'per_argument': {
      const items = Math.max(1, Math.ceil((argv.length - shape.from) / shape.step));
      const reply = shape.replies
        ? uses.reduce((bytes, use) => bytes + valueBytes(facts.of(keyOf(use))), 0)
        : smallReply;
      return { elements: items, micros: commandMicros + (items - 1) * argumentMicros, reply_bytes: reply };
    }
    case 'elements':
      return elementsCost(shape, argv, uses, facts);
    case 'keyspace': {
      const keys = shape.reads === undefined ? facts.server.keys : Math.min(facts.server.keys, shape.reads);
      const unit = shape.micros === 'scan' ? scanVisitMicros : keysVisitMicros;
      return { elements: keys, micros: commandMicros + keys * unit, reply_bytes: 16 + keys * 16 };
    }
    case 'flush':
      return flushCost(shape.asynchronous ?? lazy(facts.server, 'flush'), facts.server);
  }
}

function elementsCost(
  shape: Extract<Shape, { shape: 'elements' }>,
  argv: Argv,
  uses: readonly KeyUse[],
  facts: Facts,
): CommandCost {
  let elements = 0;
  let micros = commandMicros;
  let reply = smallReply;
  for (const use of uses) {
    if (use.access === 'OW') continue; // what it overwrites is priced as freed
    const known = facts.of(keyOf(use));
    const all =
      known?.exists === false ? 0 : known === undefined || known.type === 'string' ? 1 : (known.elements ?? 1);
    const touched = elementsRead(shape.range, argv, all);
    elements += touched;
    micros += touched * unitOf(shape.work, known?.type ?? 'none');
    if (shape.replies) reply += replyShare(known, all, touched);
  }
  return { elements: Math.max(1, elements), micros, reply_bytes: reply };
}

function unitOf(kind: Extract<Shape, { shape: 'elements' }>['work'], type: string): number {
  switch (kind) {
    case 'read':
      return readMicros(type);
    case 'algebra':
      return algebraMicros;
    case 'copy':
      return copyMicros;
    case 'step':
      return listStepMicros;
    case 'remove':
      return readMicros(type) + freeMicros(type);
  }
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

/** What the server frees because of a key that is deleted or overwritten, where it does so at once. */
function freed(use: KeyUse, argv: Argv, facts: Facts): CommandCost {
  const name = commandName(argv);
  const deletes = use.access === 'RM' && (name === 'del' || name === 'unlink' || name === 'getdel');
  if (!deletes && use.access !== 'OW') return nothing;
  const known = facts.of(keyOf(use));
  const floor = deletes ? 1 : 0; // looking the key up is an element of its own for DEL and UNLINK
  if (known === undefined || !known.exists) return { ...nothing, elements: floor, micros: floor * commandMicros };
  if (known.type === 'string')
    return {
      ...nothing,
      elements: floor,
      micros: floor * commandMicros + (known.bytes ?? known.elements ?? 0) * freeStringByteMicros,
    };
  const elements = known.elements ?? 1;
  const background = name === 'unlink' || lazy(facts.server, name === 'del' ? 'del' : 'server_del');
  // collections of at most 64 elements are freed at once even then (LAZYFREE_THRESHOLD)
  if (background && elements > 64) return { ...nothing, elements: Math.max(1, floor), micros: commandMicros };
  return { ...nothing, elements: Math.max(floor, elements), micros: commandMicros + elements * freeMicros(known.type) };
}

const nothing: CommandCost = { elements: 0, micros: 0, reply_bytes: 0 };

function flushCost(background: boolean, server: Server): CommandCost {
  if (background) return { elements: 1, micros: 100, reply_bytes: smallReply };
  return {
    elements: Math.max(1, server.keys),
    micros: commandMicros + server.keys * freeMicros('hash'),
    reply_bytes: smallReply,
  };
}

/** The lazyfree setting; where the server does not tell it, its engine's default (yes from Valkey 8.0, no on Redis). */
function lazy(server: Server, name: keyof Server['lazyfree']): boolean {
  return server.lazyfree[name] ?? (server.engine === 'valkey' && Number.parseInt(server.version, 10) >= 8);
}

function keyOf(use: KeyUse): Bytes {
  return use.key ?? '';
}
