import { expect, test } from 'vitest';
import { type Decoded, ReplyError } from '../formats/resp.ts';
import type { ExpectedReply, KeyContent } from '../plan/script-fixtures.ts';
import { keyMismatches, replyMismatch, replyWords, strayMismatches, touchedKeys } from './compare.ts';
import { contentId, type KeySpace, type StoredKey } from './key-state.ts';

const bulk = (text: string): Buffer => Buffer.from(text);
const stored = (key: string, value: string, ttlMs = -1): StoredKey => ({
  key,
  type: 'string',
  content: { type: 'string', value },
  ttlMs,
});
const space = (...keys: StoredKey[]): KeySpace => new Map(keys.map((one) => [`s${String(one.key)}`, one]));

const matching: [ExpectedReply, Decoded][] = [
  [1, 1],
  ['1', bulk('1')],
  ['OK', 'OK'],
  [{ status: 'OK' }, 'OK'],
  [null, null],
  [{ base64: '/w==' }, Buffer.from([255])],
  [{ integer: '9223372036854775807' }, 9223372036854775807n],
  [{ integer: true }, 5],
  [{ between: [1, 3] }, 3],
  [{ between: [1, 3] }, bulk('2')],
  [{ any: true }, null],
  [{ error: 'WRONGTYPE' }, new ReplyError('ERR Error running script: WRONGTYPE Operation')],
  [
    [1, [null, 'a']],
    [1, [null, bulk('a')]],
  ],
];
const differing: [ExpectedReply, Decoded][] = [
  [1, bulk('1')],
  ['1', 1],
  [1, 2],
  [null, bulk('')],
  ['', null],
  [0, null],
  [{ status: 'OK' }, bulk('OK')],
  [{ base64: '/w==' }, bulk('ÿ')],
  [{ integer: '9223372036854775807' }, 9223372036854775806n],
  [{ integer: '1' }, bulk('1')],
  [{ integer: true }, bulk('5')],
  [{ between: [1, 3] }, 4],
  [{ between: [1, 3] }, bulk('2.5')],
  [{ any: true }, new ReplyError('ERR x')],
  [{ error: 'WRONGTYPE' }, new ReplyError('ERR x')],
  [{ error: 'ERR' }, bulk('ERR')],
  ['ERR x', new ReplyError('ERR x')],
  [[1], [1, 2]],
  [[1, 2], [1]],
  [[null], []],
  [[], null],
];

test.each(matching)('%j is met by %s', (expected, got) => {
  expect(replyMismatch(expected, got, 'reply')).toBeUndefined();
});

test.each(differing)('%j is not met by %s', (expected, got) => {
  const found = replyMismatch(expected, got, 'reply');
  expect(found?.at).toBe('reply');
  expect(found?.got).toBe(replyWords(got));
  expect(found?.expected).not.toBe(found?.got);
});

test('a key without an entry in ttl must have no time to live', () => {
  const expected = {
    keys: [{ key: 'k', value: { content: { type: 'string' as const, value: 'v' } } }],
    others: 'fail' as const,
  };
  expect(keyMismatches(expected, space(stored('k', 'v')))).toEqual([]);
  expect(keyMismatches(expected, space(stored('k', 'v', 500))).map(({ at, got }) => `${at}: ${got}`)).toEqual([
    'ttl of k: 500 ms',
  ]);
  const within = { ...expected, ttl: [{ key: 'k', value: { between: [1, 500] as [number, number] } }] };
  expect(keyMismatches(within, space(stored('k', 'v', 500)))).toEqual([]);
  expect(keyMismatches(within, space(stored('k', 'v', 501)))).toHaveLength(1);
  expect(keyMismatches(within, space(stored('k', 'v')))).toHaveLength(1);
  expect(keyMismatches(within, space())).toHaveLength(2);
});

test('a key that shall be absent and is there, or the other way round', () => {
  const others = 'fail' as const;
  expect(keyMismatches({ absent: ['k'], others }, space())).toEqual([]);
  expect(keyMismatches({ absent: ['k'], others }, space(stored('k', 'v')))).toEqual([
    { at: 'key k', expected: 'absent', got: 'string v' },
  ]);
  const keys = [{ key: 'k', value: { type: 'list' as const, size: 2 } }];
  expect(keyMismatches({ keys, others }, space())).toEqual([
    { at: 'key k', expected: 'a list of size 2', got: 'absent' },
  ]);
});

test('sets, hashes and sorted sets have no order, lists and streams have', () => {
  const pair = (a: KeyContent, b: KeyContent): boolean => contentId(a) === contentId(b);
  expect(pair({ type: 'set', items: ['a', 'b'] }, { type: 'set', items: ['b', 'a'] })).toBe(true);
  expect(pair({ type: 'list', items: ['a', 'b'] }, { type: 'list', items: ['b', 'a'] })).toBe(false);
  expect(pair({ type: 'list', items: ['a'] }, { type: 'set', items: ['a'] })).toBe(false);
  expect(pair({ type: 'string', value: '/w==' }, { type: 'string', value: { base64: '/w==' } })).toBe(false);
  expect(pair({ type: 'list', items: ['a,b'] }, { type: 'list', items: ['a', 'b'] })).toBe(false);
});

test('pairs are told apart whatever bytes their words hold', () => {
  const hash = (...pairs: [string, string][]): string => contentId({ type: 'hash', pairs });
  expect(hash(['a\nsb', 'c'])).not.toBe(hash(['a', 'b\nsc']));
  expect(hash(['a', 'b'], ['c', 'd'])).not.toBe(hash(['a', 'c'], ['b', 'd']));
  expect(hash(['a', 'b'], ['c', 'd'])).toBe(hash(['c', 'd'], ['a', 'b']));
});

test('what was made, removed or changed is touched; what expired by itself is not', () => {
  const before = space(
    stored('same', 'v', 9_000),
    stored('gone', 'v'),
    stored('expired', 'v', 5),
    stored('new ttl', 'v'),
  );
  const after = space(stored('same', 'v', 8_000), stored('made', 'v'), stored('new ttl', 'v', 100));
  const touched = touchedKeys(before, after, 10);
  expect(touched.map(({ key, how }) => `${String(key)} ${how}`)).toEqual([
    'gone removed',
    'new ttl given a time to live',
    'made made',
  ]);
  expect(touchedKeys(before, space(...[...before.values()].filter(({ key }) => key !== 'same')), 10)).toHaveLength(1);
});

test('a touched key must be in KEYS, and named', () => {
  const touched = touchedKeys(space(), space(stored('a', 'v'), stored('b', 'v')), 0);
  const named = { absent: ['a', 'b'], others: 'fail' as const };
  expect(strayMismatches(touched, ['a', 'b'], named)).toEqual([]);
  expect(strayMismatches(touched, ['a'], named).map(({ at, expected }) => `${at} ${expected}`)).toEqual([
    'key b untouched, since it is not in KEYS',
  ]);
  expect(
    strayMismatches(touched, ['a', 'b'], { absent: ['a'], others: 'fail' }).map(({ expected }) => expected),
  ).toEqual(['untouched, since expect does not name it']);
});
