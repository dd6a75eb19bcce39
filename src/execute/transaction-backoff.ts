/** How long a transaction waits before it runs again. */
import { backoffMs } from './session.ts';

/** A conflict is over as soon as the other client is done: two round trips, doubled, at most this. */
const CONFLICT_CAP_MS = 500;

/** Milliseconds before attempt `attempt + 2` (attempts from 0), with full jitter. */
export function waitBeforeRetry(
  outcome: 'conflict' | 'redirected',
  attempt: number,
  { roundTripMs, baseMs }: { readonly roundTripMs: number; readonly baseMs: number },
): number {
  if (outcome === 'redirected') return backoffMs(attempt, baseMs);
  return backoffMs(attempt, 2 * Math.max(0.5, roundTripMs), CONFLICT_CAP_MS);
}
