import { describe, expect, it } from 'vitest';
import { keyFacts, targetWith } from '../../test/support/target.ts';
import type { KeyFacts } from '../plan/target.ts';
import { factsOf } from './estimate.ts';
import { memoryChange } from './memory-change.ts';

const keys: readonly KeyFacts[] = [
  keyFacts('big', 'hash', 1000, { bytes: 64_000 }),
  keyFacts('z', 'zset', 10, { bytes: 900 }),
  keyFacts('none', 'none', 0, { exists: false }),
];
const facts = factsOf(targetWith({ keys }));
const change = (line: string) => memoryChange(line.split(' '), facts);

describe('memoryChange', () => {
  it.each([
    ['GET big', 0, 0],
    ['DEL big', -64_000, -64_000],
    ['UNLINK big none z', -64_900, -64_900],
    ['DEL none', 0, 0],
    ['RENAME z big', -64_000, -64_000],
    ['COPY big none', 0, 64_000],
    ['ZUNIONSTORE big 1 z', -64_000, -63_100],
    ['SPOP big 5', -64_000, 0],
    ['SORT z', 0, 0],
    ['SORT z STORE none', 0, 900],
  ])('%s: %i to %i bytes', (line, low, high) => {
    expect(change(line)).toEqual({ low, high });
  });

  it('what is brought counts with what it lies in', () => {
    const { low, high } = change(`SET none ${'x'.repeat(1000)}`)!;
    expect(low).toBe(0);
    expect(high).toBeGreaterThan(1000);
    expect(high).toBeLessThan(1300);
    expect(change('SET big v')!.low).toBe(-64_000);
  });

  it('a deadline takes and gives an entry', () => {
    const { low, high } = change('EXPIRE big 10')!;
    expect([low < 0, high > 0, high < 100]).toEqual([true, true, true]);
  });

  it('is not known of keys that were not looked at', () => {
    for (const line of ['DEL other', 'SET other v', 'HSET other f v']) expect(change(line)).toBeUndefined();
    expect(change('COPY other none')).toBeUndefined();
  });

  it('is not known of scripts, of flushes, and of commands that are not in the table', () => {
    for (const line of ['EVAL x 1 big', 'FLUSHDB', 'NOSUCH big']) expect(change(line)).toBeUndefined();
  });
});
