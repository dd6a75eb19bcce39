import { expect, test } from 'vitest';
import { draft, eachKey, found, job, pipeline, selected, unchecked } from '../../../test/support/lint.ts';
import { ttl005 } from './ttl005-same-deadline.ts';

const deadline = (jitter_ms: number) => ({ deadline: { after_ms: 60_000, jitter_ms } });
const expire = (jitter_ms: number, keys: number) =>
  job('a:*', ['PEXPIREAT', eachKey, deadline(jitter_ms)], { selections: [selected('a:*', keys)] });

test('more than 1,000 keys without jitter', () => {
  expect(found(ttl005, expire(0, 1_001))).toEqual(['warning execution_plan.steps[0]']);
  expect(found(ttl005, expire(0, 1_000))).toEqual([]);
});

test('jitter spreads them', () => {
  expect(found(ttl005, expire(6_000, 1_000_000))).toEqual([]);
});

test('without the number of keys it is not judged, unless there is jitter', () => {
  expect(unchecked(ttl005, job('a:*', ['PEXPIREAT', eachKey, deadline(0)]))).toContain('execution_plan.steps[0]');
  expect(unchecked(ttl005, job('a:*', ['PEXPIREAT', eachKey, deadline(10)]))).toBeUndefined();
  expect(unchecked(ttl005, job('a:*', ['UNLINK', eachKey]))).toBeUndefined();
});

test('a pipeline of equal deadlines; different ones are fine', () => {
  const lines = (second: (index: number) => number) =>
    Array.from({ length: 1_001 }, (_, index) => `EXPIREAT k${index} ${1_900_000_000 + second(index)}`).join('\n');
  expect(found(ttl005, pipeline(lines(() => 0)))).toEqual(['warning execution_plan.steps[0]']);
  expect(found(ttl005, pipeline(lines((index) => index % 3)))).toEqual([]);
});

test('a pipeline of keys that get the deadline of their sending', () => {
  const steps = Array.from({ length: 1_001 }, (_, index) => ({
    kind: 'command' as const,
    argv: ['PEXPIREAT', `k${index}`, deadline(0)],
  }));
  expect(found(ttl005, draft([{ kind: 'pipeline', batch_size: 500, steps }]))).toHaveLength(1);
});
