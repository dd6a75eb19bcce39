import { expect, test } from 'vitest';
import { draft, file, found, pipeline } from '../../../test/support/lint.ts';
import { sec003 } from './sec003-open-target.ts';

const open = { access: { encrypted: false, authenticated: false } };
const plain = { access: { encrypted: false, authenticated: true } };

test('no login: a warning, with TLS or without; only no TLS: an info', () => {
  expect(found(sec003, pipeline('SET a 1', open))).toEqual(['warning target']);
  expect(found(sec003, pipeline('SET a 1', { access: { encrypted: true, authenticated: false } }))).toEqual([
    'warning target',
  ]);
  expect(found(sec003, pipeline('SET a 1', plain))).toEqual(['info target']);
});

test('a script that may write counts, one that only reads does not', () => {
  const call = { kind: 'script' as const, sha1: 'a', source: 'return 1', keys: [], args: [] };
  expect(found(sec003, draft([{ ...call, read_only: false }], open))).toEqual(['warning target']);
  expect(found(sec003, draft([{ ...call, read_only: true }], open))).toEqual([]);
});

test.each([
  ['with TLS and a login', pipeline('SET a 1', { access: { encrypted: true, authenticated: true } })],
  ['on this machine, or tagged dev', pipeline('SET a 1', {})],
  ['a plan that only reads', pipeline('GET a', open)],
  ['a file, which redops does not send', file('SET a 1', open)],
  ['without a server', pipeline('SET a 1')],
])('%s: nothing', (_, subject) => {
  expect(sec003.check(subject)).toEqual({ findings: [] });
});
