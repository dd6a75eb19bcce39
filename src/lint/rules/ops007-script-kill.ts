/** SCRIPT KILL cannot say whose script it ends: it ends the one that is running. */
import { eachCommand } from '../findings.ts';
import type { Rule } from '../rule.ts';
import { spoken } from '../words.ts';

/** OPS007: SCRIPT KILL or FUNCTION KILL. */
export const ops007: Rule = {
  code: 'OPS007',
  severity: 'warning',
  title: "SCRIPT KILL ends whoever's script is running",
  check: (subject) => ({
    findings: eachCommand(subject, (name) => {
      if (name !== 'script|kill' && name !== 'function|kill') return undefined;
      return {
        message: `${spoken(name)} ends whoever's script is running`,
        why: 'The server does not say whose it is. A script that has written cannot be ended (UNKILLABLE).',
        fix: 'Make sure which script runs (FUNCTION STATS names a function; SLOWLOG shows the last slow ones), or wait.',
      };
    }),
  }),
};
