import { expect, test } from 'vitest';
import { eachKey, file, found, job, key, pipeline, unchecked } from '../../../test/support/lint.ts';
import { ttl008 } from './ttl008-evictable.ts';

const server = (percent: number, maxmemory_policy = 'volatile-lru') => ({
  server: { maxmemory: 100, used_memory: percent, maxmemory_policy },
});
const expire = ['EXPIRE', eachKey, '60'];

test('a warning, and over 80 % of maxmemory an error', () => {
  expect(found(ttl008, job('a:*', expire, server(80)))).toEqual(['warning execution_plan.steps[0].do']);
  expect(found(ttl008, job('a:*', expire, server(81)))).toEqual(['error execution_plan.steps[0].do']);
});

test('PERSIST takes from what can be evicted', () => {
  const subject = job('a:*', ['PERSIST', eachKey], server(90, 'volatile-ttl'));
  expect(ttl008.check(subject).findings[0]?.message).toContain('can no longer be evicted');
});

test('one finding for a pipeline', () => {
  expect(found(ttl008, pipeline('EXPIRE a 60\nEXPIRE b 60', server(90)))).toEqual([
    'error execution_plan.steps[0].steps[0]',
  ]);
});

test('no maxmemory, another policy, or a write with its TTL: fine', () => {
  expect(found(ttl008, job('a:*', expire, { server: { maxmemory_policy: 'volatile-lru' } }))).toEqual([]);
  expect(found(ttl008, job('a:*', expire, server(99, 'allkeys-lru')))).toEqual([]);
  expect(found(ttl008, job('a:*', expire, server(99, 'noeviction')))).toEqual([]);
  expect(found(ttl008, file('SET a v EX 60\nSETEX b 60 v', server(99)))).toEqual([]);
});

test('a key that has a TTL already stays as evictable as it is, except under volatile-ttl', () => {
  const keys = [key('a', { ttl_ms: 5 })];
  expect(found(ttl008, file('EXPIRE a 60', { ...server(99), keys }))).toEqual([]);
  expect(found(ttl008, file('EXPIRE a 60', { ...server(99, 'volatile-ttl'), keys }))).toHaveLength(1);
  expect(found(ttl008, file('PERSIST a', { ...server(99), keys: [key('a', { ttl_ms: -1 })] }))).toEqual([]);
});

test('without facts it is not judged', () => {
  expect(unchecked(ttl008, file('EXPIRE a 60'))).toContain('maxmemory');
  expect(unchecked(ttl008, file('SET a v EX 60'))).toBeUndefined();
});
