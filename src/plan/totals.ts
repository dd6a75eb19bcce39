/** Counting what a job did. */
import type { Totals } from './report.ts';

/** The zero of Totals. */
export const noTotals: Totals = { scanned: 0, matched: 0, changed: 0, unchanged: 0, failed: 0, unknown: 0, retried: 0 };

/** The sum. */
export function addTotals(a: Totals, b: Totals): Totals {
  return {
    scanned: a.scanned + b.scanned,
    matched: a.matched + b.matched,
    changed: a.changed + b.changed,
    unchanged: a.unchanged + b.unchanged,
    failed: a.failed + b.failed,
    unknown: a.unknown + b.unknown,
    retried: a.retried + b.retried,
  };
}

/** Keys of a slot that was walked twice count once. The second time most actions find nothing to change. */
export function withoutRepeats(totals: Totals, again: number): Totals {
  const unchanged = Math.max(0, totals.unchanged - again);
  const changed = Math.max(0, totals.changed - (again - (totals.unchanged - unchanged)));
  return { ...totals, matched: totals.matched - again, changed, unchanged };
}
