import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../base/clock.ts';
import { createPace } from './pace.ts';
import { createSteered } from './steered.ts';

const never = new AbortController().signal;

/** A clock that stands still until it is told. */
function standing(): Clock & { ms: number; readonly slept: number[] } {
  const clock = {
    ms: 0,
    slept: [] as number[],
    now: () => 1_800_000_000_000 + clock.ms,
    monotonic: () => clock.ms,
    sleep: async (ms: number) => {
      clock.slept.push(ms);
      clock.ms += ms;
    },
  };
  return clock;
}

describe('the pace of a run', () => {
  const terms = (clock: Clock, rate?: number) => ({
    plan: { request: { limits: rate === undefined ? {} : { rate } } },
    clock,
    signal: never,
  });

  it('lets commands go as they are paid for, and credits nothing for idle time', async () => {
    const clock = standing();
    const pace = createPace(terms(clock, 100));
    await pace.before(50);
    await pace.before(50);
    expect(clock.slept).toEqual([500]);
    clock.ms += 60_000;
    await pace.before(100);
    await pace.before(1);
    expect(clock.slept).toEqual([500, 1_000]);
    await createPace(terms(clock)).before(1_000_000);
    expect(clock.slept).toHaveLength(2);
  });

  it('keeps to a rate that changes while somebody waits', async () => {
    const steering = createSteered();
    const pace = createPace({ ...terms(systemClock, 1), steering });
    await pace.before(1_000);
    const waiting = pace.before(1); // for a thousand seconds
    setTimeout(() => steering.turn({ paused: false, rate: 20_000 }), 5);
    const start = performance.now();
    await waiting;
    expect(performance.now() - start).toBeGreaterThan(40);
    expect(performance.now() - start).toBeLessThan(5_000);
    steering.turn({ paused: false, rate: null });
    expect(pace.rate).toBeUndefined();
    await pace.before(1_000_000);
    await pace.before(1);
  });

  it('sends nothing while it is paused, also when the pause came in the middle of a wait', async () => {
    const steering = createSteered();
    const pace = createPace({ ...terms(systemClock, 100), steering });
    await pace.before(2);
    let went = false;
    const waiting = pace.before(1).then(() => {
      went = true;
    });
    steering.turn({ paused: true });
    await new Promise((resolve) => setTimeout(resolve, 60)); // long after the 20 ms that it had to wait
    expect(went).toBe(false);
    steering.turn({ paused: false });
    await waiting;
  });
});
