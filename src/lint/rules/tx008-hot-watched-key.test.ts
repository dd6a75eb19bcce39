import { expect, test } from 'vitest';
import { file } from '../../../test/support/lint.ts';
import { hotWatchedKey, tx008 } from './tx008-hot-watched-key.ts';

test('a file does not say who else writes', () => {
  expect(tx008.check(file('WATCH a\nGET a\nMULTI\nSET a 1\nEXEC'))).toEqual({ findings: [] });
});

test('the message has both counts', () => {
  expect(hotWatchedKey('stock:1', 12, 5).message).toBe(
    'stock:1 is watched while others write it: 5 of 12 transactions were lost so far',
  );
});
