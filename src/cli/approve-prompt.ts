/** Asking the person at the terminal: y/N where the target is dev, the target's name where it is production. */
import type { Agent, ApplyOptions } from '../agent.ts';
import { clean } from '../report/layout.ts';
import type { Io } from './io.ts';
import { say } from './output.ts';

/** What the person grants, or undefined when they do not, or when nobody can be asked (standard input or error is no terminal). */
export async function askApproval(
  io: Io,
  target: Agent['target'],
): Promise<Pick<ApplyOptions, 'yes' | 'typedName'> | undefined> {
  if (!canAsk(io)) return undefined;
  const name = clean(target.name);
  if (target.tag === 'dev') {
    const answer = await io.ask(`Apply this plan to ${name}? [y/N] `);
    return /^\s*y(es)?\s*$/i.test(answer ?? '') ? { yes: true } : declined(io);
  }
  say(io, `${name} counts as production: ${clean(target.reason)}.`);
  const typedName = (await io.ask(`Type the target's name to apply this plan (${name}): `))?.trim();
  if (typedName === target.name) return { yes: true, typedName };
  if (typedName) say(io, 'That is another name.');
  return declined(io);
}

/** True when there is a person to ask. */
export function canAsk(io: Io): boolean {
  return io.terminal.stdin && io.terminal.stderr;
}

function declined(io: Io): undefined {
  say(io, 'Not approved: nothing was sent.');
  return undefined;
}
