/** A blocking command holds up everything behind it in a pipeline; SUBSCRIBE, MONITOR, WATCH and SELECT change the connection under the rest. */
import { changesConnection, isBlocking } from '../../catalog/nature.ts';
import { eachCommand } from '../findings.ts';
import type { Rule } from '../rule.ts';
import { spoken } from '../words.ts';

/** PIP002: a command that must not stand in a pipeline, a job or between MULTI and EXEC. */
export const pip002: Rule = {
  code: 'PIP002',
  severity: 'error',
  title: 'a blocking or connection-changing command in a pipeline or transaction',
  check: (subject) => ({
    findings: eachCommand(subject, (name, { argv, within }) => {
      if (within === 'line') return undefined;
      const inMulti = within === 'transaction';
      const place = inMulti
        ? 'a transaction'
        : within === 'job'
          ? 'a job'
          : within === 'read'
            ? "a transaction's reads"
            : 'a pipeline';
      if (isBlocking(argv)) {
        return {
          message: `${spoken(name)} waits; it has no place in ${place}`,
          why: inMulti
            ? 'Inside MULTI it does not wait: it answers nil when there is nothing to take.'
            : 'Everything behind it on the connection waits as long as it does.',
          fix: 'Use the form that does not wait (LPOP for BLPOP, XREAD without BLOCK), or send it by itself.',
        };
      }
      // WATCH between MULTI and EXEC is TX004
      if (!changesConnection(argv) || (inMulti && name === 'watch')) return undefined;
      return {
        message: `${spoken(name)} changes the connection; it has no place in ${place}`,
        why: 'What stands behind it runs under another state than planned, and a resend would run it again.',
        fix:
          name === 'watch' || name === 'multi' || name === 'exec'
            ? 'Use a transaction: redops tx.'
            : 'Send it by itself, on a connection of its own.',
      };
    }),
  }),
};
