import { expect, test } from 'vitest';
import { file, found, script } from '../../../test/support/lint.ts';
import { lua001 } from './lua001-undeclared-key.ts';

test.each([
  "redis.call('GET', 'user:' .. ARGV[1])",
  "redis.call('GET', ARGV[1])",
  "redis.call('MGET', KEYS[1], ARGV[1])",
  "redis.call('HMSET', 'user:' .. ARGV[1], unpack(ARGV))",
])('%s is an error', (lua) => {
  expect(found(lua001, script(lua))).toEqual(['error cas.lua:1:1']);
});

test.each([
  "redis.call('INCR', 'global:counter')",
  "redis.call('GET', KEYS[1] .. ':lock')",
  "redis.call('GET', redis.call('GET', KEYS[1]))",
])('%s is a warning', (lua) => {
  expect(found(lua001, script(lua)).map((one) => one.split(' ')[0])).toEqual(['warning']);
});

test('a name kept in a local', () => {
  expect(found(lua001, script("local key = 'user:' .. ARGV[1]\nredis.call('GET', key)"))).toEqual([
    'error cas.lua:2:1',
  ]);
});

test('inside EVAL the place is the command, and the line of the script', () => {
  expect(found(lua001, file("PING\nEVAL \"return redis.call('GET', 'user:' .. ARGV[1])\" 0 7"))).toEqual([
    'error app.redis:2:1, script line 1',
  ]);
});

test.each([
  "redis.call('SET', KEYS[1], ARGV[1])",
  "redis.call('MGET', unpack(KEYS))",
  "redis.call('SET', KEYS[1], 'user:' .. ARGV[1])",
  "for i = 1, 3 do redis.call('GET', KEYS[i]) end",
  "redis.call('PING')",
  "redis.call('PUBLISH', 'channel:' .. ARGV[1], 'm')",
])('%s is fine', (lua) => {
  expect(found(lua001, script(lua))).toEqual([]);
});

test('the message shows how the key is built', () => {
  const [finding] = lua001.check(script("redis.call('GET', 'user:' .. ARGV[1])")).findings;
  expect(finding?.message).toBe("the key is built in the script: 'user:' .. ARGV[1]");
});
