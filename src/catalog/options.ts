/**
 * Whether an argument list carries an option, when some arguments may be unknown until the run: an unknown argument in
 * an option's place could be any option, so there are three answers.
 */
import type { Argv } from './command.ts';
import { wordOf } from './lookup.ts';

/** yes, no, or maybe: an argument that is not known could be it. */
export type Presence = 'yes' | 'no' | 'maybe';

/** Whether one of the words (lower case) stands among the arguments from an index on. */
export function presence(argv: Argv, from: number, ...words: readonly string[]): Presence {
  const rest = argv.slice(from);
  if (rest.some((argument) => argument !== undefined && words.includes(wordOf(argument)))) return 'yes';
  return rest.includes(undefined) ? 'maybe' : 'no';
}

/** True when one of the words stands, or may stand, among the arguments from an index on. */
export function mayHave(argv: Argv, from: number, ...words: readonly string[]): boolean {
  return presence(argv, from, ...words) !== 'no';
}

/** True when one of the words surely stands among the arguments from an index on. */
export function has(argv: Argv, from: number, ...words: readonly string[]): boolean {
  return presence(argv, from, ...words) === 'yes';
}
