/** Libraries have names of their own: the server refuses to load one that is there, and to delete one that is not. */
import type { Argv } from '../../catalog/command.ts';
import { commandName } from '../../catalog/lookup.ts';
import { nearName } from '../../catalog/near-name.ts';
import { luaFacts } from '../../formats/lua.ts';
import type { LibraryFacts } from '../../plan/target.ts';
import { howToGive } from '../facts.ts';
import { eachCommand, type Said } from '../findings.ts';
import type { Rule } from '../rule.ts';
import { hasOption, listed } from '../words.ts';

/** LUA016: FUNCTION LOAD of a library that is there, FUNCTION DELETE of one that is not. */
export const lua016: Rule = {
  code: 'LUA016',
  severity: 'error',
  title: 'a library of functions is loaded over another, or deleted where there is none',
  check(subject) {
    const changes = subject.commands.filter(({ argv }) => judged(commandName(argv)));
    if (changes.length === 0) return { findings: [] };
    const libraries = subject.target?.libraries;
    if (libraries === undefined)
      return { findings: [], unchecked: `needs the libraries of the server: ${howToGive(subject)}` };
    if (changes.length > 1) return { findings: [], unchecked: 'what is loaded and deleted in between is not followed' };
    return { findings: eachCommand(subject, (name, { argv }) => judge(name, argv, libraries)) };
  },
};

function judged(name: string): boolean {
  return name === 'function|load' || name === 'function|delete';
}

function judge(name: string, argv: Argv, libraries: readonly LibraryFacts[]): Said | undefined {
  if (name === 'function|delete') return deleted(argv[2], libraries);
  if (name !== 'function|load') return undefined;
  const source = argv.at(-1);
  const library = source === undefined ? undefined : luaFacts(source).shebang?.name;
  const known = libraries.find((one) => one.library === library);
  if (known === undefined) return undefined;
  const functions = listed(known.functions.map((one) => one.name));
  if (hasOption(argv.slice(0, -1), 2, 'REPLACE'))
    return {
      severity: 'warning',
      message: `the library ${known.library} is there and goes, with its functions ${functions}`,
      why: 'FCALL of a function that the new library does not register fails from then on, for every client.',
      fix: 'Keep the one that is there first: redops function dump FILE.',
    };
  return {
    message: `there is a library ${known.library} already, with the functions ${functions}`,
    why: 'The server refuses to load a library of a name that is there.',
    fix: 'Load it in its place with --replace ("replace": true), or give it another name.',
  };
}

function deleted(name: Argv[number], libraries: readonly LibraryFacts[]): Said | undefined {
  if (typeof name !== 'string' || libraries.some(({ library }) => library === name)) return undefined;
  const near = nearName(
    name,
    libraries.map(({ library }) => library),
  );
  return {
    message: `the server has no library ${name}`,
    why: 'The server would refuse to delete it (Library not found).',
    fix: near === undefined ? 'Look which there are: redops function list.' : `Did you mean ${near}?`,
  };
}
