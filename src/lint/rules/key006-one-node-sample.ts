/** Of a cluster one node's DBSIZE is a third of the keys, and its RANDOMKEY never names the keys of the others. */
import { inCluster } from '../clusters.ts';
import { eachCall, eachCommand, type Said } from '../findings.ts';
import type { Rule } from '../rule.ts';

/** KEY006: RANDOMKEY or DBSIZE, where the target is a cluster. DBSIZE of a plan is the sum over all primaries. */
export const key006: Rule = {
  code: 'KEY006',
  severity: 'warning',
  title: 'RANDOMKEY or DBSIZE of one node, as if of the cluster',
  check(subject) {
    const isSum = subject.draft !== undefined;
    return inCluster(subject, [
      ...eachCommand(subject, (name) => (name === 'dbsize' && isSum ? undefined : judge(name))),
      ...eachCall(subject, judge),
    ]);
  },
};

function judge(name: string): Said | undefined {
  if (name === 'dbsize') {
    return {
      message: 'DBSIZE counts the keys of one node, not of the cluster',
      why: 'It is the node that the command happens to be sent to: the number is a part of the whole, and another part next time.',
      fix: 'Add up DBSIZE of every primary; redops does for a DBSIZE of its own (redops pipe).',
    };
  }
  if (name !== 'randomkey') return undefined;
  return {
    message: 'RANDOMKEY names a key of one node, not of the cluster',
    why: 'Keys of the other nodes never come: as a sample of the data it is wrong, however often it is drawn.',
    fix: "Draw from every primary in proportion to its DBSIZE, or look at a selection, which samples all of them: redops batch touch --match '<pattern>' --dry-run.",
  };
}
