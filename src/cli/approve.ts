/** Approving a plan for somebody else's run: the plan is shown, the passphrase asked for, the approval printed. */
import type { AskPassphrase } from '../agent.ts';
import { OpsError } from '../base/ops-error.ts';
import { parseDuration } from '../base/units.ts';
import { clean } from '../report/layout.ts';
import { planText } from '../report/plan-text.ts';
import { shortDigest } from '../report/words.ts';
import { canAsk } from './approve-prompt.ts';
import { readBytes, readJson } from './input.ts';
import type { Io } from './io.ts';
import { say, viewFor } from './output.ts';
import { pathOfRequest, stateDirectory } from './settings.ts';
import type { ApproveOptions } from './verbs/approve.ts';

const longestMs = 7 * 24 * 3_600_000;

/** Signs an approval of the plan that was kept under a digest, or that stands in a file. Rejects with OpsError usage, refused, tampered, drift, state. */
export async function approve(io: Io, what: string, options: ApproveOptions): Promise<number> {
  const validMs = validity(options.expires ?? '1h');
  const { approvePlan } = await io.stages();
  const isDigest = /^(sha256:)?[0-9a-f]{12,64}$/.test(what);
  const document = isDigest ? what : await readJson(io, what);
  const ask: AskPassphrase = (plan, first, asked) => {
    say(io, `${planText(plan, viewFor(io, 'stderr'))}\n`);
    if (asked)
      say(
        io,
        `An agent (${clean(asked.client)}) asked for it at ${new Date(asked.at_ms).toISOString()}, since ${clean(asked.reason)}.`,
      );
    return passphraseOf(io, options, first);
  };
  const state = stateDirectory(io.env);
  const { plan, approval, expiresMs } = await approvePlan(state, document, ask, validMs, (path) =>
    pathOfRequest(io, path, undefined),
  );
  io.out(`${approval}\n`);
  const until = new Date(expiresMs).toISOString();
  say(
    io,
    `Approved: one run of plan ${shortDigest(plan.digest)} on ${clean(plan.target.name)}, until ${until}. Give it to --approve.`,
  );
  return 0;
}

function validity(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0 && ms <= longestMs) return ms;
  throw new OpsError('usage', `--expires ${JSON.stringify(text)} is not a duration of at most 7d`, {
    remedy: 'Write 10m, 1h or 2d.',
  });
}

async function passphraseOf(io: Io, options: ApproveOptions, first: boolean): Promise<string> {
  if (options.passphraseFile !== undefined) {
    const bytes = await readBytes(io, options.passphraseFile);
    return Buffer.from(bytes)
      .toString('utf8')
      .replace(/\r?\n$/, '');
  }
  if (!canAsk(io))
    throw new OpsError('usage', 'there is no terminal to ask for the passphrase on', {
      remedy: 'Run redops approve at a terminal, or give --passphrase-file.',
    });
  if (first)
    say(io, 'This is the first approval here: the passphrase that you choose now protects the key of all later ones.');
  const words = await io.askSecret('Passphrase of the approval key: ');
  const again = first && words ? await io.askSecret('The same again: ') : words;
  if (words === undefined || again === undefined)
    throw new OpsError('interrupted', 'not approved: no passphrase was given');
  if (words === again) return words;
  throw new OpsError('usage', 'the two passphrases differ', { remedy: 'Approve again: no key was made.' });
}
