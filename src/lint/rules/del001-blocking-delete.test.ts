import { describe, expect, test } from 'vitest';
import {
  eachKey,
  file,
  found,
  type Given,
  job,
  key,
  missing,
  selected,
  unchecked,
} from '../../../test/support/lint.ts';
import { lint } from '../lint.ts';
import { del001 } from './del001-blocking-delete.ts';

const big: Given = { keys: [key('big', { elements: 100_000 }), missing('src'), key('small')] };

describe('every way to free a large collection', () => {
  test.each([
    'DEL big',
    'DEL small big',
    'SET big v',
    'SETEX big 60 v',
    'MSET a 1 big 2',
    'RENAME src big',
    'COPY src big REPLACE',
    'SUNIONSTORE big s1 s2',
    'ZRANGESTORE big src 0 -1',
    'SORT src STORE big',
    'BITOP NOT big src',
    'EXPIRE big 0',
    'PEXPIRE big -1',
    'EXPIREAT big 1000',
  ])('%s', (line) => {
    expect(found(del001, file(line, big))).toEqual(['error app.redis:1:1']);
  });

  test('the message says what is freed, how, and for how long; the fix is UNLINK', () => {
    const [finding] = del001.check(file('DEL big', big)).findings;
    expect(finding?.message).toBe('DEL big, a hash with 100,000 elements: the server is blocked for about 45 ms');
    expect(finding?.fix).toContain('UNLINK big');
  });
});

describe('what frees nothing, or not here', () => {
  test.each([
    'UNLINK big',
    'DEL small',
    'SET small v',
    'SET big v NX',
    'SET big v GET',
    'GETSET big v',
    'GETDEL big',
    'RENAME big big',
    'RENAME big src',
    'RENAMENX src big',
    'COPY src big',
    'EXPIRE big 60',
    'HSET big f v',
    'SUNION big small',
  ])('%s', (line) => {
    expect(found(del001, file(line, big))).toEqual([]);
  });
});

describe('weight', () => {
  const of = (facts: Parameters<typeof key>[1]) => found(del001, file('DEL k', { keys: [key('k', facts)] }));

  test('from 5,000 elements a warning, from 10,000 an error', () => {
    expect(of({ elements: 4_999 })).toEqual([]);
    expect(of({ elements: 5_000 })).toEqual(['warning app.redis:1:1']);
    expect(of({ elements: 9_999 })).toEqual(['warning app.redis:1:1']);
    expect(of({ elements: 10_000 })).toEqual(['error app.redis:1:1']);
  });

  test('a list and a stream are freed node by node', () => {
    expect(of({ type: 'list', encoding: 'quicklist', elements: 100_000, bytes: 1_700_000 })).toEqual([]);
    expect(of({ type: 'list', encoding: 'quicklist', elements: 20_000, bytes: 200_000_000 })).toHaveLength(1);
    expect(of({ type: 'stream', encoding: 'stream', elements: 100_000 })).toEqual([]);
    expect(of({ type: 'stream', encoding: 'stream', elements: 2_000_000 })).toHaveLength(1);
  });

  test('a compact encoding and a string are one allocation', () => {
    expect(of({ type: 'set', encoding: 'intset', elements: 60_000 })).toEqual([]);
    expect(of({ type: 'string', encoding: 'raw', elements: 400_000_000 })).toEqual([]);
  });
});

describe('lazyfree', () => {
  const lazy = (by: 'del' | 'expire' | 'server_del', line: string) =>
    found(del001, file(line, { ...big, server: { lazyfree: { [by]: true } } }));

  test('each way has a setting of its own', () => {
    expect(lazy('del', 'DEL big')).toEqual([]);
    expect(lazy('del', 'SET big v')).toHaveLength(1);
    expect(lazy('server_del', 'SET big v')).toEqual([]);
    expect(lazy('server_del', 'EXPIRE big 0')).toHaveLength(1);
    expect(lazy('expire', 'EXPIRE big 0')).toEqual([]);
  });

  test('not readable: no on Redis 8.0, yes on Valkey 8, and it says that it assumed so', () => {
    const redis = file('DEL big', { ...big, server: { version: '8.0.2', redis_version: '8.0.2', lazyfree: {} } });
    expect(found(del001, redis)).toHaveLength(1);
    expect(del001.check(redis).findings[0]?.why).toContain('lazyfree-lazy-user-del could not be read; assumed no');
    const valkey = file('DEL big', { ...big, server: { engine: 'valkey', version: '8.1.1', lazyfree: {} } });
    expect(found(del001, valkey)).toEqual([]);
    expect(unchecked(del001, valkey)).toContain('assumed yes');
    const old = file('DEL big', { ...big, server: { engine: 'valkey', version: '7.2.5', lazyfree: {} } });
    expect(found(del001, old)).toHaveLength(1);
  });
});

describe('facts', () => {
  test('without facts it is not judged, and says which keys', () => {
    const subject = file('DEL a b c d\nSET e 1');
    expect(found(del001, subject)).toEqual([]);
    expect(unchecked(del001, subject)).toBe('needs the live type and size of a, b, c and 2 more: give --url');
  });

  test('a job is judged by the samples of its selection', () => {
    const samples = [key('h:1', { elements: 100_000 }), key('h:2')];
    const given = { selections: [selected('h:*', 2, samples)] };
    expect(found(del001, job('h:*', ['DEL', eachKey], given))).toEqual(['error execution_plan.steps[0].do']);
    expect(found(del001, job('h:*', ['UNLINK', eachKey], given))).toEqual([]);
    expect(unchecked(del001, job('h:*', ['DEL', eachKey]))).toContain('execution_plan.steps[0].do');
    expect(unchecked(del001, job('h:*', ['UNLINK', eachKey]))).toBeUndefined();
  });

  test('a deadline is past by the clock of the server', () => {
    const soon = Date.UTC(2026, 6, 1) / 1000;
    const codes = (line: string) => lint(file(line, big), { rules: [del001] }).diagnostics.length;
    expect(codes(`EXPIREAT big ${soon - 1}`)).toBe(1);
    expect(codes(`EXPIREAT big ${soon + 1}`)).toBe(0);
  });

  test('a module type has no known size', () => {
    const module = { key: 'm', exists: true, type: 'ReJSON-RL', ttl_ms: -1 };
    expect(unchecked(del001, file('DEL m', { keys: [module] }))).toBe('the size of m (type ReJSON-RL) is not known');
  });
});
