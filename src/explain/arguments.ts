/** A step's arguments as the catalog reads them, where prices and natures are judged before the run. */
import type { Bytes } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import type { Argument } from '../plan/values.ts';

/** What stands for the key of a job. */
export const anyKey = 'key';
/** What stands for a deadline that is not fixed yet: Unix milliseconds of 13 digits, far in the future. */
export const anyDeadline = '9999999999999';

/** The argument list with the key of a job filled in (default: a placeholder) and deadlines as the fixed instants they become; expressions are undefined. */
export function argvOf(argv: readonly Argument[], key: Bytes = anyKey): Argv {
  return argv.map((argument) => {
    if (typeof argument === 'string' || 'base64' in argument) return argument;
    if ('param' in argument) return key;
    return 'deadline' in argument ? anyDeadline : undefined;
  });
}
