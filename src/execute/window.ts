/**
 * How many commands may be in flight: a window that starts from the specification's table for the measured round trip and
 * then follows what is measured. It grows while replies come within the round trip plus a slack that the performance mode
 * allows to queueing, and shrinks by a fifth when they do not: additive increase, multiplicative decrease.
 */

/** What the window is allowed to do to others: the queueing, in milliseconds, that it may cause on top of the round trip. */
export type Mode = 'latency_optimized' | 'throughput_optimized' | 'balanced';

/** The state of a window; plain data, so that it can be told and tested. */
export interface Window {
  readonly mode: Mode;
  /** Commands in flight at most. */
  readonly depth: number;
  /** Depth that no decrease goes below: half the row's low end. One jam of the machine must not stop the flow. */
  readonly floor: number;
  /** Lowest reply time seen, in milliseconds: the round trip as it is without queueing. */
  readonly baseMs: number;
  /** True until the first decrease: the depth then doubles each round trip. */
  readonly starting: boolean;
  /** Time until which a further decrease waits, since replies on their way still tell of the old depth. */
  readonly holdUntilMs: number;
  /** Bytes of a reply, averaged: what the window expects in. */
  readonly replyBytes: number;
}

/** Depths that no measurement leads beyond. */
export const MIN_DEPTH = 16;
export const MAX_DEPTH = 65_536;
/** Bytes in flight at most, in either direction. */
export const MAX_BYTES = 8 * 1024 * 1024;

const slackMs: Readonly<Record<Mode, number>> = { latency_optimized: 0.5, balanced: 2, throughput_optimized: 6 };
const startRow: Readonly<Record<Mode, 0 | 1 | 2>> = { latency_optimized: 0, balanced: 1, throughput_optimized: 2 };

/** The window at the start: the specification's row for the round trip (local 100-500, LAN 200-1000, WAN 500-2000), its low, middle or high end by mode. */
export function openWindow(mode: Mode, roundTripMs: number): Window {
  const [low, high] = roundTripMs < 0.3 ? [100, 500] : roundTripMs < 10 ? [200, 1000] : [500, 2000];
  const depth = [low!, Math.round((low! + high!) / 2), high!][startRow[mode]]!;
  return {
    mode,
    depth,
    floor: low! / 2,
    baseMs: Math.max(0.05, roundTripMs),
    starting: true,
    holdUntilMs: 0,
    replyBytes: 32,
  };
}

/** Milliseconds of queueing that a mode allows on top of the round trip. */
export function slackOf(mode: Mode): number {
  return slackMs[mode];
}

/** One measurement: a batch of `commands` was answered after `latencyMs`, at `nowMs`, with replies of `replyBytes` in all. */
export interface Sample {
  readonly commands: number;
  readonly latencyMs: number;
  readonly nowMs: number;
  readonly replyBytes: number;
}

/** The window after a measurement. */
export function adapt(window: Window, sample: Sample): Window {
  const baseMs = Math.min(window.baseMs, Math.max(0.02, sample.latencyMs));
  const replyBytes = window.replyBytes * 0.9 + (sample.replyBytes / Math.max(1, sample.commands)) * 0.1;
  const next = { ...window, baseMs, replyBytes };
  // over a distance the round trip itself varies: a quarter of it more is no queue yet
  if (sample.latencyMs > baseMs * 1.25 + slackMs[window.mode]) {
    if (sample.nowMs < window.holdUntilMs) return next;
    return {
      ...next,
      depth: clamp(window.depth * 0.8, window.floor),
      starting: false,
      holdUntilMs: sample.nowMs + Math.max(1, sample.latencyMs),
    };
  }
  // doubled a round trip at first; later a tenth more a round trip
  const gain = window.starting ? 1 : 0.1;
  return { ...next, depth: clamp(window.depth + Math.max(0.05, gain * sample.commands), window.floor) };
}

/**
 * The rest that a mode takes: after so many milliseconds of work, so many without. latency_optimized leaves about half of
 * the server's time to others; the other modes never rest.
 */
export function restOf(mode: Mode): { readonly workMs: number; readonly restMs: number } | undefined {
  return mode === 'latency_optimized' ? { workMs: 1, restMs: 1 } : undefined;
}

/** Commands that may be in flight now: the depth, or fewer where replies are large. */
export function allowed(window: Window): number {
  return Math.max(1, Math.min(Math.floor(window.depth), Math.floor(MAX_BYTES / Math.max(1, window.replyBytes))));
}

function clamp(depth: number, floor: number): number {
  return Math.min(MAX_DEPTH, Math.max(MIN_DEPTH, floor, depth));
}
