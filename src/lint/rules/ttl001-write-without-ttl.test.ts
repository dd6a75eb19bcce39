import { describe, expect, test } from 'vitest';
import { file, found, key, pipeline } from '../../../test/support/lint.ts';
import { ttl001 } from './ttl001-write-without-ttl.ts';

describe('a temporary key without a TTL', () => {
  test.each([
    'SET cache:1 v',
    'SET session:1 v XX',
    'GETSET cache:1 v',
    'MSET cache:1 v other 2',
    'MSETNX cache:1 v other 2',
    'HSET session:1 name a',
    'INCR rate:ip',
    'SADD tmp:set a',
    'SET {cache}:1 v',
    'SET Cache:1 v',
  ])('%s is a warning', (line) => {
    expect(found(ttl001, file(line))).toEqual(['warning app.redis:1:1']);
  });

  test.each(['SET lock:a token NX', 'SETNX lock:a token', 'SET lock:a token'])('%s is an error', (line) => {
    expect(found(ttl001, file(line))).toEqual(['error app.redis:1:1']);
  });

  test('once for each key', () => {
    expect(found(ttl001, pipeline('HSET cache:1 a 1\nHSET cache:1 b 2\nHSET cache:2 a 1'))).toHaveLength(2);
  });
});

describe('fine', () => {
  test.each([
    'SET cache:1 v EX 60',
    'SET cache:1 v px 60000',
    'SET cache:1 v KEEPTTL',
    'SET lock:a token NX PX 30000',
    'SETEX cache:1 60 v',
    'SET user:1 v',
    'SET settings:session:timeout 30',
    'SET cache v',
    'SET mycache:1 v',
    'GET cache:1',
    'SET cache:1 v\nEXPIRE cache:1 60',
    'EXPIRE cache:1 60\nHSET cache:1 f v',
    'HSET tmp:1 f v\nUNLINK tmp:1',
  ])('%s', (lines) => {
    expect(found(ttl001, file(lines))).toEqual([]);
  });

  test('a write that keeps the TTL that the key has', () => {
    const given = { keys: [key('cache:1', { ttl_ms: 1000 })] };
    expect(found(ttl001, file('HSET cache:1 f v', given))).toEqual([]);
    expect(found(ttl001, file('SET cache:1 v', given))).toHaveLength(1);
  });
});

test('a TTL given before a SET does not survive it', () => {
  expect(found(ttl001, file('EXPIRE cache:1 60\nSET cache:1 v'))).toEqual(['warning app.redis:2:1']);
});

test('nor does one, or a TTL that the key has, survive a deletion', () => {
  expect(found(ttl001, file('EXPIRE tmp:1 60\nUNLINK tmp:1\nHSET tmp:1 f v'))).toEqual(['warning app.redis:3:1']);
  const given = { keys: [key('tmp:1', { ttl_ms: 1000 })] };
  expect(found(ttl001, file('UNLINK tmp:1\nHSET tmp:1 f v', given))).toEqual(['warning app.redis:2:1']);
  expect(found(ttl001, file('UNLINK tmp:1\nHSET tmp:1 f v\nEXPIRE tmp:1 60', given))).toEqual([]);
});
