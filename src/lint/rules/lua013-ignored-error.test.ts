import { expect, test } from 'vitest';
import { found, script } from '../../../test/support/lint.ts';
import { lua013 } from './lua013-ignored-error.ts';

test.each([
  "redis.pcall('SET', KEYS[1], 1)",
  "pcall(redis.call, 'SET', KEYS[1], 1)",
  "local p = redis.pcall p('SET', KEYS[1], 1)",
])('%s', (lua) => {
  expect(found(lua013, script(lua)).map((one) => one.split(' ')[0])).toEqual(['warning']);
});

test.each([
  "local reply = redis.pcall('SET', KEYS[1], 1) if reply.err then return reply end",
  "return redis.pcall('SET', KEYS[1], 1)",
  "redis.call('SET', KEYS[1], 1)",
  "local _ = redis.pcall('SET', KEYS[1], 1)",
  'pcall(function() return 1 end)',
])('%s is fine', (lua) => {
  expect(found(lua013, script(lua))).toEqual([]);
});
