import { expect, test } from 'vitest';
import { file, found, pipeline, transaction } from '../../../test/support/lint.ts';
import { pip002 } from './pip002-not-in-a-pipeline.ts';

test.each([
  'BLPOP q 0',
  'SUBSCRIBE c',
  'MONITOR',
  'WATCH k',
  'MULTI',
  'SELECT 1',
  'CLIENT REPLY OFF',
  'XREAD BLOCK 0 STREAMS s $',
  'WAIT 1 0',
])('%s in a pipeline', (line) => {
  expect(found(pip002, pipeline(`GET a\n${line}`))).toEqual(['error execution_plan.steps[0].steps[1]']);
});

test.each(['BLPOP q 0', 'SUBSCRIBE c'])('%s in a transaction', (line) => {
  expect(found(pip002, transaction(line))).toHaveLength(1);
  expect(found(pip002, file(`MULTI\n${line}\nEXEC`))).toEqual(['error app.redis:2:1']);
});

test('a line by itself may wait, watch and subscribe', () => {
  expect(found(pip002, file('BLPOP q 0\nWATCH k\nMULTI\nSET k 1\nEXEC\nSELECT 1'))).toEqual([]);
});

test('what does not wait is fine', () => {
  expect(found(pip002, pipeline('LPOP q\nXREAD COUNT 10 STREAMS s 0\nPUBLISH c m'))).toEqual([]);
});
