import { describe, expect, it } from 'vitest';
import { ratioInterval } from './select.ts';

/** A repeatable source of numbers in [0, 1): mulberry32. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** 64 pages of some 300 keys each, of which a part `share` matches, as SCAN from random cursors gives them. */
function pages(share: number, next: () => number): { visited: number; matched: number }[] {
  return Array.from({ length: 64 }, () => {
    const visited = 300 + Math.floor(next() * 20);
    let matched = 0;
    for (let key = 0; key < visited; key += 1) if (next() < share) matched += 1;
    return { visited, matched };
  });
}

describe('ratioInterval', () => {
  it.each([0, 0.00005, 0.001, 0.01, 0.1, 0.5, 0.9, 0.999, 1])(
    'holds a share of %d in at least 95 of 100 samples',
    (share) => {
      const next = random(42);
      const rounds = 400;
      let held = 0;
      for (let round = 0; round < rounds; round += 1) {
        const { low, high } = ratioInterval(pages(share, next));
        if (low <= share && share <= high) held += 1;
      }
      expect(held / rounds).toBeGreaterThanOrEqual(0.95);
    },
  );

  it('is narrow enough to be of use: a tenth of the keys is known to a tenth of itself', () => {
    const { low, high } = ratioInterval(pages(0.1, random(7)));
    expect(high - low).toBeLessThan(0.02);
  });

  it('never says "none" of what it has not seen', () => {
    expect(ratioInterval(pages(0, random(1))).high).toBeGreaterThan(0);
    expect(ratioInterval([{ visited: 0, matched: 0 }])).toEqual({ ratio: 0, low: 0, high: 1 });
  });
});
