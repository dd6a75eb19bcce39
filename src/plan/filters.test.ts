import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filterCommands, isFiltered, passes, readsPerKey, selectionId } from './filters.ts';

const match = 'k:*';

describe('passes', () => {
  it.each([
    ['none', -1, true],
    ['none', 5000, false],
    ['none', -2, false],
    ['any', 0, true],
    ['any', -1, false],
    ['any', -2, false],
    [{ max_ms: 1000 }, 1000, true],
    [{ max_ms: 1000 }, 1001, false],
    [{ max_ms: 1000 }, -1, false],
    [{ min_ms: 1000 }, 1000, true],
    [{ min_ms: 1000 }, 999, false],
    [{ min_ms: 0 }, -1, false],
    [{ min_ms: 10, max_ms: 20 }, 15, true],
  ] as const)('ttl %j with %d ms left: %s', (ttl, ttlMs, expected) => {
    expect(passes({ match, ttl }, { ttlMs })).toBe(expected);
  });

  it('needs every filter to pass', () => {
    const selection = { match, ttl: 'none', size: { min: 2 }, bytes: { max: 100 } } as const;
    expect(passes(selection, { ttlMs: -1, size: 2, bytes: 100 })).toBe(true);
    expect(passes(selection, { ttlMs: 1, size: 2, bytes: 100 })).toBe(false);
    expect(passes(selection, { ttlMs: -1, size: 1, bytes: 100 })).toBe(false);
    expect(passes(selection, { ttlMs: -1, size: 2, bytes: 101 })).toBe(false);
  });

  it('takes no key of which something is not known', () => {
    fc.assert(
      fc.property(fc.constantFrom('none' as const, 'any' as const), fc.nat(), (ttl, min) => {
        expect(passes({ match, ttl }, {})).toBe(false);
        expect(passes({ match, size: { min } }, {})).toBe(false);
        expect(passes({ match, bytes: { min } }, {})).toBe(false);
      }),
    );
  });
});

describe('what the filters read', () => {
  it('is nothing without filters', () => {
    const selection = { match, type: 'hash' } as const;
    expect([isFiltered(selection), filterCommands(selection), readsPerKey(selection)]).toEqual([false, [], 0]);
  });

  it('is the size by the command of the type, or by that of each', () => {
    expect(filterCommands({ match, type: 'hash', size: { min: 1 } })).toEqual([['HLEN']]);
    expect(filterCommands({ match, size: { min: 1 } }).map(([name]) => name)).toEqual([
      'TYPE',
      'STRLEN',
      'LLEN',
      'SCARD',
      'ZCARD',
      'HLEN',
      'XLEN',
    ]);
    expect(readsPerKey({ match, size: { min: 1 }, ttl: 'any', bytes: { min: 1 } })).toBe(4);
  });

  it('tells selections apart by what they select', () => {
    expect(selectionId({ match, ttl: 'any' })).not.toBe(selectionId({ match }));
    expect(selectionId({ match, type: 'set', ttl: 'any' })).toBe(selectionId({ ttl: 'any', type: 'set', match }));
  });
});
