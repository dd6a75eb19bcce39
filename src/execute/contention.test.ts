import { describe, expect, it } from 'vitest';
import { createContention } from './contention.ts';

describe('contention', () => {
  it('is remembered for ten seconds, and what was noted last counts', () => {
    let now = 0;
    const contention = createContention({ monotonic: () => now });
    expect(contention.of('t')).toBeUndefined();
    contention.note('t', 'contended');
    now = 9_999;
    expect([contention.of('t'), contention.of('other')]).toEqual(['contended', undefined]);
    contention.note('t', 'refused');
    now = 19_998;
    expect(contention.of('t')).toBe('refused');
    now = 19_999;
    expect(contention.of('t')).toBeUndefined();
  });

  it('is remembered of the last thousand transactions', () => {
    const contention = createContention({ monotonic: () => 0 });
    for (let at = 0; at <= 1000; at += 1) contention.note(`t${at}`, 'contended');
    expect([contention.of('t0'), contention.of('t1'), contention.of('t1000')]).toEqual([
      undefined,
      'contended',
      'contended',
    ]);
  });
});
