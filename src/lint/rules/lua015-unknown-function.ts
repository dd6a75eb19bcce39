/** A function is called by its name, and the name means something only where its library is loaded: on every node. */
import type { Argv } from '../../catalog/command.ts';
import { commandName } from '../../catalog/lookup.ts';
import { nearName } from '../../catalog/near-name.ts';
import type { LibraryFacts } from '../../plan/target.ts';
import { howToGive } from '../facts.ts';
import { eachCommand, type Said } from '../findings.ts';
import type { Rule } from '../rule.ts';
import { listed } from '../words.ts';

/** LUA015: FCALL of a function that the server does not have, or will not run so. */
export const lua015: Rule = {
  code: 'LUA015',
  severity: 'error',
  title: 'a call of a function that the server does not have, or refuses to call so',
  check(subject) {
    const names = subject.commands.map(({ argv }) => commandName(argv));
    if (!names.some(calls)) return { findings: [] };
    const libraries = subject.target?.libraries;
    if (libraries === undefined)
      return { findings: [], unchecked: `needs the libraries of the server: ${howToGive(subject)}` };
    if (names.some((name) => name === 'function|load' || name === 'function|restore'))
      return { findings: [], unchecked: 'libraries are loaded in between' };
    return {
      findings: eachCommand(subject, (name, { argv }) => (calls(name) ? judge(name, argv, libraries) : undefined)),
    };
  },
};

function calls(name: string): boolean {
  return name === 'fcall' || name === 'fcall_ro';
}

function judge(name: string, argv: Argv, libraries: readonly LibraryFacts[]): Said | undefined {
  const called = argv[1];
  if (typeof called !== 'string') return undefined;
  const library = libraries.find(({ functions }) => functions.some((one) => one.name === called));
  if (library === undefined) return unknown(called, libraries);
  if (library.missing_on !== undefined)
    return {
      message: `the library ${library.library} of the function ${called} is not the same on every node: ${listed(library.missing_on)}`,
      why: 'A function is not replicated from one primary to another: where its library is missing the call is refused.',
      fix: 'Load the library again, in place of what is there: redops function load FILE --replace sends it to every primary.',
    };
  const { flags } = library.functions.find((one) => one.name === called)!;
  if (name === 'fcall' || flags.includes('no-writes')) return undefined;
  return {
    message: `FCALL_RO of ${called}, which may write`,
    why: 'The server runs a function by FCALL_RO only if it was registered with the flag no-writes.',
    fix: 'Call it by FCALL, or register it with flags={"no-writes"}.',
  };
}

function unknown(called: string, libraries: readonly LibraryFacts[]): Said {
  const names = libraries.flatMap(({ functions }) => functions.map((one) => one.name));
  const near = nearName(called, names);
  return {
    message: `the server has no function ${called}`,
    why: 'The call would be refused (Function not found). A function with that very answer of its own could not be told from it.',
    fix:
      near === undefined
        ? 'Load its library first (redops function load), or look which there are: redops function list.'
        : `Did you mean ${near}? redops function list shows which there are.`,
  };
}
