import { expect, test } from 'vitest';
import { draft, eachKey, fileJob, found, job, pipeline } from '../../../test/support/lint.ts';
import { cap003 } from './cap003-prefixes.ts';

const fenced = { limits: { prefixes: ['session:', 'cache:'] } };
const lines = (text: string) => found(cap003, pipeline(text, undefined, fenced));
const match = (pattern: string) => found(cap003, job(pattern, ['UNLINK', eachKey], undefined, fenced));
const first = ['error execution_plan.steps[0].steps[0]'];

test.each([
  'SET user:1 v',
  'MGET session:1 user:1',
  'GET sessio',
  'RENAME session:1 archive:1',
  'FLUSHDB',
  'SWAPDB 0 1',
  'SORT session:1 BY user:* GET #',
  'SORT_RO session:1 GET *',
])('%s is outside', (line) => {
  expect(lines(line)).toEqual(first);
});

test.each([
  'SORT session:1 BY nosort GET # GET cache:*->f',
  'SET session:1 v',
  'MGET session:1 cache:1',
  'RENAME session:1 session:2',
  'PING',
  'UNLINK session:',
])('%s is inside', (line) => {
  expect(lines(line)).toEqual([]);
});

test.each(['*', 'sess*', '[s]ession:*', 'user:*', 'session?*', '\\*ession:*'])(
  'the pattern %s can leave the fence',
  (pattern) => {
    expect(match(pattern)).toEqual(['error execution_plan.steps[0].do']);
  },
);

test.each(['session:*', 'session:1', 'cache:[ab]?', '\\session:*'])('the pattern %s stays inside', (pattern) => {
  expect(match(pattern)).toEqual([]);
});

test('a file of keys is outside when one of them is, which is named', () => {
  const file = (outside?: { key: string; line: number }) => fileJob(['UNLINK', eachKey], outside, fenced);
  expect(found(cap003, file())).toEqual([]);
  expect(found(cap003, file({ key: 'user:1', line: 2 }))).toEqual(['error execution_plan.steps[0].do']);
  expect(cap003.check(file({ key: 'user:1', line: 2 })).findings[0]?.message).toContain('keys.txt:2');
});

test('a scan that lists, and the keys of a script', () => {
  const scan = (pattern: string) =>
    draft([{ kind: 'scan', selection: { match: pattern }, count: 100, collect: 'keys' }], undefined, fenced);
  expect(found(cap003, scan('user:*'))).toEqual(['error execution_plan.steps[0]']);
  expect(found(cap003, scan('cache:*'))).toEqual([]);
  const script = (source: string, key: string) =>
    draft([{ kind: 'script', sha1: 'x', source, keys: [key], args: [], read_only: false }], undefined, fenced);
  expect(found(cap003, script("return redis.call('GET', KEYS[1])", 'user:1'))).toEqual([
    'error execution_plan.steps[0].keys',
  ]);
  expect(found(cap003, script("return redis.call('GET', KEYS[1])", 'session:1'))).toEqual([]);
});

test('what a script cannot be proven to stay inside is outside', () => {
  const script = (source: string) =>
    found(
      cap003,
      draft(
        [{ kind: 'script', sha1: 'x', source, keys: ['session:1'], args: [], read_only: false }],
        undefined,
        fenced,
      ),
    );
  expect(script("redis.call('DEL', ARGV[1])")).toHaveLength(1);
  expect(script("redis.call('DEL', 'user:1')")).toHaveLength(1);
  expect(script('redis.call(ARGV[1], KEYS[1])')).toHaveLength(1);
  expect(script("redis.call('FLUSHALL')")).toHaveLength(1);
  expect(script("redis.call('DEL', 'session:2')")).toEqual([]);
});

test('without prefixes there is no fence', () => {
  expect(found(cap003, pipeline('SET user:1 v'))).toEqual([]);
});
