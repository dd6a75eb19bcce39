/** What may run between WATCH and MULTI: a read that names its keys, so that they are watched and the value is proven. */
import { type Bytes, printable } from '../base/bytes.ts';
import { keysOf } from '../catalog/keys.ts';
import { commandName } from '../catalog/lookup.ts';
import { changesConnection, isBlocking, isReadOnly, runsScript } from '../catalog/nature.ts';
import { argvOf, commandProblems, type WrittenCommand } from './commands.ts';
import { problem, type Result, refused } from './problem.ts';

/** Why reads of a transaction are as they are. */
export const readWhy =
  'Reads of a transaction run between WATCH and MULTI, at every attempt again: they must write nothing and name the keys they read, which are watched.';

/** The keys of a read whose arguments are all known, or why it is none (CMD001, CMD002). */
export function plainRead(command: WrittenCommand): Result<readonly Bytes[]> {
  const problems = commandProblems(command);
  if (problems.length > 0) return refused(...problems);
  const argv = argvOf(command);
  const label = printable(commandName(argv).replace('|', ' ').toUpperCase());
  if (!isReadOnly(argv) || runsScript(argv) || isBlocking(argv) || changesConnection(argv))
    return refused(
      problem(
        'CMD002',
        command.at,
        `${label} is not a plain read`,
        'Use a read such as GET, HGET or LLEN; what writes belongs to the commands.',
        readWhy,
      ),
    );
  const keys = (keysOf(argv) ?? []).map((use) => use.key);
  const known = keys.filter((key) => key !== undefined);
  if (known.length === 0 || known.length < keys.length) {
    const message = `${label} names no key that could be watched`;
    return refused(problem('CMD002', command.at, message, 'Read the value from a named key.', readWhy));
  }
  return { value: known };
}
