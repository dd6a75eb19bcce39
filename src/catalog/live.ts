/**
 * Commands that the table does not have, as a server describes them itself: those of its modules, and of a release that
 * is newer than the table. They stand beside the table, where the server was asked; nothing is kept between servers.
 */
import type { CommandInfo } from './command.ts';

/** What COMMAND INFO says of one command: its name in the table's spelling (`json.set`, `x|y`) and the rest as there. */
export type CommandFacts = Pick<CommandInfo, 'name' | 'arity' | 'flags' | 'categories' | 'keySpecs'>;

const anyKeys: CommandInfo['keySpecs'] = [{ flags: ['RW'], begin: { unknown: true }, find: { unknown: true } }];

/**
 * Entries in the shape of the table's own; a container is one that others are named after. Modules flag their commands
 * as they like: what is not flagged readonly is taken to write.
 */
export function liveCommands(facts: readonly CommandFacts[]): readonly CommandInfo[] {
  return facts.map((one) => {
    const subcommands = facts.filter(({ name }) => name.startsWith(`${one.name}|`));
    return {
      ...one,
      flags: one.flags.includes('readonly') ? one.flags : [...new Set([...one.flags, 'write'])],
      tips: [],
      summary: '',
      since: '',
      group: 'module',
      complexity: '',
      seenOn: [],
      ...(subcommands.length > 0 && {
        subcommands: subcommands.map(({ name }) => name.slice(one.name.length + 1)),
        // what a subcommand that is not known takes is not known either
        keySpecs: anyKeys,
      }),
    };
  });
}
