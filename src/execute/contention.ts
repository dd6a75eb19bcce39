/**
 * Which transactions met conflicts of late, so that each run on a hot counter does not pay for learning it again. Kept
 * for ten seconds: after that WATCH is tried once more, since a script tells nothing of who else writes the keys.
 */
import type { Clock } from '../base/clock.ts';

/** How long contention is remembered, and of how many transactions. */
const KEPT_MS = 10_000;
const MOST = 1000;

/** The transactions of one connection that met conflicts, by what tells them apart. */
export interface Contention {
  /** It met conflicts enough to be run as a script. */
  note(transaction: string): void;
  /** True where it did, not long ago. */
  has(transaction: string): boolean;
}

/** A memory without any contention in it. */
export function createContention(clock: Pick<Clock, 'monotonic'>): Contention {
  const until = new Map<string, number>();
  return {
    note(transaction) {
      until.delete(transaction); // the oldest stands first
      until.set(transaction, clock.monotonic() + KEPT_MS);
      if (until.size > MOST) until.delete(until.keys().next().value!);
    },
    has(transaction) {
      const end = until.get(transaction);
      if (end === undefined) return false;
      if (clock.monotonic() < end) return true;
      until.delete(transaction);
      return false;
    },
  };
}
