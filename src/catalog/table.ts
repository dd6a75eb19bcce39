/**
 * The generated table, read once and only when something asks for it: a command line that needs no catalog does not
 * pay for parsing it (280 KB, 3 ms). scripts/generate-catalog.mjs writes the file and leaves out members that are
 * empty; they are put back here, so that every entry has the shape of CommandInfo.
 */
import { createRequire } from 'node:module';
import { once } from '../base/once.ts';
import type { CommandInfo, ReplyShape } from './command.ts';

/** As it is written: servers by their place in the list, the shapes of a reply between bars. */
interface GeneratedTable {
  readonly servers: readonly string[];
  readonly commands: readonly GeneratedCommand[];
}

type GeneratedCommand = Partial<Omit<CommandInfo, 'reply' | 'seenOn'>> & {
  readonly name: string;
  readonly arity: number;
  readonly reply?: string;
  readonly seenOn?: readonly number[];
};

/** The table: every command and subcommand by its name (lower case, `script|load`), and the servers it was made from. */
export interface CommandTable {
  readonly servers: readonly string[];
  readonly commands: readonly CommandInfo[];
  readonly byName: ReadonlyMap<string, CommandInfo>;
}

/** The table; parsed at the first call, the same object afterwards. */
export const commandTable: () => CommandTable = once(readTable);

function readTable(): CommandTable {
  // require, because a static JSON import would be parsed at start and prints a warning on Node 20
  const generated = createRequire(import.meta.url)('./commands.generated.json') as GeneratedTable;
  const commands = generated.commands.map((entry) => completed(entry, generated.servers));
  return { servers: generated.servers, commands, byName: new Map(commands.map((info) => [info.name, info])) };
}

function completed({ reply, seenOn = [], ...entry }: GeneratedCommand, servers: readonly string[]): CommandInfo {
  return {
    flags: [],
    categories: [],
    keySpecs: [],
    tips: [],
    summary: '',
    since: '',
    group: entry.flags?.includes('module') ? 'module' : '',
    complexity: '',
    seenOn: seenOn.map((place) => servers[place]!),
    ...(reply === undefined ? {} : { reply: reply.split('|') as ReplyShape[] }),
    ...entry,
  };
}
