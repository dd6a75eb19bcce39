import { expect, test } from 'vitest';
import { file, found, key, missing, pipeline, transaction, unchecked } from '../../../test/support/lint.ts';
import { tx009 } from './tx009-fails-at-run-time.ts';

const given = {
  keys: [
    key('h'),
    key('s', { type: 'string', encoding: 'raw' }),
    key('l', { type: 'list', encoding: 'quicklist' }),
    key('set', { type: 'set' }),
    key('z', { type: 'zset' }),
    missing('none'),
  ],
};

test.each([
  'INCR h',
  'LPUSH s v',
  'HSET l f v',
  'SADD z m',
  'ZADD set 1 m',
  'XADD h * f v',
  'GETSET h v',
  'SET h v GET',
  'PFADD h e',
  'SETBIT l 0 1',
  'GEOADD s 1 1 m',
])('%s does not fit', (line) => {
  expect(found(tx009, transaction(line, given))).toEqual(['warning execution_plan.steps[0].steps[0]']);
  expect(found(tx009, file(`MULTI\n${line}\nEXEC`, given))).toEqual(['warning app.redis:2:1']);
});

test.each([
  'INCR s',
  'LPUSH l v',
  'HSET h f v',
  'ZADD z 1 m',
  'SET h v',
  'SETEX h 60 v',
  'MSET h v',
  'MGET h s',
  'SUNIONSTORE h set',
  'ZUNIONSTORE h 1 set',
  'DEL h',
  'EXPIRE h 60',
  'LPUSH none v',
  'GEOADD z 1 1 m',
])('%s fits', (line) => {
  expect(found(tx009, transaction(line, given))).toEqual([]);
});

test('what the transaction itself removes, replaces or moves has another type then', () => {
  expect(found(tx009, transaction('DEL h\nINCR h', given))).toEqual([]);
  expect(found(tx009, transaction('SET h 1\nINCR h', given))).toEqual([]);
  expect(found(tx009, transaction('RENAME s h\nINCR h', given))).toEqual([]);
  expect(found(tx009, transaction('INCR h\nDEL h', given))).toHaveLength(1);
});

test('outside a transaction nothing is half done', () => {
  expect(found(tx009, pipeline('INCR h', given))).toEqual([]);
  expect(found(tx009, file('INCR h', given))).toEqual([]);
});

test('without facts it is not judged', () => {
  expect(unchecked(tx009, transaction('INCR h'))).toContain('type of h');
});
