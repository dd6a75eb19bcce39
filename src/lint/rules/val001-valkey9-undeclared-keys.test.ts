import { expect, test } from 'vitest';
import { found, type Given, script, unchecked } from '../../../test/support/lint.ts';
import { val001 } from './val001-valkey9-undeclared-keys.ts';

const on = (version: string, cluster: boolean, engine: 'redis' | 'valkey' = 'valkey'): Given => ({
  server: { engine, version, redis_version: '7.2.4', cluster },
});
const nine = on('9.0.1', true);

test.each([
  "redis.call('MGET', ARGV[1], ARGV[2])",
  "redis.call('UNLINK', KEYS[1], 'x' .. ARGV[1])",
  "redis.pcall('MSET', 'a', 1, 'b', 2)",
])('%s', (lua) => {
  expect(found(val001, script(lua, nine))).toEqual(['error cas.lua:1:1']);
});

test('keys read from Redis, unpacked', () => {
  const lua = "local names = redis.call('LRANGE', KEYS[1], 0, 9)\nredis.call('UNLINK', unpack(names))";
  const subject = script(lua, nine);
  expect(found(val001, subject).length + (unchecked(val001, subject) === undefined ? 0 : 1)).toBe(1);
});

test.each(["redis.call('MGET', KEYS[1], KEYS[2])", "redis.call('GET', ARGV[1])", "redis.call('UNLINK', KEYS[1])"])(
  '%s is fine',
  (lua) => {
    expect(found(val001, script(lua, nine))).toEqual([]);
    expect(unchecked(val001, script(lua, nine))).toBeUndefined();
  },
);

test('only Valkey 9, only in cluster mode', () => {
  const lua = "redis.call('MGET', ARGV[1], ARGV[2])";
  for (const given of [on('8.1.1', true), on('9.0.1', false), on('9.0.1', true, 'redis')]) {
    expect(found(val001, script(lua, given))).toEqual([]);
    expect(unchecked(val001, script(lua, given))).toBeUndefined();
  }
});

test('without a server it is not known, and only said where it would matter', () => {
  expect(unchecked(val001, script("redis.call('MGET', ARGV[1], ARGV[2])"))).toContain('Valkey 9');
  expect(unchecked(val001, script("redis.call('MGET', KEYS[1], KEYS[2])"))).toBeUndefined();
});
