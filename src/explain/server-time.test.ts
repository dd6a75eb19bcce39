import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Costs } from '../plan/costs.ts';
import { addTimes, timeOf, times, type Work } from './server-time.ts';

const costs: Costs = {
  server: 'redis 7.0.15',
  basis: 'target',
  measured_ms: 0,
  curves: {
    'hgetall/hash/compact': {
      points: [
        [1, 2],
        [100, 20],
      ],
      spread: 1.2,
    },
    'hgetall/hash/table': {
      points: [
        [10, 3],
        [1000, 100],
        [10_000, 1000],
      ],
      spread: 1.2,
    },
    'hscan/hash/table': {
      points: [
        [1000, 100],
        [10_000, 100],
        [1_000_000, 400],
      ],
      spread: 1.2,
    },
    'hget/hash/table': {
      points: [
        [1000, 1],
        [1_000_000, 3],
      ],
      spread: 2.5,
    },
    'hmget/hash/table': {
      points: [
        [1, 1],
        [100, 20],
      ],
      spread: 1.2,
    },
  },
};
const hgetall = (size: number, change: Partial<Work> = {}): Work => ({
  command: 'hgetall',
  type: 'hash',
  form: 'table',
  size,
  units: size,
  per: 'element',
  ...change,
});

describe('timeOf', () => {
  it('is what was measured, where it was measured', () => {
    expect(timeOf(hgetall(1000), costs).expected).toBe(100);
    expect(timeOf(hgetall(10), costs).expected).toBe(3);
    expect(timeOf(hgetall(100, { form: 'compact' }), costs).expected).toBe(20);
  });

  it('between two measurements follows their logarithms', () => {
    expect(timeOf(hgetall(100), costs).expected).toBeCloseTo(Math.sqrt(3 * 100), 5);
  });

  it('below the first measurement is no less than that', () => {
    expect(timeOf(hgetall(0), costs).expected).toBe(3);
  });

  it('beyond the last one grows in proportion, and with what cold memory costs', () => {
    const far = timeOf(hgetall(1_000_000), costs);
    // 1000 us, 0.1 us for each of 990,000, and (400 - 100) / 500 us for each of a million
    expect(far.expected).toBeCloseTo(1000 + 99_000 + 600_000, -1);
    expect(far.low).toBeCloseTo(100_000 / 1.5, -2);
    expect(far.high).toBeGreaterThan(far.expected * 1.5);
  });

  it('a part of a large key is dearer than as much of a small one', () => {
    const part = hgetall(1_000_000, { units: 1000 });
    expect(timeOf(part, costs).expected).toBe(100 + 600);
  });

  it('finds what is like it, and the other form, before it guesses', () => {
    expect(timeOf(hgetall(10_000, { command: 'hincrby', per: 'size' }), costs).expected).toBeGreaterThan(1);
    expect(timeOf(hgetall(10_000, { command: 'hincrby', per: 'size' }), costs).high).toBeLessThan(6);
    expect(
      timeOf(hgetall(100, { command: 'hmget', form: 'compact', units: 100, per: 'argument' }), costs).expected,
    ).toBe(20);
    const guess = timeOf(hgetall(100, { command: 'nosuch' }), costs);
    expect(guess.high / guess.low).toBeGreaterThan(10);
  });

  it('doubts the measurements of another server', () => {
    const width = (basis: Costs['basis']) => {
      const { low, high } = timeOf(hgetall(1000), { ...costs, basis });
      return high / low;
    };
    expect(width('target')).toBeLessThan(width('throwaway'));
    expect(width('throwaway')).toBeLessThan(width('default'));
  });

  it('a curve whose rounds lay far apart has a wide interval', () => {
    const { expected, high } = timeOf(hgetall(1000, { command: 'hget', per: 'size' }), costs);
    expect(high / expected).toBeCloseTo(2.5, 5);
  });

  it('is finite, ordered, and never less for more', () => {
    const any = fc.record({
      command: fc.constantFrom('hgetall', 'hget', 'hmget', 'nosuch'),
      per: fc.constantFrom<Work['per']>('element', 'argument', 'size'),
      form: fc.constantFrom<Work['form']>('compact', 'table'),
      units: fc.nat(10_000_000),
      more: fc.nat(1_000_000),
    });
    fc.assert(
      fc.property(any, ({ more, units, ...rest }) => {
        const work = (count: number): Work => ({ ...rest, type: 'hash', units: count, size: count });
        const [less, most] = [timeOf(work(units), costs), timeOf(work(units + more), costs)];
        for (const { low, expected, high } of [less, most]) {
          expect(Number.isFinite(high)).toBe(true);
          expect(low).toBeLessThanOrEqual(expected);
          expect(expected).toBeLessThanOrEqual(high);
          expect(low).toBeGreaterThan(0);
        }
        expect(most.expected).toBeGreaterThanOrEqual(less.expected * 0.999);
      }),
    );
  });
});

it('times add up and multiply', () => {
  const one = { expected: 2, low: 1, high: 4 };
  expect(addTimes([one, one, times(one, 3)])).toEqual({ expected: 10, low: 5, high: 20 });
});
