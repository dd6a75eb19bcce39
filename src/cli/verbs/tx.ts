/** redops tx: one transaction, from a JSON file. */
import type { Command } from 'commander';
import { OpsError } from '../../base/ops-error.ts';
import type { Finish, Io } from '../io.ts';
import { type RequestOptions, type RunOptions, requestMembers, withRequest } from '../options.ts';
import { reportOfFault } from './request.ts';

/** Adds the verb. */
export function addTx(program: Command, io: Io, finish: Finish): void {
  withRequest(
    program
      .command('tx <file>')
      .description('run a transaction: a JSON file ("-": standard input) with commands, watch, let, when'),
  ).action(async (file: string, options: RunOptions & RequestOptions) => {
    await finish(
      async () => {
        const [{ readJson }, { operate }] = await Promise.all([import('../input.ts'), import('../operate.ts')]);
        return operate(io, options, transactionOf(await readJson(io, file), options));
      },
      await reportOfFault(options),
    );
  });
}

// a bare array is the commands; operation_type may be left out, since the verb says it
function transactionOf(document: unknown, options: RequestOptions): unknown {
  const flags = requestMembers(options);
  if (Array.isArray(document)) return { operation_type: 'transaction', commands: document, ...flags };
  if (typeof document !== 'object' || document === null)
    throw new OpsError('usage', 'a transaction is a JSON object or an array of commands', {
      remedy: 'Write {"commands": ["SET k v"]}; redops schema request prints the schema.',
    });
  const { operation_type: type } = { operation_type: 'transaction', ...document };
  if (type !== 'transaction')
    throw new OpsError('usage', `the file is a request of another kind: ${JSON.stringify(type)}`, {
      remedy: 'Use redops apply for it.',
    });
  return { operation_type: 'transaction', ...document, ...flags };
}
