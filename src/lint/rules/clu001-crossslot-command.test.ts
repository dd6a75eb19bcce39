import { expect, test } from 'vitest';
import { draft, file, found, script, unchecked } from '../../../test/support/lint.ts';
import { clu001 } from './clu001-crossslot-command.ts';

const cluster = { server: { cluster: true } };

test.each(['MGET foo bar', 'DEL foo bar', 'RENAME foo bar', 'SUNIONSTORE foo bar baz', "EVAL 'return 1' 2 foo bar"])(
  '%s on a cluster',
  (line) => {
    expect(found(clu001, file(line, cluster))).toEqual(['error app.redis:1:1']);
  },
);

test('the message names one key of each slot', () => {
  expect(clu001.check(file('MGET foo bar', cluster)).findings[0]?.message).toBe(
    'MGET has keys of several slots: foo (slot 12182), bar (slot 5061)',
  );
});

test('the keys of a script call', () => {
  const step = { kind: 'script' as const, sha1: 'x', source: 'return 1', args: [], read_only: true };
  expect(found(clu001, draft([{ ...step, keys: ['foo', 'bar'] }], cluster))).toEqual([
    'error execution_plan.steps[0].keys',
  ]);
  expect(found(clu001, draft([{ ...step, keys: ['{a}1', '{a}2'] }], cluster))).toEqual([]);
});

test.each(['MGET {u}a {u}b', 'GET foo', 'MGET foo foo', 'PING', 'WATCH foo bar'])('%s is fine', (line) => {
  expect(found(clu001, file(line, cluster))).toEqual([]);
  expect(unchecked(clu001, file(line))).toBeUndefined();
});

test('on one server it does not matter; without a server it is not known', () => {
  expect(found(clu001, file('MGET foo bar', {}))).toEqual([]);
  expect(unchecked(clu001, file('MGET foo bar', {}))).toBeUndefined();
  expect(found(clu001, file('MGET foo bar'))).toEqual([]);
  expect(unchecked(clu001, file('MGET foo bar'))).toContain('cluster');
});

test('keys that a script names itself; where KEYS lie is not known', () => {
  expect(found(clu001, script("return redis.call('MGET', 'foo', 'bar')", cluster))).toEqual(['error cas.lua:1:8']);
  expect(unchecked(clu001, script("return redis.call('MGET', 'foo', 'bar')"))).toContain('give --url');
  expect(found(clu001, script("return redis.call('MGET', '{a}foo', '{a}bar')", cluster))).toEqual([]);
  expect(found(clu001, script("return redis.call('MGET', KEYS[1], KEYS[2])", cluster))).toEqual([]);
});
