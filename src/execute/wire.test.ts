import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bind } from './wire.ts';

describe('bind', () => {
  const argv = ['PEXPIREAT', { param: 'key' as const }, { deadline: { after_ms: 60_000, jitter_ms: 6_000 } }, 'NX'];

  it('adds jitter to a deadline, never takes any away, and gives the same one to the same run and key', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: 'grapheme' }), fc.nat(2 ** 41), (runId, key, timeMs) => {
        const bound = bind(argv, { runId, key, timeMs });
        expect(bind(argv, { runId, key, timeMs })).toEqual(bound);
        expect(bound).toEqual(['PEXPIREAT', key, bound[2], 'NX']);
        expect(Number(bound[2]) - timeMs).toBeGreaterThanOrEqual(60_000);
        expect(Number(bound[2]) - timeMs).toBeLessThanOrEqual(66_000);
      }),
    );
  });
});
