/**
 * WATCH is a bet that nobody else writes the key meanwhile. On a key that everybody writes it is lost again and again: each
 * loss costs all its round trips, and the busier the server, the fewer transactions come through.
 */
import { formatCount } from '../../base/units.ts';
import type { Said } from '../findings.ts';
import type { Rule } from '../rule.ts';

/** TX008: EXEC was refused again and again because others wrote the watched key. Told by a capture of MONITOR: no file and no plan says who else writes. */
export const tx008: Rule = {
  code: 'TX008',
  severity: 'warning',
  title: 'WATCH of a key that other connections write all the time',
  check: () => ({ findings: [] }),
};

/** What an audit says of a key, given how often it was watched up to an EXEC and how often that was lost. */
export function hotWatchedKey(key: string, attempts: number, lost: number): Said {
  return {
    message: `${key} is watched while others write it: ${formatCount(lost)} of ${formatCount(attempts)} transactions were lost so far`,
    why: 'EXEC does nothing when a watched key was written, and the client begins anew: more round trips and no progress, the worse the more clients there are.',
    fix: 'Do it in one command (INCRBY, SET with IFEQ where the server has it) or in a script, which nobody can interrupt; redops tx chooses by itself.',
  };
}
