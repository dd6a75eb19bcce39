import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_COUNT, MIN_COUNT, nextPageSize, openPageSize, type PageSize } from './page-size.ts';

const modes = ['latency_optimized', 'balanced', 'throughput_optimized'] as const;
const startOf = { latency_optimized: 100, balanced: 500, throughput_optimized: 1000 };

/** So many calls to a server that takes so long for a key; `stall`: what comes on top of one. */
function calls(size: PageSize, many: number, eachMs: number, roundTripMs: number, stall = (_: number) => 0): PageSize {
  let now = size;
  for (let at = 0; at < many; at += 1) {
    const tookMs = roundTripMs + now.count * eachMs + stall(at);
    now = nextPageSize(now, { count: now.count, tookMs, busyMs: 0, roundTripMs });
  }
  return now;
}

const mode = fc.constantFrom(...modes);
const ms = (max: number) => fc.double({ min: 0, max, noNaN: true });

describe('the size of a page', () => {
  it('begins with the plan’s', () => {
    for (const one of modes) expect(openPageSize(one, startOf[one]).count).toBe(startOf[one]);
  });

  it('stays between its bounds, whatever is measured', () => {
    const measured = fc.record({
      count: fc.integer({ min: 1, max: MAX_COUNT }),
      tookMs: ms(10_000),
      busyMs: ms(10_000),
      roundTripMs: ms(500),
    });
    const most = fc.option(fc.integer({ min: 1, max: 20_000 }), { nil: undefined });
    fc.assert(
      fc.property(mode, most, fc.array(measured, { maxLength: 60 }), (one, bound, samples) => {
        const start = startOf[one];
        let size = openPageSize(one, start, bound);
        for (const sample of samples) {
          size = nextPageSize(size, sample);
          expect(Number.isInteger(size.count)).toBe(true);
          expect(size.count).toBeGreaterThanOrEqual(Math.max(MIN_COUNT, start / 10));
          expect(size.count).toBeLessThanOrEqual(Math.max(start, Math.min(bound ?? MAX_COUNT, MAX_COUNT)));
          expect(size.recent.length).toBeLessThanOrEqual(4);
        }
      }),
    );
  });

  it('comes to where a call takes the time that the mode allows, from wherever it stands', () => {
    const eachMs = fc.double({ min: 0.0001, max: 0.02, noNaN: true });
    fc.assert(
      fc.property(mode, eachMs, eachMs, ms(2), (one, before, now, roundTripMs) => {
        const size = calls(calls(openPageSize(one, startOf[one]), 300, before, roundTripMs), 400, now, roundTripMs);
        // what goes with the page is not told from it; up to four steps are taken before the first of them is forgotten
        const longest = size.targetMs + 0.1 + roundTripMs * 0.05 + 5 * size.step * now;
        expect(size.count === size.least || size.count * now <= longest).toBe(true);
        const shortest = size.targetMs / 2 - size.step * now;
        expect(size.count === MAX_COUNT || size.count === size.least || size.count * now >= shortest).toBe(true);
      }),
    );
  });

  it('does not fall for a stall of one call in four', () => {
    const open = openPageSize('balanced', 500);
    expect(calls(open, 100, 0.001, 0.2, (at) => (at % 4 === 3 ? 50 : 0)).count).toBeGreaterThan(1_500);
  });

  it('neither falls nor grows while this process is too busy to know', () => {
    let size = openPageSize('balanced', 500);
    for (let at = 0; at < 20; at += 1)
      size = nextPageSize(size, { count: size.count, tookMs: 30, busyMs: 30, roundTripMs: 0.1 });
    expect(size.count).toBe(500);
  });
});
