import { expect, test } from 'vitest';
import { file, found } from '../../../test/support/lint.ts';
import { ops007 } from './ops007-script-kill.ts';

test.each(['SCRIPT KILL', 'function kill'])('%s', (line) => {
  expect(found(ops007, file(line))).toEqual(['warning app.redis:1:1']);
});

test.each(['SCRIPT EXISTS abc', 'FUNCTION STATS', 'CLIENT KILL ID 3'])('%s is fine', (line) => {
  expect(found(ops007, file(line))).toEqual([]);
});
