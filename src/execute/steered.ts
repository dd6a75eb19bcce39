/**
 * What somebody wants of a run in motion, as the job meets it: it looks before each page and each chunk, and whatever waits,
 * for its rate or because the run is paused, wakes when something else is wanted.
 */
import type { Steering } from '../plan/steering.ts';

/** The wishes for one run. */
export interface Steered {
  now(): Steering;
  /** Calls the listener at each change; gives the way back. */
  onChange(listener: () => void): () => void;
  /** Resolves when the run is not paused. Rejects with the signal's reason when it is aborted. */
  hold(signal: AbortSignal): Promise<void>;
  /** Resolves after `ms`, or with `changed` as soon as something else is wanted. Rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<'over' | 'changed'>;
}

/** The longest time that a timer can have. */
const LONGEST_MS = 2 ** 31 - 1;

/** Nothing is wanted; `turn` says what is from now on. */
export function createSteered(): Steered & { turn(wanted: Steering): void } {
  const listeners = new Set<() => void>();
  let steering: Steering = { paused: false };
  const onChange = (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  const sleep = (ms: number, signal: AbortSignal): Promise<'over' | 'changed'> =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      // a timer in any case: it keeps the process of a paused run alive when the server has closed its idle connections
      const timer = setTimeout(() => end(() => resolve('over')), Math.min(ms, LONGEST_MS));
      const stop = (): void => end(() => reject(signal.reason));
      const forget = onChange(() => end(() => resolve('changed')));
      function end(how: () => void): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
        forget();
        how();
      }
      signal.addEventListener('abort', stop, { once: true });
    });
  return {
    now: () => steering,
    onChange,
    hold: async (signal) => {
      while (steering.paused) await sleep(LONGEST_MS, signal);
    },
    sleep,
    turn: (wanted) => {
      steering = wanted;
      for (const listener of [...listeners]) listener();
    },
  };
}
