/** A run that fails half-way for want of a right is worse than one that does not start. ACL DRYRUN tells beforehand. */

import { errorOf } from '../../catalog/errors.ts';
import { commandName } from '../../catalog/lookup.ts';
import { howToGive } from '../facts.ts';
import type { Rule } from '../rule.ts';
import { shown } from '../words.ts';

/** SEC002: the connected user may not run a command of the plan. */
export const sec002: Rule = {
  code: 'SEC002',
  severity: 'error',
  title: 'the connected user lacks a permission that the plan needs',
  error: errorOf('NOPERM').code,
  check(subject) {
    if (!subject.draft) return { findings: [] };
    const { target } = subject;
    if (!target?.acl)
      return {
        findings: [],
        unchecked: `needs ACL DRYRUN (Redis 7.0 and later, and the right to use it): ${howToGive(subject)}`,
      };
    const findings = target.acl
      .filter(({ allowed }) => !allowed)
      .map(({ command, reason }) => ({
        message: `the user ${target.identity.user} may not run ${shown(command)}${reason === undefined ? '' : `: ${reason}`}`,
        at: placeOf(String(command), subject.commands) ?? 'target.acl',
        why: 'The server would answer NOPERM in the middle of the run.',
        fix: 'Connect as a user with the permissions of the plan (execution_plan.permissions lists them).',
      }));
    return { findings };
  },
};

function placeOf(text: string, commands: Parameters<Rule['check']>[0]['commands']): string | undefined {
  const name = text.toLowerCase().split(/[\s|]/)[0];
  return commands.find(({ argv }) => commandName(argv).split('|')[0] === name)?.at;
}
