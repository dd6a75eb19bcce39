/** redops audit: whether the audit log is whole. */
import type { Command } from 'commander';
import type { Finish, Io } from '../io.ts';

/** Adds the verb. */
export function addAudit(program: Command, io: Io, finish: Finish): void {
  program
    .command('audit')
    .description('the audit log of what was planned, approved, refused and run')
    .command('verify')
    .description('check the hash chain from its first line')
    .option('--json', 'print the verdict as JSON')
    .action((options: { readonly json?: boolean }) =>
      finish(async () => (await import('../audit.ts')).verifyLog(io, options)),
    );
}
