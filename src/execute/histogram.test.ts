import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHistogram } from './histogram.ts';

const waits = fc.array(fc.double({ min: 0, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 400 });

describe('a histogram', () => {
  it('gives any quantile to a tenth of its value', () => {
    fc.assert(
      fc.property(waits, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, share) => {
        const histogram = createHistogram();
        for (const value of values) histogram.add(value);
        const sorted = values.toSorted((a, b) => a - b);
        const exact = Math.max(0.01, sorted[Math.ceil(share * sorted.length) - 1]!);
        expect(histogram.quantile(share)).toBeGreaterThanOrEqual(exact * 0.999);
        expect(histogram.quantile(share)).toBeLessThanOrEqual(exact * 1.101);
      }),
    );
  });

  it('counts what is over a value, to its bucket', () => {
    fc.assert(
      fc.property(waits, fc.double({ min: 0.02, max: 1000, noNaN: true }), (values, limit) => {
        const histogram = createHistogram();
        for (const value of values) histogram.add(value);
        expect(histogram.over(limit)).toBeLessThanOrEqual(values.filter((value) => value > limit).length);
        expect(histogram.over(limit)).toBeGreaterThanOrEqual(values.filter((value) => value > limit * 1.11).length);
      }),
    );
  });

  it('counts for a long wait those that it kept from being asked', () => {
    const histogram = createHistogram();
    for (let index = 0; index < 400; index += 1) histogram.add(0.1);
    histogram.addWithOmitted(20, 2);
    // 20, and what was not asked: 18, 16, ... 2
    expect(histogram.count).toBe(410);
    expect(histogram.over(9)).toBe(6);
    // one long wait among 400 short ones is a p99 of milliseconds: 2.5 % of the time it was 2 ms and more
    expect(histogram.quantile(0.99)).toBeGreaterThan(10);
  });

  it('is empty after clear, and 0 when empty', () => {
    const histogram = createHistogram();
    histogram.add(3);
    histogram.clear();
    expect([histogram.count, histogram.quantile(0.99), histogram.over(0)]).toEqual([0, 0, 0]);
  });
});
