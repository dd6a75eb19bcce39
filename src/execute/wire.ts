/** From a step's arguments to bytes: the key of a job, the value of an expression, a deadline that is fixed once. */
import { type Bytes, toBuffer } from '../base/bytes.ts';
import type { WireArgument } from '../formats/resp.ts';
import { jitterPart } from '../plan/chunk-script.ts';
import type { Argument } from '../plan/values.ts';

/** What the arguments of one command stand for. */
export interface Binding {
  readonly runId: string;
  /** The attempt of a transaction, which its marker names. */
  readonly attempt?: string;
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
    if ('param' in argument) return must(argument.param === 'key' ? binding.key : binding.attempt);
    if ('expr' in argument) return must(binding.values?.get(argument.expr));
    const { after_ms, jitter_ms } = argument.deadline;
    const part = jitterPart(binding.runId, binding.key ?? (argv[1] as Bytes));
    return String(must(binding.timeMs) + after_ms + Math.floor(part * (jitter_ms + 1)));
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
