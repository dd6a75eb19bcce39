import { expect, test } from 'vitest';
import { draft, eachKey, file, found, job, pipeline } from '../../../test/support/lint.ts';
import { rep001 } from './rep001-replica.ts';

const replica = { server: { role: 'slave' as const, primary: '10.0.0.1:6379' } };

test('a plan that writes', () => {
  const subject = pipeline('GET k\nSET k v', replica);
  expect(found(rep001, subject)).toEqual(['error execution_plan.steps[0].steps[1]']);
  expect(rep001.check(subject).findings[0]?.fix).toContain('redis://10.0.0.1:6379');
  expect(found(rep001, job('a:*', ['UNLINK', eachKey], replica))).toHaveLength(1);
});

test('a script that is not proven to read only', () => {
  const step = { kind: 'script' as const, sha1: 'x', source: 'return 1', keys: [], args: [] };
  expect(found(rep001, draft([{ ...step, read_only: false }], replica))).toEqual(['error execution_plan.steps[0]']);
  expect(found(rep001, draft([{ ...step, read_only: true }], replica))).toEqual([]);
});

test('reads, a primary, and a file are fine', () => {
  expect(found(rep001, pipeline('GET k\nTTL k', replica))).toEqual([]);
  expect(found(rep001, pipeline('SET k v', {}))).toEqual([]);
  expect(found(rep001, file('SET k v', replica))).toEqual([]);
});
