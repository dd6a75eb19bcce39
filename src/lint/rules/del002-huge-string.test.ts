import { expect, test } from 'vitest';
import { file, found, key, unchecked } from '../../../test/support/lint.ts';
import { del002 } from './del002-huge-string.ts';

const mb = 1024 * 1024;
const string = (bytes: number) => ({ keys: [key('s', { type: 'string', encoding: 'raw', elements: bytes, bytes })] });

test.each(['UNLINK s', 'DEL s', 'SET s v', 'GETDEL s', 'EXPIRE s 0'])('%s of 400 MB', (line) => {
  const subject = file(line, string(400 * mb));
  expect(found(del002, subject)).toEqual(['warning app.redis:1:1']);
  expect(del002.check(subject).findings[0]?.message).toContain('400 MB: about 32 ms');
});

test('63 MB, a large collection and a read are fine', () => {
  expect(found(del002, file('UNLINK s', string(63 * mb)))).toEqual([]);
  expect(found(del002, file('UNLINK s', { keys: [key('s', { elements: 9_000_000, bytes: 900 * mb })] }))).toEqual([]);
  expect(found(del002, file('GET s', string(400 * mb)))).toEqual([]);
});

test('without facts it is not judged', () => {
  expect(unchecked(del002, file('UNLINK s'))).toContain('of s: give --url');
});
