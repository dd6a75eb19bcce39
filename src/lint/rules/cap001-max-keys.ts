/** A cap on the number of keys: what a slip in a pattern can cost at most. */
import { formatCount } from '../../base/units.ts';
import { reachOf } from '../caps.ts';
import { howToGive } from '../facts.ts';
import type { Rule } from '../rule.ts';
import { listed } from '../words.ts';

/** CAP001: the plan writes more keys than limits.max_keys. */
export const cap001: Rule = {
  code: 'CAP001',
  severity: 'error',
  title: 'the plan writes more keys than limits.max_keys',
  check(subject) {
    const cap = subject.draft?.request.limits.max_keys;
    if (cap === undefined) return { findings: [] };
    const reach = reachOf(subject);
    if (reach.keys > cap) {
      return {
        findings: [
          {
            message: `the plan may write ${formatCount(reach.keys)} keys; limits.max_keys is ${formatCount(cap)}`,
            at: 'limits.max_keys',
            why: 'The number is the high end of the estimate; the run would stop at the cap with the work half done.',
            fix: 'Narrow the selection, or raise the cap.',
          },
        ],
      };
    }
    if (reach.unknown.length === 0) return { findings: [] };
    return { findings: [], unchecked: `needs the number of keys at ${listed(reach.unknown)}: ${howToGive(subject)}` };
  },
};
