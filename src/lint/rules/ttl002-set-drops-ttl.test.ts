import { expect, test } from 'vitest';
import { file, found, key, missing, unchecked } from '../../../test/support/lint.ts';
import { ttl002 } from './ttl002-set-drops-ttl.ts';

const given = { keys: [key('k', { type: 'string', ttl_ms: 60_000 }), key('permanent'), missing('new')] };

test.each(['SET k v', 'SET k v XX', 'GETSET k v', 'MSET a 1 k 2'])('%s takes the TTL away', (line) => {
  expect(found(ttl002, file(line, given))).toEqual(['warning app.redis:1:1']);
});

test('on a key that is temporary by its name it is an error', () => {
  expect(found(ttl002, file('SET session:1 v', { keys: [key('session:1', { ttl_ms: 5 })] }))).toEqual([
    'error app.redis:1:1',
  ]);
});

test.each([
  'SET k v KEEPTTL',
  'SET k v EX 60',
  'SET k v NX',
  'SETNX k v',
  'SET permanent v',
  'SET new v',
  'APPEND k v',
  'SET k v\nEXPIRE k 60',
])('%s is fine', (lines) => {
  expect(found(ttl002, file(lines, given))).toEqual([]);
});

test('without facts it is not judged; a SET with a TTL needs none', () => {
  expect(unchecked(ttl002, file('SET k v'))).toBe('needs the live TTL of k: give --url');
  expect(unchecked(ttl002, file('SET k v EX 60'))).toBeUndefined();
});
