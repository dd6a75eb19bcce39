import { expect, test } from 'vitest';
import { file, found } from '../../../test/support/lint.ts';
import { tx004 } from './tx004-watch-too-late.ts';

test.each([
  ['GET k\nWATCH k\nMULTI\nSET k 1\nEXEC', 2],
  ['GET a\nGET k\nWATCH a k\nMULTI\nSET k 1\nEXEC', 3],
  ['MULTI\nWATCH k\nSET k 1\nEXEC', 2],
])('%j', (lines, line) => {
  expect(new Set(found(tx004, file(lines)))).toEqual(new Set([`error app.redis:${line}:1`]));
});

test.each([
  'WATCH k\nGET k\nMULTI\nSET k 1\nEXEC',
  'GET k\nWATCH k\nGET k\nMULTI\nSET k 1\nEXEC',
  'GET other\nWATCH k\nMULTI\nSET k 1\nEXEC',
  'GET k\nWATCH k\nUNWATCH',
  'GET k\nMULTI\nSET a 1\nEXEC\nWATCH k\nGET k\nMULTI\nSET k 1\nEXEC',
])('%j is fine', (lines) => {
  expect(found(tx004, file(lines))).toEqual([]);
});
