import { expect, test } from 'vitest';
import { found, script } from '../../../test/support/lint.ts';
import { lua007 } from './lua007-lost-replies.ts';

test.each([
  'return tonumber(ARGV[1]) / 2',
  'local half = tonumber(ARGV[1]) / 2 return half',
  'return 1.5',
  'return { 1, tonumber(ARGV[1]) * 0.5 }',
  'return { 1, nil, 3 }',
  'return { count = 1 }',
  "return redis.call('INCRBY', KEYS[1], 9007199254740993)",
])('%s', (lua) => {
  expect(found(lua007, script(lua)).map((one) => one.split(' ')[0])).toEqual(['warning']);
});

test.each([
  'return math.floor(tonumber(ARGV[1]) / 2)',
  'return tostring(tonumber(ARGV[1]) / 2)',
  "return redis.call('SET', KEYS[1], ARGV[1] / 2)",
  'local function half(n) return n / 2 end return math.floor(half(3))',
  'return { 1, 2, nil }',
  'return { 1, false, 3 }',
  "return { ok = 'done' }",
  "return { err = 'ERR no' }",
  'return 9007199254740992',
  "return '1.5'",
])('%s is fine', (lua) => {
  expect(found(lua007, script(lua))).toEqual([]);
});
