import { expect, test } from 'vitest';
import { found, script } from '../../../test/support/lint.ts';
import { lua002 } from './lua002-zero-is-true.ts';

test.each([
  "if redis.call('EXISTS', KEYS[1]) then return 1 end",
  "if not redis.call('EXISTS', KEYS[1]) then return 1 end",
  "if redis.call('GET', KEYS[1]) == nil then return 1 end",
  "local v = redis.call('HGET', KEYS[1], 'a') if v ~= nil then return v end",
  "return redis.call('SISMEMBER', KEYS[1], 'a') and 1 or 2",
])('%s', (lua) => {
  expect(found(lua002, script(lua)).map((one) => one.split(' ')[0])).toEqual(['error']);
});

test.each([
  "if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end",
  "if redis.call('GET', KEYS[1]) then return 1 end",
  "if not redis.call('GET', KEYS[1]) then return 1 end",
  "return redis.call('EXISTS', KEYS[1])",
  "local n = tonumber(redis.call('GET', KEYS[1])) if n == nil then return 0 end",
  "local v = redis.call('GET', KEYS[1]) if v == nil or v == false then return 0 end",
  "redis.setresp(3) local v = redis.call('GET', KEYS[1]) if v == nil then return 0 end",
])('%s is fine', (lua) => {
  expect(found(lua002, script(lua))).toEqual([]);
});
