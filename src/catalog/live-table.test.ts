import { expect, test } from 'vitest';
import { type Decoded, ReplyError } from '../formats/resp.ts';
import { liveFlags, liveTable } from './live-table.ts';

const get: Decoded = ['get', 2, ['readonly', 'fast'], 1, 1, 1, ['@read'], [], [], []];
const configOf7: Decoded = [
  'config',
  -2,
  [],
  0,
  0,
  0,
  ['@slow'],
  [],
  [],
  [['config|get', -3, ['admin'], 0, 0, 0, [], [], [], []]],
];
const configOf6: Decoded = ['config', -2, ['admin', 'noscript'], 0, 0, 0, ['@admin']];

test('has commands and subcommands with their flags', () => {
  const table = liveTable([get, configOf7])!;
  expect([...table.keys()]).toEqual(['get', 'config', 'config|get']);
  expect(liveFlags(table, 'get')).toEqual(new Set(['readonly', 'fast']));
  expect(liveFlags(table, 'config|get')).toEqual(new Set(['admin']));
  expect(liveFlags(table, 'config|set')).toBeUndefined();
  expect(liveFlags(table, 'hget')).toBeUndefined();
});

test('before 7.0 a subcommand has the flags of its container', () => {
  const table = liveTable([get, configOf6])!;
  expect(liveFlags(table, 'config|get')).toEqual(new Set(['admin', 'noscript']));
});

test('names are compared in lower case, and bytes are read', () => {
  expect(liveFlags(liveTable([[Buffer.from('GET'), 2, [Buffer.from('READONLY')]]])!, 'get')).toEqual(
    new Set(['readonly']),
  );
});

test.each([[new ReplyError('NOPERM this user has no permissions')], [null], ['OK'], [[]], [[1, 'x']]] as Decoded[][])(
  '%j is no table',
  (reply) => {
    expect(liveTable(reply!)).toBeUndefined();
  },
);
