/**
 * The pace of a run: at most so many commands a second, by limits.rate or by what somebody wants of the run meanwhile, and
 * none while it is paused. Commands are paid for in the order in which they come; a rate that changes holds for those that wait, too.
 */
import type { Clock } from '../base/clock.ts';
import type { Steered } from './steered.ts';

/** What a pace keeps to. */
export interface PaceTerms {
  readonly plan: { readonly request: { readonly limits: { readonly rate?: number } } };
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly steering?: Steered;
}

/** The pace of one run. */
export interface Pace {
  /** Commands a second now; undefined: no limit. */
  readonly rate: number | undefined;
  /** Waits until so many more may be sent. Rejects when the run is interrupted. */
  before(commands: number): Promise<void>;
}

/** Starts with nothing owed. */
export function createPace({ plan, clock, signal, steering }: PaceTerms): Pace {
  const rateNow = (): number | undefined => {
    const changed = steering?.now().rate;
    return changed === undefined ? plan.request.limits.rate : (changed ?? undefined);
  };
  let rate = rateNow();
  let atMs = clock.monotonic();
  let reserved = 0;
  let paid = 0;
  const settle = (): void => {
    const nowMs = clock.monotonic();
    paid = rate === undefined ? reserved : Math.min(reserved, paid + ((nowMs - atMs) * rate) / 1000);
    atMs = nowMs;
    rate = rateNow();
  };
  return {
    get rate() {
      return rateNow();
    },
    async before(commands) {
      settle();
      const place = reserved;
      reserved += commands;
      for (let waited = false; ; ) {
        await steering?.hold(signal);
        settle();
        if (rate === undefined || paid >= place || waited) return;
        const ms = ((place - paid) / rate) * 1000;
        if (steering === undefined) return clock.sleep(ms, signal);
        waited = (await steering.sleep(ms, signal)) === 'over';
      }
    },
  };
}
