/** SCAN is gentle only with a modest COUNT: one call is as long as the keys it visits. */
import { eachCommand } from '../findings.ts';
import type { Rule } from '../rule.ts';
import { integer, optionAt } from '../words.ts';

const most = 10_000;

/** KEY002: SCAN, HSCAN, SSCAN, ZSCAN with a COUNT that blocks. */
export const key002: Rule = {
  code: 'KEY002',
  severity: 'warning',
  title: 'SCAN with a COUNT over 10,000 blocks the server for that page',
  check: (subject) => ({
    findings: eachCommand(subject, (name, { argv }) => {
      if (!['scan', 'hscan', 'sscan', 'zscan'].includes(name)) return undefined;
      const option = optionAt(argv, name === 'scan' ? 2 : 3, 'COUNT');
      const count = option < 0 ? undefined : integer(argv, option + 1);
      if (count === undefined || count <= most) return undefined;
      return {
        argument: option + 1,
        message: `${name.toUpperCase()} with COUNT ${count}`,
        why: 'One call visits COUNT entries on the main thread, about 0.9 us each: 10 ms at 10,000, 85 ms at 100,000.',
        fix: 'Use a COUNT of 100 to 1,000 and more calls; redops chooses it for its own scans.',
      };
    }),
  }),
};
