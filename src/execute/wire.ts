/** From a step's arguments to bytes: the key of a job, the value of an expression, a deadline that is fixed once. */
import { type Bytes, toBuffer } from '../base/bytes.ts';
import type { WireArgument } from '../formats/resp.ts';
import type { Argument } from '../plan/values.ts';

/** What the arguments of one command stand for. */
export interface Binding {
  readonly runId: string;
  /** The key that a for_each is at, or the command's own key: the salt of the jitter. */
  readonly key?: Bytes;
  /** Server time in Unix milliseconds when the chunk is first sent. */
  readonly timeMs?: number;
  /** The bytes of each expression, by its text. */
  readonly values?: ReadonlyMap<string, Bytes>;
}

/** The arguments as bytes known for the catalog: deadlines and keys filled in. */
export function bind(argv: readonly Argument[], binding: Binding): Bytes[] {
  return argv.map((argument) => {
    if (typeof argument === 'string' || 'base64' in argument) return argument;
    if ('param' in argument) return must(binding.key);
    if ('expr' in argument) return must(binding.values?.get(argument.expr));
    const { after_ms, jitter_ms } = argument.deadline;
    const salt = `${binding.runId}/${JSON.stringify(binding.key ?? argv[1])}`;
    return String(must(binding.timeMs) + after_ms + Math.floor(fraction(salt) * (jitter_ms + 1)));
  });
}

/** The wire form of bound arguments. */
export function toWire(argv: readonly Bytes[]): WireArgument[] {
  return argv.map((argument) => (typeof argument === 'string' ? argument : toBuffer(argument)));
}

/** True when an argument waits for the server's time. */
export function hasDeadline(argv: readonly Argument[]): boolean {
  return argv.some((argument) => typeof argument === 'object' && 'deadline' in argument);
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('invariant broken: an argument was bound without its value');
  return value;
}

/** A number in [0, 1) that depends on the text alone, evenly spread: FNV-1a twice, finished as murmur3 does, 52 bits. */
export function fraction(text: string): number {
  return (mix(text, 0x811c9dc5) * 2 ** 20 + (mix(text, 0x01000193) >>> 12)) / 2 ** 52;
}

function mix(text: string, seed: number): number {
  let hash = seed;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
