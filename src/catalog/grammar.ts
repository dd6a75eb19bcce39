/**
 * Whether the server would refuse a command for its form: an unknown name, a wrong number of arguments, an option that
 * does not exist, options that exclude each other, text where a number belongs. A transaction finds most of these only
 * at EXEC, half applied. A false alarm is worse than a miss: what any known version or fork takes is accepted, unknown
 * arguments fit everywhere, and where a grammar is missing or not what the parser does, only the number is checked.
 */
import { printable } from '../base/bytes.ts';
import type { Argv, CommandInfo } from './command.ts';
import { type Mismatch, mismatch } from './grammar-match.ts';
import { admits, integerOf } from './keys.ts';
import { allCommands, findCommand, wordOf } from './lookup.ts';
import { nearName } from './near-name.ts';
import { synopsisOf } from './synopsis.ts';

/** What is wrong with a command, what would be right, and at which index of argv. */
export interface CommandProblem {
  readonly message: string;
  readonly fix: string;
  readonly argument: number;
}

/** The first problem of a command's form; undefined when the server would take it, or when nothing can be said. */
export function checkCommand(argv: Argv): CommandProblem | undefined {
  if (argv.length === 0 || argv[0] === undefined) return undefined;
  const info = findCommand(argv);
  if (info === undefined) return unknownCommand(argv);
  return (
    unknownSubcommand(argv, info) ?? wrongCount(argv, info) ?? wrongKeyCount(argv, info) ?? wrongArguments(argv, info)
  );
}

/** Names of commands that exist but that the table leaves out: of Sentinel, of builds, and two words of HTTP in 6.0. */
const elsewhere = new Set(['sentinel', 'sflush', 'host:', 'post']);

/** Commands whose parsers take more, or other, than their documented grammar says. */
const arityOnly = new Set([
  // any arguments that its art of some version takes
  'lolwut',
  // Valkey ignores what follows the client's id when it cannot read it
  'client|unblock',
  // module arguments follow freely
  'module|loadex',
  'module|load',
]);

function unknownCommand(argv: Argv): CommandProblem | undefined {
  const word = wordOf(argv[0]);
  // a dot is the mark of a module's command (JSON.SET, FT.SEARCH): what is loaded is not known here
  if (word.includes('.') || elsewhere.has(word)) return undefined;
  const names = allCommands().map(({ name }) => name);
  const near = nearName(
    word,
    names.filter((name) => !name.includes('|')),
  );
  return {
    message: `unknown command ${printable(argv[0]!)}`,
    fix: near === undefined ? 'Use the name of a Redis command.' : `Did you mean ${near.toUpperCase()}?`,
    argument: 0,
  };
}

function unknownSubcommand(argv: Argv, info: CommandInfo): CommandProblem | undefined {
  if (info.subcommands === undefined || argv.length < 2 || argv[1] === undefined) return undefined;
  const word = wordOf(argv[1]);
  const near = nearName(word, info.subcommands);
  const container = info.name.toUpperCase();
  return {
    message: `${container} has no subcommand ${printable(argv[1])}`,
    fix:
      near === undefined
        ? `Its subcommands: ${info.subcommands.join(', ')}.`
        : `Did you mean ${container} ${near.toUpperCase()}?`,
    argument: 1,
  };
}

function wrongCount(argv: Argv, info: CommandInfo): CommandProblem | undefined {
  if (admits(info.arity, argv.length)) return undefined;
  const words = info.name.split('|').length;
  const wanted = Math.abs(info.arity) - words;
  const given = argv.length - words;
  const name = info.name.toUpperCase().replace('|', ' ');
  return {
    message: `${name} takes ${info.arity < 0 ? 'at least ' : ''}${wanted} argument${wanted === 1 ? '' : 's'}, not ${Math.max(0, given)}`,
    fix: synopsisOf(info),
    argument: given > wanted ? words + wanted : argv.length - 1,
  };
}

/** numkeys of EVAL, ZUNION and their like: not negative, and that many arguments follow. */
function wrongKeyCount(argv: Argv, info: CommandInfo): CommandProblem | undefined {
  for (const spec of info.keySpecs) {
    if (!('keynum' in spec.find) || !('index' in spec.begin)) continue;
    const { index, first, step } = spec.find.keynum;
    const at = spec.begin.index + index;
    const count = integerOf(argv[at]);
    if (count === undefined) continue;
    const last = spec.begin.index + first + (count - 1) * step;
    if (count >= 0 && last < argv.length) continue;
    const following = Math.ceil((argv.length - spec.begin.index - first) / step);
    return {
      message: `${info.name.toUpperCase()} says ${count} keys, and ${Math.max(0, following)} follow`,
      fix: synopsisOf(info),
      argument: at,
    };
  }
  return undefined;
}

function wrongArguments(argv: Argv, info: CommandInfo): CommandProblem | undefined {
  if (info.grammar === undefined || arityOnly.has(info.name)) return undefined;
  const found = mismatch(argv, info.name.split('|').length, info.grammar);
  return found && problemOf(argv, info, found);
}

function problemOf(argv: Argv, info: CommandInfo, found: Mismatch): CommandProblem {
  const name = info.name.toUpperCase().replace('|', ' ');
  const fix = `${synopsisOf(info)}`;
  const expected = found.expected.join(', ');
  if (found.conflict !== undefined) {
    const [before, now] = found.conflict;
    return { message: `${now} and ${before} exclude each other in ${name}`, fix, argument: found.argument };
  }
  if (found.argument >= argv.length) {
    return { message: `${name} ends too early: ${expected} expected`, fix, argument: argv.length - 1 };
  }
  const given = printable(argv[found.argument] ?? '');
  if (found.number !== undefined) {
    const kind = found.number === 'integer' ? 'an integer' : 'a number';
    return { message: `${given} is not ${kind} (${expected} of ${name})`, fix, argument: found.argument };
  }
  const near = nearName(given.toUpperCase(), found.expected);
  return {
    message: `${given} does not fit ${name} here${expected === '' ? '' : `: ${expected} expected`}`,
    fix: near === undefined ? fix : `Did you mean ${near}? ${fix}`,
    argument: found.argument,
  };
}
