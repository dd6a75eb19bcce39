/** redops approve: shows a plan, and signs an approval of it that lets one run of exactly this plan pass. */
import type { Command } from 'commander';
import type { Finish, Io } from '../io.ts';

/** What the options give. */
export interface ApproveOptions {
  readonly expires?: string;
  readonly passphraseFile?: string;
}

/** Adds the verb. */
export function addApprove(program: Command, io: Io, finish: Finish): void {
  program
    .command('approve <digest-or-file>')
    .description('show a plan (its digest, or a file of plan --json) and sign an approval for --approve')
    .option('--expires <duration>', 'how long it holds: 10m, 1h, at most 7d (default 1h)')
    .option('--passphrase-file <file>', "read the approval key's passphrase here instead of asking for it")
    .action((what: string, options: ApproveOptions) =>
      finish(async () => {
        const { approve } = await import('../approve.ts');
        return approve(io, what, options);
      }),
    );
}
