import { expect, test } from 'vitest';
import { found, script } from '../../../test/support/lint.ts';
import { lua002 } from './lua002-zero-is-true.ts';

test.each([
  "if redis.call('EXISTS', KEYS[1]) then return 1 end",
  "if not redis.call('EXISTS', KEYS[1]) then return 1 end",
  "return redis.call('SISMEMBER', KEYS[1], 'a') and 1 or 2",
])('%s', (lua) => {
  expect(found(lua002, script(lua)).map((one) => one.split(' ')[0])).toEqual(['error']);
});

test.each([
  "if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end",
  "if redis.call('GET', KEYS[1]) then return 1 end",
  "if not redis.call('GET', KEYS[1]) then return 1 end",
  "return redis.call('EXISTS', KEYS[1])",
])('%s is fine', (lua) => {
  expect(found(lua002, script(lua))).toEqual([]);
});
