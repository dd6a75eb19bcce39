import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../base/clock.ts';
import type { Event } from '../plan/event.ts';
import { createPace } from './pace.ts';
import { createRunControl, withControl } from './run-control.ts';

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

describe('what is wanted of a run', () => {
  it('is told with what it was before, and only when it is another', () => {
    const clock = standing();
    const control = createRunControl(clock, { rate: 100 });
    expect(control.facts()).toBeUndefined();
    expect(control.take({ paused: false, rate: 100 })).toBe(false);
    expect(control.take({ paused: true, slo_p99_ms: 2 })).toBe(true);
    clock.ms = 400;
    expect(control.facts()?.paused_ms).toBe(400);
    expect(control.take({ paused: false, rate: 'off', slo_p99_ms: 2 })).toBe(true);
    clock.ms = 900;
    expect(control.take({ paused: false })).toBe(true);
    const [at, later, last] = [0, 400, 900].map((ms) => new Date(1_800_000_000_000 + ms).toISOString());
    expect(control.facts()).toEqual({
      paused_ms: 400,
      changes: [
        { at, change: 'paused' },
        { at, change: 'slo_p99_ms', to: 2 },
        { at: later, change: 'resumed' },
        { at: later, change: 'rate', from: 100, to: 'off' },
        { at: last, change: 'rate', from: 'off', to: 100 },
        { at: last, change: 'slo_p99_ms', from: 2 },
      ],
    });
  });

  it('holds a run until it may go on, and an interruption ends the wait', async () => {
    const control = createRunControl(systemClock, {});
    await control.hold(never);
    control.take({ paused: true });
    let went = false;
    const held = control.hold(never).then(() => {
      went = true;
    });
    control.take({ paused: true, rate: 5 }); // another wish is none to go on
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(went).toBe(false);
    const stop = new AbortController();
    const stopped = control.hold(stop.signal);
    stop.abort('stop');
    await expect(stopped).rejects.toBe('stop');
    control.take({ paused: false });
    await held;
  });

  it('is among the events as it changes, while nothing else happens, and before the end', async () => {
    const control = createRunControl(systemClock, {});
    const finished: Event = { kind: 'run_finished', status: 'succeeded', at_ms: 0 };
    async function* job(): AsyncGenerator<Event> {
      yield { kind: 'unproven', reason: 'a' };
      await control.sleep(60_000, never);
      await control.hold(never);
      yield finished;
    }
    const kinds: string[] = [];
    const pressed = setTimeout(() => control.take({ paused: true }), 5);
    for await (const event of withControl(job(), control)) {
      kinds.push(event.kind === 'controlled' ? `controlled ${event.paused}` : event.kind);
      if (event.kind === 'controlled' && event.paused) setTimeout(() => control.take({ paused: false }), 5);
    }
    clearTimeout(pressed);
    expect(kinds).toEqual(['unproven', 'controlled true', 'controlled false', 'controlled false', 'run_finished']);
  });

  it('passes on the fault of a run, and ends it when nobody reads on', async () => {
    const control = createRunControl(systemClock, {});
    async function* broken(): AsyncGenerator<Event> {
      yield { kind: 'unproven', reason: 'a' };
      throw new Error('a bug');
    }
    const read = async () => {
      for await (const _ of withControl(broken(), control));
    };
    await expect(read()).rejects.toThrow('a bug');
    let closed = false;
    async function* job(): AsyncGenerator<Event> {
      try {
        for (;;) yield { kind: 'unproven', reason: 'a' };
      } finally {
        closed = true;
      }
    }
    for await (const _ of withControl(job(), control)) break;
    expect(closed).toBe(true);
  });
});

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
    const control = createRunControl(systemClock, { rate: 1 });
    const pace = createPace({ ...terms(systemClock, 1), control });
    await pace.before(1_000);
    const waiting = pace.before(1); // for a thousand seconds
    setTimeout(() => control.take({ paused: false, rate: 20_000 }), 5);
    const start = performance.now();
    await waiting;
    expect(performance.now() - start).toBeGreaterThan(40);
    expect(performance.now() - start).toBeLessThan(5_000);
    control.take({ paused: false, rate: 'off' });
    expect(pace.rate).toBeUndefined();
    await pace.before(1_000_000);
    await pace.before(1);
  });
});
