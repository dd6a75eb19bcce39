/**
 * Which transactions met conflicts of late, so that each run on a hot counter does not pay for learning it again. Kept
 * for ten seconds: after that WATCH is tried once more, since a script tells nothing of who else writes the keys.
 */
import type { Clock } from '../base/clock.ts';

/** How long contention is remembered, and of how many transactions. */
const KEPT_MS = 10_000;
const MOST = 1000;

/** What is known of the transactions of one connection, by what tells them apart. */
export interface Contention {
  /** contended: it met conflicts enough to be run as a script; refused: the server does not let this user run its script. */
  note(transaction: string, what: Noted): void;
  /** What was noted last, not long ago. */
  of(transaction: string): Noted | undefined;
}

/** See Contention. */
export type Noted = 'contended' | 'refused';

/** A memory with nothing in it. */
export function createContention(clock: Pick<Clock, 'monotonic'>): Contention {
  const kept = new Map<string, { readonly what: Noted; readonly until: number }>();
  return {
    note(transaction, what) {
      kept.delete(transaction); // the oldest stands first
      kept.set(transaction, { what, until: clock.monotonic() + KEPT_MS });
      if (kept.size > MOST) kept.delete(kept.keys().next().value!);
    },
    of(transaction) {
      const noted = kept.get(transaction);
      if (noted && clock.monotonic() >= noted.until) kept.delete(transaction);
      return kept.has(transaction) ? noted?.what : undefined;
    },
  };
}
