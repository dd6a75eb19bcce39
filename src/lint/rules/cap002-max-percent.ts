/** A cap on the share of the keyspace: a plan for one prefix that reaches half of the database has the wrong pattern. */
import { formatCount } from '../../base/units.ts';
import { reachOf } from '../caps.ts';
import { howToGive } from '../facts.ts';
import type { Rule } from '../rule.ts';
import { listed } from '../words.ts';

/** CAP002: the plan writes more than limits.max_percent of the database's keys. */
export const cap002: Rule = {
  code: 'CAP002',
  severity: 'error',
  title: 'the plan writes more of the database than limits.max_percent',
  check(subject) {
    const cap = subject.draft?.request.limits.max_percent;
    if (cap === undefined) return { findings: [] };
    const total = subject.target?.server.keys;
    if (total === undefined)
      return { findings: [], unchecked: `needs the number of keys of the database: ${howToGive(subject)}` };
    const reach = reachOf(subject);
    // new keys in an empty database are no share of anything
    const percent = total === 0 ? 0 : (Math.min(reach.keys, total) / total) * 100;
    if (percent > cap) {
      return {
        findings: [
          {
            message: `the plan may write ${formatCount(reach.keys)} of ${formatCount(total)} keys (${percent.toFixed(1)} %); limits.max_percent is ${cap}`,
            at: 'limits.max_percent',
            why: 'The number is the high end of the estimate; a share this large is more often a wrong pattern than an intention.',
            fix: 'Narrow the selection, or raise the cap.',
          },
        ],
      };
    }
    if (reach.unknown.length === 0) return { findings: [] };
    return { findings: [], unchecked: `needs the number of keys at ${listed(reach.unknown)}: ${howToGive(subject)}` };
  },
};
