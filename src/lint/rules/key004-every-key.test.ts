import { expect, test } from 'vitest';
import { eachKey, fileJob, found, job } from '../../../test/support/lint.ts';
import { key004 } from './key004-every-key.ts';

const at = 'execution_plan.steps[0].do';
const deadline = { deadline: { after_ms: 60_000, jitter_ms: 0 } };

test.each(['*', '', '**', '*?*'])('UNLINK of %j is an error', (match) => {
  expect(found(key004, job(match, ['UNLINK', eachKey]))).toEqual([`error ${at}`]);
});

test.each(['*:tmp', '[a-z]*', '?x'])('UNLINK of %j, which has no literal beginning, is a warning', (match) => {
  expect(found(key004, job(match, ['UNLINK', eachKey]))).toEqual([`warning ${at}`]);
});

test('a TTL for every key is a warning, a TTL of 0 an error', () => {
  expect(found(key004, job('*', ['PEXPIREAT', eachKey, deadline]))).toEqual([`warning ${at}`]);
  expect(found(key004, job('*', ['EXPIRE', eachKey, '0']))).toEqual([`error ${at}`]);
});

test.each(['session:*', '\\**', 'a?'])('UNLINK of %j is fine', (match) => {
  expect(found(key004, job(match, ['UNLINK', eachKey]))).toEqual([]);
});

test('UNLINK of the keys of a file is fine: each of them was named', () => {
  expect(found(key004, fileJob(['UNLINK', eachKey]))).toEqual([]);
});

test('PERSIST and TOUCH of every key destroy nothing', () => {
  expect(found(key004, job('*', ['PERSIST', eachKey]))).toEqual([]);
  expect(found(key004, job('*', ['TOUCH', eachKey]))).toEqual([]);
});
