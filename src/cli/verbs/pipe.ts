/** redops pipe: a file of commands, each with its own outcome. */
import type { Command } from 'commander';
import type { Finish, Io } from '../io.ts';
import { type RequestOptions, type RunOptions, requestMembers, withRequest } from '../options.ts';
import { runRequest } from './request.ts';

/** Adds the verb. */
export function addPipe(program: Command, io: Io, finish: Finish): void {
  withRequest(
    program
      .command('pipe <file>')
      .description('send a file of commands ("-": standard input), as redis-cli reads them'),
  ).action((file: string, options: RunOptions & RequestOptions) => {
    const request = { operation_type: 'pipelining', file, ...requestMembers(options) };
    return runRequest(io, finish, options, request, file === '-' ? () => io.readStdin() : undefined);
  });
}
