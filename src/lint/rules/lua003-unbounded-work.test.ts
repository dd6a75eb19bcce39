import { expect, test } from 'vitest';
import { found, script } from '../../../test/support/lint.ts';
import { lua003 } from './lua003-unbounded-work.ts';

const weights = (lua: string) => found(lua003, script(lua)).map((one) => one.split(' ')[0]);

test.each([
  'while true do end',
  'for i = 1, tonumber(ARGV[1]) do redis.call("INCR", KEYS[1]) end',
  "return redis.call('SMEMBERS', KEYS[1])",
  "return redis.call('HGETALL', KEYS[1])",
  "return redis.call('LRANGE', KEYS[1], 0, -1)",
  "return redis.call('SCAN', 0)",
])('%s', (lua) => {
  expect(weights(lua)).toEqual(['warning']);
});

test('KEYS in a script is an error', () => {
  expect(weights("return redis.call('KEYS', '*')")).toEqual(['error']);
});

test.each([
  'for i = 1, 1000 do redis.call("INCR", KEYS[1]) end',
  "return redis.call('LRANGE', KEYS[1], 0, 99)",
  "return redis.call('HMGET', KEYS[1], 'a', 'b')",
  "for i = 1, #KEYS do redis.call('UNLINK', KEYS[i]) end",
])('%s is fine', (lua) => {
  expect(weights(lua)).toEqual([]);
});
