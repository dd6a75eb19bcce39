import { expect, test } from 'vitest';
import { draft, found } from '../../../test/support/lint.ts';
import { ttl010 } from './ttl010-outside-strategy.ts';

const set = (fields: Record<string, unknown>) =>
  draft([], undefined, { operation_type: 'expiration', action: 'set', keys: ['k'], ...fields });
const batch = (fields: Record<string, unknown>) =>
  draft([], undefined, {
    operation_type: 'batch',

    select: { match: 'a:*' },
    do: { action: 'expire', ...fields },
  });

test('outside the range', () => {
  expect(found(ttl010, set({ ttl: '48h', strategy: 'session' }))).toEqual(['warning ttl']);
  expect(found(ttl010, set({ ttl: '10s', strategy: 'cache_hot' }))).toEqual(['warning ttl']);
  expect(found(ttl010, batch({ ttl: '2h', strategy: 'cache_warm' }))).toEqual(['warning do.ttl']);
});

test.each([
  { ttl: '24h', strategy: 'session' },
  { ttl: '30m', strategy: 'session' },
  { strategy: 'session' },
  { ttl: '48h' },
  { ttl: '48h', strategy: 'lock' },
])('%j is fine', (fields) => {
  expect(found(ttl010, set(fields))).toEqual([]);
});
