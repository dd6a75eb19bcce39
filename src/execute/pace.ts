/**
 * The pace of a run: at most so many commands a second, by limits.rate or by what somebody wants of the run meanwhile, and
 * none while it is paused. Commands pay in the order in which they come; a rate that changes holds for those that wait, too.
 */
import type { Clock } from '../base/clock.ts';
import type { RunControl } from './run-control.ts';

/** The pace of one run. */
export interface Pace {
  /** Commands a second now; undefined: no limit. */
  readonly rate: number | undefined;
  /** Waits until so many more may be sent. Rejects when the run is interrupted. */
  before(commands: number): Promise<void>;
}

/** What a pace keeps to. */
export interface PaceTerms {
  readonly plan: { readonly request: { readonly limits: { readonly rate?: number } } };
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly control?: RunControl;
}

/** Starts with nothing owed. */
export function createPace({ plan, clock, signal, control }: PaceTerms): Pace {
  const rateNow = (): number | undefined => {
    const rate = control?.wishes.rate ?? plan.request.limits.rate;
    return rate === 'off' ? undefined : rate;
  };
  let rate = rateNow();
  let atMs = clock.monotonic();
  let reserved = 0;
  let paid = 0;
  const settle = (): void => {
    const now = clock.monotonic();
    paid = rate === undefined ? reserved : Math.min(reserved, paid + ((now - atMs) * rate) / 1000);
    atMs = now;
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
        await control?.hold(signal);
        settle();
        if (rate === undefined || paid >= place || waited) return;
        const ms = ((place - paid) / rate) * 1000;
        if (control === undefined) return clock.sleep(ms, signal);
        waited = (await control.sleep(ms, signal)) === 'over';
      }
    },
  };
}
