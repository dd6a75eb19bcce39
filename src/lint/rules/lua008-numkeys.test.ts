import { expect, test } from 'vitest';
import { draft, file, found, script } from '../../../test/support/lint.ts';
import { lua008 } from './lua008-numkeys.ts';

test('more KEYS than the call gives', () => {
  expect(found(lua008, file('EVAL "return redis.call(\'GET\', KEYS[2])" 1 a'))).toEqual([
    'error app.redis:1:1, script line 1',
  ]);
  expect(found(lua008, file('EVAL_RO "return KEYS[1]" 0'))).toHaveLength(1);
});

test('a script step', () => {
  const step = { kind: 'script' as const, sha1: 'x', source: 'return KEYS[2]', args: [], read_only: true };
  expect(found(lua008, draft([{ ...step, keys: ['a'] }]))).toEqual(['error execution_plan.steps[0], script line 1']);
  expect(found(lua008, draft([{ ...step, keys: ['a', 'b'] }]))).toEqual([]);
});

test('enough keys, or no call to compare with', () => {
  expect(found(lua008, file('EVAL "return KEYS[1]" 1 a'))).toEqual([]);
  expect(found(lua008, file('EVAL "return #KEYS" 3 a b c'))).toEqual([]);
  expect(found(lua008, script('return KEYS[7]'))).toEqual([]);
});
