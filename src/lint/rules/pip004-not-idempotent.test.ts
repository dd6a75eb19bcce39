import { expect, test } from 'vitest';
import { eachKey, file, found, job, pipeline, transaction } from '../../../test/support/lint.ts';
import { pip004 } from './pip004-not-idempotent.ts';

test('one finding for a pipeline, with the commands that must not run twice', () => {
  const subject = pipeline('SET a 1\nINCR b\nLPUSH l x\nXADD s * f v\nAPPEND a z');
  expect(found(pip004, subject)).toEqual(['warning execution_plan.steps[0].steps[1]']);
  expect(pip004.check(subject).findings[0]?.message).toBe(
    '4 of 5 commands are not idempotent (INCR, LPUSH, XADD and 1 more)',
  );
});

test('a job', () => {
  expect(found(pip004, job('a:*', ['APPEND', eachKey, 'x']))).toHaveLength(1);
});

test('no retries, nothing to warn of', () => {
  expect(found(pip004, pipeline('INCR b', undefined, { retry: { max_retries: 0 } }))).toEqual([]);
});

test('what can be repeated, reads, a transaction and a file are fine; a relative TTL is TTL004', () => {
  expect(
    found(
      pip004,
      pipeline('SET a 1\nHSET h f v\nSADD s m\nDEL x\nPEXPIREAT a 1900000000000\nGET a\nEXPIRE a 60\nSET a v EX 60'),
    ),
  ).toEqual([]);
  expect(found(pip004, transaction('INCR a'))).toEqual([]);
  expect(found(pip004, file('INCR a'))).toEqual([]);
});
