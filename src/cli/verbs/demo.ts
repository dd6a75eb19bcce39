/** redops demo: a tour on a throwaway server. */
import type { Command } from 'commander';
import type { Finish, Io } from '../io.ts';

/** Adds the verb. */
export function addDemo(program: Command, io: Io, finish: Finish): void {
  program
    .command('demo')
    .description('a tour on a throwaway Redis, which is stopped at its end')
    .action(() =>
      finish(async () => {
        const [{ runDemo }, { viewFor }] = await Promise.all([import('../demo/demo.ts'), import('../output.ts')]);
        return runDemo({ write: (text) => io.out(text), env: io.env, ...viewFor(io, 'stdout') });
      }),
    );
}
