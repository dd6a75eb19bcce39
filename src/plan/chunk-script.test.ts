import { describe, expect, it } from 'vitest';
import { jitterPart } from './chunk-script.ts';

describe('jitterPart', () => {
  it.each([
    ['numbered keys', (at: number) => `session:${at}`],
    ['keys that differ in the middle', (at: number) => `session:${at}:of:somebody:with:a:profile`],
    ['keys that go in by their SHA-1', (at: number) => `session:${at}:${'x'.repeat(100)}`],
  ])('spreads evenly: %s', (_, keyAt) => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let at = 0; at < 20_000; at += 1) tenths[Math.floor(jitterPart('run', keyAt(at)) * 10)]! += 1;
    for (const count of tenths) expect(Math.abs(count - 2_000)).toBeLessThan(200);
  });

  it('gives a key another place in another run', () => {
    const parts = Array.from({ length: 100 }, (_, run) => jitterPart(`run-${run}`, 'session:1'));
    expect(new Set(parts).size).toBe(100);
  });
});
