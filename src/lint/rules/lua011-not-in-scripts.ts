/** Commands that concern the connection, transactions, subscriptions or other scripts are refused inside a script. */
import type { Argv } from '../../catalog/command.ts';
import { findCommand } from '../../catalog/lookup.ts';
import { eachCall } from '../findings.ts';
import type { Rule } from '../rule.ts';
import { spoken } from '../words.ts';

/** LUA011: a command with the flag noscript, on every server of the catalog. */
export const lua011: Rule = {
  code: 'LUA011',
  severity: 'error',
  title: 'a script calls a command that scripts may not call',
  check: (subject) => ({
    findings: eachCall(subject, (name, argv) => {
      if (!isRefused(argv)) return undefined;
      return {
        message: `${spoken(name)} is not allowed in a script`,
        why: 'The call fails when its line runs; what the script wrote before it stays.',
        fix: 'Send it from the client, outside the script.',
      };
    }),
  }),
};

function isRefused(argv: Argv): boolean {
  const info = findCommand(argv);
  // BLPOP and its like are refused before 7.0 and answer at once from then on: not a fault everywhere
  const everywhere = Object.values(info?.differs ?? {}).every(({ flags }) => flags?.includes('noscript') !== false);
  return info?.flags.includes('noscript') === true && everywhere;
}
