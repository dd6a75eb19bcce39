/**
 * What a command does to a key's time to live: sets a deadline, takes it away, or deletes because the deadline is not in
 * the future. Redis: EXPIRE with 0, a negative number or a past EXPIREAT deletes the key at once.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import { keysOf } from '../catalog/keys.ts';
import { commandName } from '../catalog/lookup.ts';
import { integer, optionAt } from './words.ts';

/** A deadline that a command gives to a key. */
export interface Deadline {
  readonly key: Bytes | undefined;
  /** relative: counted from when the server runs it; absolute: a point in time. */
  readonly kind: 'relative' | 'absolute';
  /** Milliseconds, from now or Unix time; undefined when not known before the run. */
  readonly ms: bigint | undefined;
  /** The command that gives it: EXPIRE and its kin act on an existing key, the others write the value too. */
  readonly by: 'expire' | 'write';
  /** The word that gives it: `EXPIRE`, `EX`, `PXAT`. */
  readonly word: string;
  /** The index in argv of the number. */
  readonly argument: number;
}

/** 2026-01-01: a deadline before it is past whatever the present time is. */
const certainlyPast = 1_767_225_600_000n;

const expires: Readonly<Record<string, { readonly kind: 'relative' | 'absolute'; readonly unit: bigint }>> = {
  expire: { kind: 'relative', unit: 1000n },
  pexpire: { kind: 'relative', unit: 1n },
  expireat: { kind: 'absolute', unit: 1000n },
  pexpireat: { kind: 'absolute', unit: 1n },
};
const options: typeof expires = {
  EX: { kind: 'relative', unit: 1000n },
  PX: { kind: 'relative', unit: 1n },
  EXAT: { kind: 'absolute', unit: 1000n },
  PXAT: { kind: 'absolute', unit: 1n },
};

/** The deadline that the command gives to its key; undefined when it gives none. */
export function deadlineOf(argv: Argv): Deadline | undefined {
  const name = commandName(argv);
  const expire = expires[name];
  if (expire) return made(argv, expire, 2, 'expire', name.toUpperCase());
  if (name === 'setex') return made(argv, options.EX!, 2, 'write', 'SETEX');
  if (name === 'psetex') return made(argv, options.PX!, 2, 'write', 'PSETEX');
  if (name !== 'set' && name !== 'getex') return undefined;
  const index = optionAt(argv, name === 'set' ? 3 : 2, ...Object.keys(options));
  if (index < 0) return undefined;
  const option = String(argv[index]).toUpperCase();
  return made(argv, options[option]!, index + 1, name === 'set' ? 'write' : 'expire', option);
}

/** Whether the deadline is not in the future: the key is gone at once. undefined: the present time is not known. */
export function isPast(deadline: Deadline, now: number | undefined): boolean | undefined {
  if (deadline.ms === undefined) return false;
  if (deadline.kind === 'relative') return deadline.ms <= 0n;
  if (deadline.ms <= certainlyPast) return true;
  return now === undefined ? undefined : deadline.ms <= BigInt(Math.floor(now));
}

/** The keys whose value the command replaces without keeping or giving a TTL: SET without EX, KEEPTTL or NX, GETSET, MSET. */
export function dropsTtlOf(argv: Argv): readonly Bytes[] {
  switch (commandName(argv)) {
    case 'set': {
      const keeps = optionAt(argv, 3, 'EX', 'PX', 'EXAT', 'PXAT', 'KEEPTTL', 'NX') >= 0;
      return keeps || argv.slice(3).includes(undefined) ? [] : known([argv[1]]);
    }
    case 'getset':
      return known([argv[1]]);
    case 'mset':
      return known((keysOf(argv) ?? []).map((use) => use.key));
    default:
      return [];
  }
}

function made(
  argv: Argv,
  form: { readonly kind: 'relative' | 'absolute'; readonly unit: bigint },
  argument: number,
  by: Deadline['by'],
  word: string,
): Deadline {
  const number = integer(argv, argument);
  const ms = number === undefined ? undefined : number * form.unit;
  return { key: argv[1], kind: form.kind, ms, by, word, argument };
}

function known(keys: readonly (Bytes | undefined)[]): readonly Bytes[] {
  return keys.filter((key) => key !== undefined);
}
