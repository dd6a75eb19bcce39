import { expect, test } from 'vitest';
import { found, script } from '../../../test/support/lint.ts';
import { lua017 } from './lua017-not-in-a-library.ts';

const library = (...lines: string[]) => ['#!lua name=shop', ...lines, "redis.register_function('f', g)"].join('\n');
const g = 'local function g(keys, args) return cjson.encode({redis.sha1hex(keys[1]), tostring(args[1])}) end';

test.each([
  ["local x = redis.call('GET', 'a')", 2],
  ['local encode = cjson.encode', 2],
  ["local x = redis.sha1hex('a')", 2],
  ['local x = tostring(1)', 2],
  ['local function g() return KEYS[1] end', 2],
  ['local function g() return #ARGV end', 2],
])('%s', (line, at) => {
  expect(found(lua017, script(library(line)))).toEqual([`error cas.lua:${at}:${column(line)}`]);
});

test.each([
  library(g),
  library('local most = 10', 'redis.log(redis.LOG_NOTICE, redis.REDIS_VERSION)', g),
  library("local name = 'f'", 'local function g(KEYS, ARGV) return redis.call("GET", KEYS[1]) end'),
  "return redis.call('GET', KEYS[1])",
  "#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])",
])('%s is fine', (lua) => {
  expect(found(lua017, script(lua))).toEqual([]);
});

function column(line: string): number {
  return /redis\.|cjson|tostring|KEYS|ARGV/.exec(line)!.index + 1;
}
