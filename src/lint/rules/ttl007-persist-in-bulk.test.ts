import { describe, expect, test } from 'vitest';
import { eachKey, file, found, job, pipeline, selected, unchecked } from '../../../test/support/lint.ts';
import { ttl007 } from './ttl007-persist-in-bulk.ts';

const lines = (line: (at: number) => string, count: number) =>
  Array.from({ length: count }, (_, at) => line(at)).join('\n');

describe('a job', () => {
  const of = (keys: number, with_ttl: number, argv = ['PERSIST']) =>
    job('s:*', [argv[0]!, eachKey, ...argv.slice(1)], { selections: [{ ...selected('s:*', keys), with_ttl }] });

  test('counts the keys that have a TTL', () => {
    expect(found(ttl007, of(2_000, 1))).toEqual(['warning execution_plan.steps[0].do']);
    expect(ttl007.check(of(10_000, 0.5)).findings[0]?.message).toBe('about 5,000 keys lose their TTL');
    expect(found(ttl007, of(2_000, 0.4))).toEqual([]);
    expect(found(ttl007, of(1_000, 1))).toEqual([]);
    expect(found(ttl007, of(2_000, 1, ['EXPIRE', '60']))).toEqual([]);
  });

  test('needs their number', () => {
    expect(unchecked(ttl007, job('s:*', ['PERSIST', eachKey]))).toContain('needs the number of keys');
  });
});

test('many commands of one file or pipeline', () => {
  expect(found(ttl007, file(lines((at) => `PERSIST k:${at}`, 1_001)))).toEqual(['warning app.redis:1:1']);
  expect(found(ttl007, pipeline(lines((at) => `GETEX k:${at} PERSIST`, 1_001)))).toHaveLength(1);
  expect(found(ttl007, file(lines((at) => `PERSIST k:${at}`, 1_000)))).toEqual([]);
  expect(found(ttl007, file(lines((at) => `GETEX k:${at} EX 60`, 1_001)))).toEqual([]);
});
