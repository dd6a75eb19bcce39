import { expect, test } from 'vitest';
import { found, script } from '../../../test/support/lint.ts';
import { lua009 } from './lua009-globals.ts';

test('an assigned global', () => {
  const subject = script("local a = 1\ncurrent = redis.call('GET', KEYS[1])\nreturn a");
  expect(found(lua009, subject)).toEqual(['error cas.lua:2:1']);
  expect(lua009.check(subject).findings[0]?.fix).toBe('Write: local current = ...');
});

test('a global that does not exist', () => {
  expect(found(lua009, script('return nothing'))).toEqual(['error cas.lua:1:8']);
});

test('locals, functions and what Redis provides are fine', () => {
  const lua =
    "local function f(x) return x end\nlocal t = {}\nt.a = 1\nreturn cjson.encode({f(KEYS[1]), string.len('a'), ARGV[1]})";
  expect(found(lua009, script(lua))).toEqual([]);
});
