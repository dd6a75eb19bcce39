/**
 * From an argument list to its entry of the command table. Redis looks up names without regard to case, and a second
 * word chooses among subcommands only where the command has some.
 */
import { type Bytes, toBuffer } from '../base/bytes.ts';
import type { Argv, CommandInfo } from './command.ts';
import { commandTable } from './table.ts';

const none: readonly CommandInfo[] = [];

/** Every command and subcommand of the table, by name. */
export function allCommands(): readonly CommandInfo[] {
  return commandTable().commands;
}

/**
 * The entry of a command, of the subcommand when argv[1] names one; undefined when the table does not have it, nor does
 * `more`: what a server said of commands that the table lacks (live.ts).
 */
export function findCommand(argv: Argv, more: readonly CommandInfo[] = none): CommandInfo | undefined {
  const info = entryOf(wordOf(argv[0]), more);
  if (info?.subcommands === undefined || argv[1] === undefined) return info;
  return entryOf(`${info.name}|${wordOf(argv[1])}`, more) ?? info;
}

function entryOf(name: string, more: readonly CommandInfo[]): CommandInfo | undefined {
  return commandTable().byName.get(name) ?? more.find((info) => info.name === name);
}

/** The name in the table's spelling: 'set', 'script|load'; argv[0] in lower case when the table does not have it. */
export function commandName(argv: Argv): string {
  return findCommand(argv)?.name ?? wordOf(argv[0]);
}

/**
 * An argument as Redis compares option words: ASCII letters in lower case, other bytes as they are (one character per
 * byte). The empty string for an unknown argument.
 */
export function wordOf(argument: Bytes | undefined): string {
  if (argument === undefined) return '';
  if (typeof argument === 'string' && ascii.test(argument)) return argument.toLowerCase();
  return toBuffer(argument)
    .toString('latin1')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

// most words: no detour over bytes, which would be the larger part of judging a long pipeline
const ascii = /^[\x00-\x7f]*$/;
