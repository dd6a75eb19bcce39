/** redops pipe: a file of commands or rows, streamed, each command with its own outcome. */
import { type Command, Option } from 'commander';
import type { Finish, Io } from '../io.ts';
import { defined, type RequestOptions, type RunOptions, requestMembers, withRequest } from '../options.ts';
import { reportOfFault } from './request.ts';

type Options = RunOptions & RequestOptions & { format?: string; each?: string; failures?: string };

/** Adds the verb. */
export function addPipe(program: Command, io: Io, finish: Finish): void {
  withRequest(
    program
      .command('pipe <file>')
      .description('stream a file of commands or rows ("-": standard input), plain or gzip'),
  )
    .addOption(
      new Option('--format <format>', 'of the file (default: by its name, else text)').choices([
        'text',
        'resp',
        'csv',
        'jsonl',
      ]),
    )
    .option('--each <template>', "the command of a row of csv or jsonl: 'HSET user:{{id}} name {{name}}'")
    .option('--failures <file>', 'write commands that were not applied here, to be sent again')
    .action(async (file: string, options: Options) => {
      const members = defined({ format: options.format, each: options.each, failures_file: options.failures });
      const request = { operation_type: 'pipelining', file, ...members, ...requestMembers(options) };
      await finish(
        async () => {
          const [{ operate }, { spoolStdin }] = await Promise.all([import('../operate.ts'), import('../spool.ts')]);
          const spool = file === '-' ? await spoolStdin(io) : undefined;
          try {
            return await operate(io, options, request, spool);
          } finally {
            spool?.remove();
          }
        },
        await reportOfFault(options),
      );
    });
}
