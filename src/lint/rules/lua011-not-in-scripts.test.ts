import { expect, test } from 'vitest';
import { found, script } from '../../../test/support/lint.ts';
import { lua011 } from './lua011-not-in-scripts.ts';

test.each([
  "redis.call('SUBSCRIBE', 'news')",
  "redis.call('MULTI')",
  "redis.call('WATCH', KEYS[1])",
  "redis.call('EVAL', 'return 1', 0)",
  "redis.call('CONFIG', 'SET', 'maxmemory', '1gb')",
])('%s', (lua) => {
  expect(found(lua011, script(lua)).map((one) => one.split(' ')[0])).toEqual(['error']);
});

test.each([
  "redis.call('BLPOP', KEYS[1], 0)",
  "redis.call('PUBLISH', 'news', 'x')",
  "redis.call('PING')",
  "redis.call('TIME')",
])('%s is fine', (lua) => {
  expect(found(lua011, script(lua))).toEqual([]);
});

test.each(["redis.call('BLPOP', KEYS[1], 0)", "redis.call('WAIT', 0, 1)"])('%s: refused up to 7.0', (lua) => {
  const on = (redis_version: string) => ({ server: { version: redis_version, redis_version } });
  expect(found(lua011, script(lua, on('7.0.15')))).toEqual(['error cas.lua:1:1']);
  expect(found(lua011, script(lua, on('6.0.16')))).toEqual(['error cas.lua:1:1']);
  expect(found(lua011, script(lua, on('8.0.2')))).toEqual([]);
});
