/**
 * The commands that a user writes out (pipelining, transaction): a line as redis-cli reads it, or its arguments; known,
 * well formed, and fit to stand among others on one connection. Checked before anything is sent, because inside MULTI
 * the server would find most of it only at EXEC.
 */
import { printable } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import { checkCommand } from '../catalog/grammar.ts';
import { commandName } from '../catalog/lookup.ts';
import { changesConnection, isBlocking } from '../catalog/nature.ts';
import { parseCommands } from '../formats/text.ts';
import type { Diagnostic } from '../plan/diagnostic.ts';
import type { CommandInput } from '../plan/request.ts';
import { literal, type RequestArgument } from '../plan/values.ts';
import { problem, type Result, refused } from './problem.ts';

/** A command of a request: its arguments, its place, and whether it was written as a line (whose arguments have no path). */
export interface WrittenCommand {
  readonly argv: readonly RequestArgument[];
  readonly at: string;
  readonly line: boolean;
}

/** The arguments of one command. `expressions`: `{{ ... }}` in a line is an expression, not text. */
export function readCommand(input: CommandInput, at: string, expressions: boolean): Result<WrittenCommand> {
  if (typeof input !== 'string') return { value: { argv: input, at, line: false } };
  const { commands, problems } = parseCommands(input, { expressions });
  if (problems.length > 0)
    return refused(
      ...problems.map((found) => ({ ...problem('TXT001', at, found.message, found.fix), span: { ...found.span } })),
    );
  const [only] = commands;
  if (only !== undefined && commands.length === 1) return { value: { argv: only.argv, at, line: true } };
  const message = only === undefined ? 'the line holds no command' : `${commands.length} commands in one string`;
  return refused(problem('TXT001', at, message, 'Write one command a string, such as "SET k v".'));
}

/** What is wrong with one command for use among others on one connection: CMD001 (unknown, malformed), CMD002 (changes or holds the connection). */
export function commandProblems(command: WrittenCommand): readonly Diagnostic[] {
  const argv = argvOf(command);
  const wrong = checkCommand(argv);
  if (wrong !== undefined) return [problem('CMD001', argumentAt(command, wrong.argument), wrong.message, wrong.fix)];
  const name = printable(commandName(argv).replace('|', ' ').toUpperCase());
  if (changesConnection(argv))
    return [
      problem(
        'CMD002',
        command.at,
        `${name} changes the state of the connection`,
        connectionFix(name),
        'redops keeps the state of its connections itself (database, user, protocol, MULTI, WATCH); a command that changes it would make the following commands mean something else.',
      ),
    ];
  if (isBlocking(argv))
    return [
      problem(
        'CMD002',
        command.at,
        `${name} blocks until there is data`,
        'Use the form that answers at once (LPOP for BLPOP, XREAD without BLOCK).',
        'The commands behind it on the connection would wait for data that may never come; inside MULTI it does not block at all.',
      ),
    ];
  return [];
}

/** The arguments as the catalog reads them: an expression's value is not known. */
export function argvOf(command: Pick<WrittenCommand, 'argv'>): Argv {
  return command.argv.map((argument) => literal(argument));
}

/** The place of one argument: `commands[3][2]`, or `commands[3]` for a line. */
export function argumentAt(command: WrittenCommand, index: number): string {
  return command.line ? command.at : `${command.at}[${index}]`;
}

function connectionFix(name: string): string {
  if (name === 'MULTI' || name === 'EXEC' || name === 'WATCH' || name === 'DISCARD' || name === 'UNWATCH')
    return 'Use operation_type transaction (commands, watch, let, when); it sends MULTI and EXEC itself.';
  if (name === 'SELECT') return 'Name the database in the URL, such as redis://host:6379/2.';
  if (name === 'AUTH' || name === 'HELLO') return 'Give the user and the password with the target.';
  return `Remove ${name}; use redis-cli for it.`;
}
