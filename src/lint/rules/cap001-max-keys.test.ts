import { expect, test } from 'vitest';
import { draft, eachKey, found, job, pipeline, selected, unchecked } from '../../../test/support/lint.ts';
import { cap001 } from './cap001-max-keys.ts';

const capped = { limits: { max_keys: 10 } };
const unlink = ['UNLINK', eachKey];

test('a selection: the high end counts', () => {
  const facts = { ...selected('a:*', 9), high: 11, basis: 'sampled' as const };
  expect(found(cap001, job('a:*', unlink, { selections: [facts] }, capped))).toEqual(['error limits.max_keys']);
  expect(found(cap001, job('a:*', unlink, { selections: [selected('a:*', 10)] }, capped))).toEqual([]);
});

test('named keys, each once; reads are not capped', () => {
  const sets = (count: number) => Array.from({ length: count }, (_, index) => `SET k${index} v`).join('\n');
  expect(found(cap001, pipeline(sets(11), undefined, capped))).toHaveLength(1);
  expect(found(cap001, pipeline(sets(10), undefined, capped))).toEqual([]);
  expect(found(cap001, pipeline('SET k v\n'.repeat(50), undefined, capped))).toEqual([]);
  expect(found(cap001, pipeline(sets(11).replaceAll('SET', 'GET').replaceAll(' v', ''), undefined, capped))).toEqual(
    [],
  );
});

test('the keys of a script that writes', () => {
  const keys = Array.from({ length: 11 }, (_, index) => `k${index}`);
  const step = { kind: 'script' as const, sha1: 'x', source: 'return 1', keys, args: [] };
  expect(found(cap001, draft([{ ...step, read_only: false }], undefined, capped))).toHaveLength(1);
  expect(found(cap001, draft([{ ...step, read_only: true }], undefined, capped))).toEqual([]);
});

test('without the number of keys it is not judged; without a cap there is nothing to judge', () => {
  expect(unchecked(cap001, job('a:*', unlink, undefined, capped))).toContain('execution_plan.steps[0].do');
  expect(unchecked(cap001, job('a:*', unlink))).toBeUndefined();
});
