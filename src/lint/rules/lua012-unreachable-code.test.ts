import { expect, test } from 'vitest';
import { found, script } from '../../../test/support/lint.ts';
import { lua012 } from './lua012-unreachable-code.ts';

test.each([
  "error('x') return 1",
  'do return 1 end return 2',
  "while true do redis.call('PING') end return 1",
  "if ARGV[1] then return 1 else error('x') end return 2",
  "local function f() error({ err = 'x' }) return 1 end return f()",
])('%s', (lua) => {
  expect(found(lua012, script(lua)).map((one) => one.split(' ')[0])).toEqual(['warning']);
});

test.each([
  "if ARGV[1] then error('x') end return 1",
  'while true do if ARGV[1] then break end end return 1',
  "local function error() end error('x') return 1",
  'while true do for i = 1, 2 do break end if ARGV[1] then break end end return 1',
  'if ARGV[1] then return 1 end return 2',
])('%s is fine', (lua) => {
  expect(found(lua012, script(lua))).toEqual([]);
});
