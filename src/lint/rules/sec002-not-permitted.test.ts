import { expect, test } from 'vitest';
import { file, found, pipeline, unchecked } from '../../../test/support/lint.ts';
import { sec002 } from './sec002-not-permitted.ts';

const acl = [
  { command: 'get', allowed: true },
  { command: 'set', allowed: false, reason: 'no permissions to access the key k' },
];

test('what the user may not run', () => {
  const subject = pipeline('GET k\nSET k v', { acl });
  expect(found(sec002, subject)).toEqual(['error execution_plan.steps[0].steps[1]']);
  expect(sec002.check(subject).findings[0]?.message).toContain('no permissions to access the key k');
});

test('everything allowed', () => {
  expect(found(sec002, pipeline('GET k', { acl: [{ command: 'get', allowed: true }] }))).toEqual([]);
});

test('not asked: not judged; a file is not run', () => {
  expect(unchecked(sec002, pipeline('GET k', {}))).toContain('ACL DRYRUN');
  expect(unchecked(sec002, file('GET k'))).toBeUndefined();
});
