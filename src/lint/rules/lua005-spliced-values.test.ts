// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are what is looked for
import { expect, test } from 'vitest';
import { found, script } from '../../../test/support/lint.ts';
import { lua005 } from './lua005-spliced-values.ts';

test.each([
  "redis.call('GET', 'user:${id}')",
  "redis.call('GET', 'user:{{id}}')",
  "redis.call('GET', 'user:%s')",
  'return loadstring(ARGV[1])()',
  "loadstring('return ' .. redis.call('GET', KEYS[1]))()",
])('%s', (lua) => {
  expect(found(lua005, script(lua)).map((one) => one.split(' ')[0])).toEqual(['error']);
});

test.each([
  "redis.call('GET', 'user:{id}')",
  "redis.call('SET', KEYS[1], '${name}')",
  "return string.format('%s', ARGV[1])",
  "local f = loadstring('return 1') return f()",
  "local names = { a = 'GET' } return redis.call(names[KEYS[1]], KEYS[1])",
])('%s is fine', (lua) => {
  expect(found(lua005, script(lua))).toEqual([]);
});

test('a command named by an argument is a warning', () => {
  expect(found(lua005, script('return redis.call(ARGV[1], KEYS[1])'))).toEqual(['warning cas.lua:1:8']);
  expect(found(lua005, script("return redis.call('H' .. ARGV[1], KEYS[1])"))).toEqual(['warning cas.lua:1:8']);
});
