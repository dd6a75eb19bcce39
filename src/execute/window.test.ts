import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adapt, allowed, MAX_BYTES, MAX_DEPTH, MIN_DEPTH, type Mode, openWindow, type Window } from './window.ts';

const modes = ['latency_optimized', 'balanced', 'throughput_optimized'] as const;

/** A server that takes `perMs` commands a millisecond, `roundTripMs` away: how long a batch waits is the queue's length. */
function settle(mode: Mode, roundTripMs: number, perMs: number, rounds = 400): Window {
  let window = openWindow(mode, roundTripMs);
  let nowMs = 0;
  for (let round = 0; round < rounds; round += 1) {
    const depth = allowed(window);
    const latencyMs = Math.max(roundTripMs, depth / perMs);
    nowMs += latencyMs / 2;
    window = adapt(window, { commands: Math.ceil(depth / 2), latencyMs, nowMs, replyBytes: 5 * depth });
  }
  return window;
}

describe('openWindow', () => {
  it.each([
    [0.1, 100, 300, 500],
    [1, 200, 600, 1000],
    [50, 500, 1250, 2000],
  ])("starts at the specification's row for a round trip of %d ms", (roundTripMs, low, middle, high) => {
    expect(modes.map((mode) => openWindow(mode, roundTripMs).depth)).toEqual([low, middle, high]);
  });
});

describe('adapt', () => {
  it.each([0.1, 1, 10, 50])(
    'fills the path at a round trip of %d ms, and queues more the more the mode allows',
    (roundTripMs) => {
      const perMs = 500;
      const depths = modes.map((mode) => settle(mode, roundTripMs, perMs).depth);
      const path = roundTripMs * perMs;
      expect(depths[1]!).toBeGreaterThan(Math.min(path, MAX_DEPTH) * 0.8);
      // each swings around where it settles
      expect(depths[0]!).toBeLessThanOrEqual(depths[1]! * 1.4);
      expect(depths[1]!).toBeLessThanOrEqual(depths[2]! * 1.4);
      // the queue that it causes stays near what the mode allows: 0.5, 2 and 6 ms, and the fifth that it overshoots by
      modes.forEach((mode, index) => {
        const slack = { latency_optimized: 0.5, balanced: 2, throughput_optimized: 6 }[mode];
        expect(depths[index]! / perMs).toBeLessThan(Math.max((roundTripMs * 1.25 + slack) * 1.5, 1));
      });
    },
  );

  it('shrinks at once when replies come late, and grows again afterwards', () => {
    const before = settle('balanced', 0.1, 500);
    let late = before;
    for (let nowMs = 1_000; nowMs < 1_500; nowMs += 60)
      late = adapt(late, { commands: 100, latencyMs: 50, nowMs, replyBytes: 500 });
    expect(late.depth).toBeLessThan(before.depth / 3);
    expect(late.depth).toBeGreaterThanOrEqual(before.floor);
    let later = late;
    for (let nowMs = 2_000; nowMs < 4_000; nowMs += 1)
      later = adapt(later, { commands: 100, latencyMs: 0.3, nowMs, replyBytes: 500 });
    expect(later.depth).toBeGreaterThan(late.depth * 2);
  });

  it('cuts once for one jam: late replies that are on their way tell nothing new', () => {
    const window = { ...openWindow('balanced', 0.1), depth: 1_000 };
    const once = adapt(window, { commands: 10, latencyMs: 20, nowMs: 100, replyBytes: 50 });
    const again = adapt(once, { commands: 10, latencyMs: 20, nowMs: 105, replyBytes: 50 });
    expect([once.depth, again.depth]).toEqual([800, 800]);
  });

  it('stays within its bounds, in commands and in bytes of replies, whatever is measured', () => {
    const sample = fc.record({
      commands: fc.nat(5_000),
      latencyMs: fc.double({ min: 0, max: 60_000, noNaN: true }),
      nowMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
      replyBytes: fc.nat(100_000_000),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...modes),
        fc.double({ min: 0, max: 500, noNaN: true }),
        fc.array(sample),
        (mode, roundTripMs, samples) => {
          let window = openWindow(mode, roundTripMs);
          for (const one of samples) {
            window = adapt(window, one);
            expect(window.depth).toBeGreaterThanOrEqual(MIN_DEPTH);
            expect(window.depth).toBeLessThanOrEqual(MAX_DEPTH);
            expect(allowed(window)).toBeGreaterThanOrEqual(1);
            expect(allowed(window) === 1 || allowed(window) * window.replyBytes <= MAX_BYTES).toBe(true);
          }
        },
      ),
    );
  });
});
