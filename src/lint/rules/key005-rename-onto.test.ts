import { expect, test } from 'vitest';
import { file, found, key, missing, unchecked } from '../../../test/support/lint.ts';
import { key005 } from './key005-rename-onto.ts';

test.each(['RENAME a b', 'RENAMENX a b', 'COPY a b REPLACE'])('%s onto a key that exists', (line) => {
  expect(found(key005, file(line, { keys: [key('b')] }))).toEqual(['warning app.redis:1:1']);
});

test.each(['RENAME a b', 'COPY a b REPLACE'])('%s onto a free name is fine', (line) => {
  const subject = file(line, { keys: [key('a'), missing('b')] });
  expect(found(key005, subject)).toEqual([]);
  expect(unchecked(key005, subject)).toBeUndefined();
});

test('COPY without REPLACE and RENAME onto itself overwrite nothing', () => {
  const subject = file('COPY a b\nRENAME b b');
  expect(found(key005, subject)).toEqual([]);
  expect(unchecked(key005, subject)).toBeUndefined();
});

test('without facts it is not judged', () => {
  expect(unchecked(key005, file('RENAME a b'))).toBe('needs the live existence of b: give --url');
});
