import { expect, test } from 'vitest';
import { file, found, transaction, unchecked } from '../../../test/support/lint.ts';
import { tx005 } from './tx005-crossslot-transaction.ts';

const cluster = { server: { cluster: true } };

test('a transaction over two slots', () => {
  expect(found(tx005, transaction('SET foo 1\nSET bar 1', cluster))).toEqual([
    'error execution_plan.steps[0].steps[0]',
  ]);
  expect(found(tx005, file('MULTI\nSET foo 1\nSET bar 1\nEXEC', cluster))).toEqual(['error app.redis:2:1']);
});

test('WATCH counts', () => {
  expect(found(tx005, file('WATCH foo\nMULTI\nSET bar 1\nEXEC', cluster))).toEqual(['error app.redis:1:1']);
  expect(found(tx005, file('WATCH foo\nUNWATCH\nMULTI\nSET bar 1\nEXEC', cluster))).toEqual([]);
});

test('one hash tag, two transactions, or no transaction is fine', () => {
  expect(found(tx005, transaction('SET {o}a 1\nSET {o}b 1', cluster))).toEqual([]);
  expect(found(tx005, file('MULTI\nSET foo 1\nEXEC\nMULTI\nSET bar 1\nEXEC', cluster))).toEqual([]);
  expect(found(tx005, file('SET foo 1\nSET bar 1', cluster))).toEqual([]);
});

test('not on one server, not known without a server', () => {
  expect(found(tx005, transaction('SET foo 1\nSET bar 1', {}))).toEqual([]);
  expect(unchecked(tx005, transaction('SET foo 1\nSET bar 1'))).toContain('cluster');
  expect(unchecked(tx005, transaction('SET foo 1'))).toBeUndefined();
});
