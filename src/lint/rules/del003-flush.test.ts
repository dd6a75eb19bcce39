import { expect, test } from 'vitest';
import { file, found, script } from '../../../test/support/lint.ts';
import { del003 } from './del003-flush.ts';

test.each(['FLUSHALL', 'FLUSHDB ASYNC', 'flushall sync', 'SWAPDB 0 1'])('%s', (line) => {
  expect(found(del003, file(line))).toEqual(['error app.redis:1:1']);
});

test('in a script', () => {
  expect(found(del003, script("return redis.call('FLUSHDB')"))).toEqual(['error cas.lua:1:8']);
});

test('SCRIPT FLUSH, SELECT and UNLINK are not meant', () => {
  expect(found(del003, file('SCRIPT FLUSH\nSELECT 1\nUNLINK k'))).toEqual([]);
});
