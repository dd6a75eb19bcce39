import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRepeats } from './repeats.ts';

const keys = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `{slot}${from + at}`);

describe('repeats', () => {
  it('are the keys of a slot that a second walk meets again, and not those beyond', () => {
    const repeats = createRepeats(false);
    expect(repeats.walk().count(keys(0, 10))).toEqual({ again: 0, unsure: 0 });
    repeats.endRound();
    expect(repeats.walk().count(keys(0, 14))).toEqual({ again: 10, unsure: 0 });
    repeats.endRound();
    expect(repeats.walk().count(keys(0, 14))).toEqual({ again: 14, unsure: 0 });
  });

  it('are not sure while the walks are of one round: they may have met different keys', () => {
    const repeats = createRepeats(false);
    const [one, other] = [repeats.walk(), repeats.walk()];
    expect(one.count(keys(0, 6))).toEqual({ again: 0, unsure: 0 });
    expect(other.count(keys(6, 10))).toEqual({ again: 4, unsure: 4 });
    repeats.endRound();
    expect(repeats.walk().count(keys(0, 10))).toEqual({ again: 6, unsure: 0 });
  });

  it('are none where keys are deleted', () => {
    const repeats = createRepeats(true);
    repeats.walk().count(keys(0, 6));
    repeats.endRound();
    expect(repeats.walk().count(keys(0, 6))).toEqual({ again: 0, unsure: 0 });
  });

  it('leave every key counted once when a last walk meets all of them, whatever was met before', () => {
    const met = fc.array(fc.array(fc.nat({ max: 40 }), { maxLength: 40 }), { maxLength: 5 });
    fc.assert(
      fc.property(met, (walks) => {
        const repeats = createRepeats(false);
        const count = (numbers: readonly number[], walk = repeats.walk()) => {
          const { again, unsure } = walk.count(numbers.map((number) => `{slot}${number}`));
          expect(unsure).toBeLessThanOrEqual(again);
          return numbers.length - again;
        };
        const before = walks.map((numbers) => count([...new Set(numbers)]));
        repeats.endRound();
        const all = count(Array.from({ length: 41 }, (_, number) => number));
        expect([...before, all].reduce((sum, fresh) => sum + fresh, 0)).toBe(41);
      }),
    );
  });
});
