/**
 * SCAN's COUNT, by how long a call takes on the server: others wait for so long. It grows by steps while calls are short
 * and falls by a fifth, or by half, when they are long: additive increase, multiplicative decrease. What a call took is known
 * within bounds only, since this process may have been busy when its reply came; a stall of one call is no reason.
 */
import type { Mode } from './window.ts';

/** The state; plain data. */
export interface PageSize {
  /** COUNT of the next page. */
  readonly count: number;
  readonly least: number;
  readonly most: number;
  readonly step: number;
  /** How long a call may take on the server, in milliseconds. */
  readonly targetMs: number;
  /** Of the last calls, how long one COUNT of them took: not less than `low` milliseconds, not more than `high`. */
  readonly recent: readonly { readonly low: number; readonly high: number }[];
}

/** One call: of that COUNT, answered after `tookMs`, of which this process was busy for `busyMs`. */
export interface Call {
  readonly count: number;
  readonly tookMs: number;
  readonly busyMs: number;
  readonly roundTripMs: number;
}

/** No measurement leads beyond these. */
export const MIN_COUNT = 10;
export const MAX_COUNT = 10_000;

const targetMs: Readonly<Record<Mode, number>> = { latency_optimized: 0.5, balanced: 2, throughput_optimized: 5 };
/** Calls that are remembered: the shortest of them is what a call takes. */
const REMEMBERED = 4;
/** What goes with each page in the same packet (INFO server), in milliseconds. */
const ASIDE_MS = 0.1;

/** At the start: the plan's COUNT. It falls to a tenth of that at least; `most`: grows no further. */
export function openPageSize(mode: Mode, count: number, most = MAX_COUNT): PageSize {
  return {
    count,
    least: Math.min(count, Math.max(MIN_COUNT, Math.floor(count / 10))),
    most: Math.max(count, Math.min(most, MAX_COUNT)),
    step: Math.max(MIN_COUNT, Math.floor(count / 4)),
    targetMs: targetMs[mode],
    recent: [],
  };
}

/** After a call. */
export function nextPageSize(size: PageSize, { count, tookMs, busyMs, roundTripMs }: Call): PageSize {
  // the way there and back varies by itself
  const there = roundTripMs * 1.05 + ASIDE_MS;
  const high = Math.max(0, tookMs - there) / count;
  const low = Math.max(0, tookMs - busyMs - there) / count;
  const recent = [...size.recent, { low, high }].slice(-REMEMBERED);
  const lowMs = Math.min(...recent.map((one) => one.low)) * size.count;
  const highEach = Math.min(...recent.map((one) => one.high));
  if (lowMs > size.targetMs) {
    const share = lowMs > 2 * size.targetMs ? 0.5 : 0.8;
    return { ...size, recent, count: Math.max(size.least, Math.floor(size.count * share)) };
  }
  if (highEach * size.count > size.targetMs) return { ...size, recent };
  const fits = highEach > 0 ? Math.floor(size.targetMs / highEach) : size.most;
  return { ...size, recent, count: Math.max(size.count, Math.min(size.most, size.count + size.step, fits)) };
}
