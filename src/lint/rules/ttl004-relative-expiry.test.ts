import { expect, test } from 'vitest';
import { eachKey, file, found, job, pipeline, transaction } from '../../../test/support/lint.ts';
import { ttl004 } from './ttl004-relative-expiry.ts';

test('a pipeline with relative TTLs: one finding, with their number', () => {
  const subject = pipeline('GET a\nEXPIRE a 60\nPEXPIRE b 60');
  expect(found(ttl004, subject)).toEqual(['warning execution_plan.steps[0].steps[1]']);
  expect(ttl004.check(subject).findings[0]?.message).toBe('2 of 3 commands give a relative TTL (a, b)');
});

test('a job with a relative TTL', () => {
  expect(found(ttl004, job('a:*', ['EXPIRE', eachKey, '60']))).toHaveLength(1);
});

test('an absolute deadline, a deadline fixed when sent and a deletion do not drift', () => {
  expect(found(ttl004, pipeline('PEXPIREAT a 1900000000000\nSET a v PXAT 1900000000000\nEXPIRE a 0'))).toEqual([]);
  const deadline = { deadline: { after_ms: 1000, jitter_ms: 0 } };
  expect(found(ttl004, job('a:*', ['PEXPIREAT', eachKey, deadline]))).toEqual([]);
});

test('a line of a file and a transaction are not resent one by one', () => {
  expect(found(ttl004, file('EXPIRE a 60'))).toEqual([]);
  expect(found(ttl004, transaction('EXPIRE a 60'))).toEqual([]);
});

test('a value with a relative TTL writes the same value again: an info', () => {
  expect(found(ttl004, pipeline('SET a v EX 60\nSETEX b 60 v'))).toEqual(['info execution_plan.steps[0].steps[0]']);
  expect(found(ttl004, pipeline('SET a v EX 60\nEXPIRE b 60'))).toEqual(['warning execution_plan.steps[0].steps[0]']);
});
