import { expect, test } from 'vitest';
import { eachKey, found, job, pipeline, selected, unchecked } from '../../../test/support/lint.ts';
import { cap002 } from './cap002-max-percent.ts';

const capped = { limits: { max_percent: 20 } };
const unlink = (high: number, keys: number) =>
  job('a:*', ['UNLINK', eachKey], { server: { keys }, selections: [{ ...selected('a:*', high), low: 0 }] }, capped);

test('a share over the cap', () => {
  expect(found(cap002, unlink(201, 1000))).toEqual(['error limits.max_percent']);
  expect(found(cap002, unlink(200, 1000))).toEqual([]);
});

test('new keys in an empty database are no share', () => {
  expect(found(cap002, pipeline('SET a 1', { server: { keys: 0 } }, capped))).toEqual([]);
});

test('more keys than there are is everything, not more', () => {
  expect(cap002.check(unlink(2000, 1000)).findings[0]?.message).toContain('100.0 %');
});

test('without facts it is not judged; without a cap there is nothing to judge', () => {
  expect(unchecked(cap002, pipeline('SET a 1', undefined, capped))).toContain('number of keys');
  expect(unchecked(cap002, job('a:*', ['UNLINK', eachKey], {}, capped))).toContain('execution_plan.steps[0].do');
  expect(unchecked(cap002, pipeline('SET a 1'))).toBeUndefined();
});
