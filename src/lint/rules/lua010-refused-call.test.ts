import { expect, test } from 'vitest';
import { found, script } from '../../../test/support/lint.ts';
import { lua010 } from './lua010-refused-call.ts';

test.each([
  "redis.call('GTE', KEYS[1])",
  "redis.call('SET', KEYS[1])",
  "redis.call('GET', KEYS[1], KEYS[2])",
  "redis.call('SET', KEYS[1], ARGV[1], 'NX', 'XX')",
  "redis.call('SET', KEYS[1], ARGV[1], 'EX', 'soon')",
  "redis.call('NOSUCH', unpack(ARGV))",
])('%s', (lua) => {
  expect(found(lua010, script(lua)).map((one) => one.split(' ')[0])).toEqual(['error']);
});

test.each([
  "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX')",
  "redis.call('set', KEYS[1], ARGV[1])",
  "redis.call('HSET', KEYS[1], unpack(ARGV))",
  "redis.call('JSON.GET', KEYS[1])",
  'redis.call(ARGV[1])',
  "local function f(...) return redis.call('SET', ...) end return f(KEYS[1], 1)",
])('%s is fine', (lua) => {
  expect(found(lua010, script(lua))).toEqual([]);
});
