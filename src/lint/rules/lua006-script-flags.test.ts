import { expect, test } from 'vitest';
import { file, found, script } from '../../../test/support/lint.ts';
import { lua006 } from './lua006-script-flags.ts';

const on = (redis_version: string) => ({ server: { version: redis_version, redis_version } });

test('a write under no-writes is an error', () => {
  expect(found(lua006, script("#!lua flags=no-writes\nredis.call('SET', KEYS[1], 1)"))).toEqual(['error cas.lua:1:1']);
});

test('the line itself is an error before 7.0', () => {
  expect(found(lua006, script("#!lua\nreturn redis.call('GET', KEYS[1])", on('6.2.14')))).toEqual([
    'error cas.lua:1:1',
  ]);
  expect(found(lua006, script("#!lua\nreturn redis.call('GET', KEYS[1])", on('7.0.0')))).toEqual([]);
});

test('a purge that is refused when memory is full', () => {
  expect(found(lua006, script("#!lua\nredis.call('UNLINK', KEYS[1])"))).toEqual(['warning cas.lua:1:1']);
  expect(found(lua006, script("#!lua flags=allow-oom\nredis.call('UNLINK', KEYS[1])"))).toEqual([]);
  expect(found(lua006, script("#!lua\nredis.call('UNLINK', KEYS[1]) redis.call('SET', KEYS[2], 1)"))).toEqual([]);
});

test('a script that only reads may say so, from 7.0 on', () => {
  const reads = "return redis.call('GET', KEYS[1])";
  expect(found(lua006, script(reads, on('7.0.0')))).toEqual(['info cas.lua:1:1']);
  expect(found(lua006, script(reads, on('6.2.14')))).toEqual([]);
  expect(found(lua006, script(reads))).toEqual([]);
  expect(found(lua006, file(`EVAL "${reads}" 1 k`, on('7.0.0')))).toEqual([]);
});

test('an unknown flag is an error', () => {
  expect(found(lua006, script('#!lua flags=no-write\nreturn 1'))).toEqual(['error cas.lua:1:1']);
  expect(found(lua006, script('#!lua flags=no-writes,allow-stale,no-cluster,allow-cross-slot-keys\nreturn 1'))).toEqual(
    [],
  );
});

test('a library has flags for each function', () => {
  const purge = "redis.register_function('purge', function(keys) return redis.call('UNLINK', keys[1]) end)";
  expect(found(lua006, script(`#!lua name=lib\n${purge}`))).toEqual([]);
});

test('a plain script that writes is fine', () => {
  expect(found(lua006, script("redis.call('SET', KEYS[1], 1)", on('7.0.0')))).toEqual([]);
});
