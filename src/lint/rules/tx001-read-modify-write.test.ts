import { expect, test } from 'vitest';
import { commandSteps, draft, file, found } from '../../../test/support/lint.ts';
import { tx001 } from './tx001-read-modify-write.ts';

const planned = (watch: string[]) =>
  draft([
    {
      kind: 'transaction',
      watch,
      reads: [{ name: 'balance', command: commandSteps('GET user:1:balance')[0]! }],
      steps: [{ kind: 'command', argv: ['SET', 'user:1:balance', { expr: 'balance - 50' }] }],
    },
  ]);

test('a plan that reads what it does not watch', () => {
  expect(found(tx001, planned([]))).toEqual(['error execution_plan.steps[0].watch']);
  expect(found(tx001, planned(['user:1:balance']))).toEqual([]);
});

test.each([
  ['GET k\nMULTI\nSET k 1\nEXEC', 3],
  ['HGET h f\nMULTI\nINCR n\nHSET h f 1\nHSET h g 1\nEXEC', 4],
  ['WATCH other\nGET k\nMULTI\nSET k 1\nEXEC', 4],
  ['WATCH k\nUNWATCH\nGET k\nMULTI\nSET k 1\nEXEC', 5],
  ['WATCH k\nMULTI\nSET k 0\nEXEC\nGET k\nMULTI\nSET k 1\nEXEC', 7],
])('%j', (lines, line) => {
  expect(found(tx001, file(lines))).toEqual([`error app.redis:${line}:1`]);
});

test.each([
  'WATCH k\nGET k\nMULTI\nSET k 1\nEXEC',
  'GET k\nSET k 1',
  'GET k\nMULTI\nINCR k\nEXEC',
  'GET k\nMULTI\nSET other 1\nEXEC',
  'GET k\nMULTI\nDISCARD\nMULTI\nSET k 1\nEXEC',
])('%j is fine', (lines) => {
  expect(found(tx001, file(lines))).toEqual([]);
});
