import { expect, test } from 'vitest';
import { found, script } from '../../../test/support/lint.ts';
import { lua014 } from './lua014-whole-value-in-loop.ts';

test.each([
  "for i = 1, #KEYS do redis.call('HGETALL', KEYS[i]) end",
  "for _, key in ipairs(KEYS) do redis.call('LRANGE', key, 0, -1) end",
  "while true do redis.call('SUNIONSTORE', KEYS[1], KEYS[2]) break end",
])('%s', (lua) => {
  expect(found(lua014, script(lua)).map((one) => one.split(' ')[0])).toEqual(['warning']);
});

test.each([
  "redis.call('HGETALL', KEYS[1])",
  "for i = 1, #KEYS do redis.call('HGET', KEYS[i], 'a') end",
  "for i = 1, #KEYS do redis.call('LRANGE', KEYS[i], 0, 9) end",
  "for i = 1, #KEYS do redis.call('LRANGE', KEYS[i], 0, ARGV[1]) end",
  "for i = 1, #KEYS do redis.call('UNLINK', KEYS[i]) end",
])('%s is fine', (lua) => {
  expect(found(lua014, script(lua))).toEqual([]);
});
