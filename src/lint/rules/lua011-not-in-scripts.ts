/** Commands that concern the connection, transactions, subscriptions or other scripts are refused inside a script. */
import type { Argv } from '../../catalog/command.ts';
import { findCommand } from '../../catalog/lookup.ts';
import type { Server } from '../../plan/target.ts';
import { speaks } from '../facts.ts';
import { eachCall } from '../findings.ts';
import type { Rule } from '../rule.ts';
import { spoken } from '../words.ts';

/** LUA011: a command with the flag noscript, on every server of the catalog or on the target. */
export const lua011: Rule = {
  code: 'LUA011',
  severity: 'error',
  title: 'a script calls a command that scripts may not call',
  check: (subject) => ({
    findings: eachCall(subject, (name, argv) => {
      if (!isRefused(argv, subject.target?.server)) return undefined;
      return {
        message: `${spoken(name)} is not allowed in a script`,
        why: 'The call fails when its line runs; what the script wrote before it stays.',
        fix: 'Send it from the client, outside the script.',
      };
    }),
  }),
};

function isRefused(argv: Argv, server: Server | undefined): boolean {
  const info = findCommand(argv);
  const old = info?.differs?.['redis 7.0.15']?.flags?.includes('noscript');
  // BLPOP and its like, and WAIT: refused by 6.0 and 7.0, answered at once by 8.0 and Valkey
  if (old === true && server !== undefined && !speaks(server, '7.1')) return true;
  const everywhere = Object.values(info?.differs ?? {}).every(({ flags }) => flags?.includes('noscript') !== false);
  return info?.flags.includes('noscript') === true && everywhere;
}
