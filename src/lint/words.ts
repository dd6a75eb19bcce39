/**
 * Reading a command's arguments the way rules need it: option words, whole numbers, and how a command is named in a
 * sentence. An argument that is not known before the run is undefined everywhere.
 */
import { type Bytes, printable, quoted } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';

/** The argument as an upper-case option word; undefined when it is not known, not text or not there. */
export function word(argv: Argv, index: number): string | undefined {
  const argument = argv[index];
  return typeof argument === 'string' ? argument.toUpperCase() : undefined;
}

/** The argument as a whole number; undefined when it is none or not known. */
export function integer(argv: Argv, index: number): bigint | undefined {
  const argument = argv[index];
  return typeof argument === 'string' && /^[+-]?\d{1,20}$/.test(argument) ? BigInt(argument) : undefined;
}

/** The position of the first of these option words at or after `from`; -1 when there is none. */
export function optionAt(argv: Argv, from: number, ...options: readonly string[]): number {
  for (let index = from; index < argv.length; index += 1) {
    const option = word(argv, index);
    if (option !== undefined && options.includes(option)) return index;
  }
  return -1;
}

/** True when one of these option words stands at or after `from`. */
export function hasOption(argv: Argv, from: number, ...options: readonly string[]): boolean {
  return optionAt(argv, from, ...options) >= 0;
}

/** The command in upper case as a reader knows it: `CONFIG SET`. Argument: a name of the catalog. */
export function spoken(name: string): string {
  return name.replaceAll('|', ' ').toUpperCase();
}

/** A key or value for a sentence: escaped, and cut after 60 characters. */
export function shown(bytes: Bytes): string {
  return cut(printable(bytes), 60);
}

/** Words that a person wrote, for a sentence: as they are, what is not text escaped, and cut after 200 characters. */
export function remark(bytes: Bytes): string {
  return cut(typeof bytes === 'string' ? bytes : printable(bytes), 200);
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 3)}...` : text;
}

/** A piece of source for a sentence, on one line and safe for a terminal. */
export function excerpt(text: string): string {
  return quoted(text.replace(/\s+/g, ' ')).slice(1, -1).replaceAll('\\"', '"');
}

/** "a, b, c and 4 more" of items that are already fit to print. */
export function listed(items: readonly string[], most = 3): string {
  const rest = items.length - most;
  return rest > 0 ? `${items.slice(0, most).join(', ')} and ${rest} more` : items.join(', ');
}
