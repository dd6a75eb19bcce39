/**
 * How much memory a command takes beside what is there: at least and at most, by its arguments and the facts of its keys.
 * "At least" is what it takes for certain; it is 0 wherever a value may be replaced or be there already.
 */
import { type Bytes, byteLength } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import { commandName, findCommand } from '../catalog/lookup.ts';
import type { KeyFacts } from '../plan/target.ts';
import { deadlineOf } from './expiry.ts';
import { hasOption, integer } from './words.ts';

/** Bytes of memory. */
export interface Growth {
  readonly least: number;
  readonly most: number;
}

/** An entry of the key table, the key's object and the value's. */
const entryBytes = 80;
/** An entry of the table of deadlines. */
const deadlineBytes = 40;
/** A shorter value may be kept as a number or in a compact form that takes less than its text. */
const surelyText = 20;

/** The growth of one command. `of`: the facts of a key, where there are any. */
export function growthOf(argv: Argv, of: (key: Bytes) => KeyFacts | undefined): Growth {
  const facts = argv[1] === undefined ? undefined : of(argv[1]);
  const isNew = facts?.exists === false;
  switch (commandName(argv)) {
    case 'set':
      return written(argv[1], argv[2], isNew && !hasOption(argv, 3, 'XX', 'IFEQ'));
    case 'setnx':
    case 'getset':
      return written(argv[1], argv[2], isNew);
    case 'setex':
    case 'psetex':
      return written(argv[1], argv[3], isNew);
    case 'restore':
      return written(argv[1], argv[3], isNew);
    case 'append':
      return written(isNew ? argv[1] : undefined, argv[2], facts !== undefined);
    case 'setrange':
      return reaching(facts, integer(argv, 2), lengthOf(argv[3]));
    case 'setbit':
      return reaching(facts, eighth(integer(argv, 2)), 1);
    case 'copy': {
      const bytes = facts?.bytes ?? 0;
      const onto = argv[2] === undefined ? undefined : of(argv[2]);
      return { least: onto?.exists === false ? bytes : 0, most: bytes };
    }
    default:
      return otherwise(argv, facts);
  }
}

/** The most that commands of so many bytes can take, if none of them takes more than its words. */
export function mostOf({ bytes, sent }: { readonly bytes: number; readonly sent: number }): number {
  return bytes + sent * (entryBytes + deadlineBytes);
}

/** True for what may take more memory than its words: a copy, a string that is filled up with zeros. */
export function exceedsItsWords([first]: Argv): boolean {
  return typeof first === 'string' && /^(?:copy|setrange|setbit)$/i.test(first);
}

/** True when the server refuses the command while its memory is full. */
export function isRefusedWhenFull(argv: Argv): boolean {
  return findCommand(argv)?.flags.includes('denyoom') ?? false;
}

function written(key: Bytes | undefined, value: Bytes | undefined, certain: boolean): Growth {
  const length = lengthOf(value);
  const size = length + lengthOf(key);
  return { least: certain && length > surelyText ? size : 0, most: size + entryBytes };
}

/** A string that is filled up with zeros to the place that is written. */
function reaching(facts: KeyFacts | undefined, offset: bigint | undefined, length: number): Growth {
  const end = length === 0 || offset === undefined ? 0 : Number(offset) + length;
  const present = facts?.exists ? facts.elements : 0;
  const more = Math.max(0, end - (present ?? 0));
  return { least: facts === undefined || present === undefined ? 0 : more, most: more };
}

function eighth(bits: bigint | undefined): bigint | undefined {
  return bits === undefined ? undefined : bits / 8n;
}

function otherwise(argv: Argv, facts: KeyFacts | undefined): Growth {
  if (deadlineOf(argv)?.by === 'expire') {
    const none = facts === undefined || facts.ttl_ms === -1;
    return { least: 0, most: none ? deadlineBytes : 0 };
  }
  if (!isRefusedWhenFull(argv)) return { least: 0, most: 0 };
  return { least: 0, most: argv.slice(1).reduce<number>((sum, one) => sum + lengthOf(one), entryBytes) };
}

function lengthOf(bytes: Bytes | undefined): number {
  return bytes === undefined ? 0 : byteLength(bytes);
}
