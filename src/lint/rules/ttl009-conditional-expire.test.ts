import { expect, test } from 'vitest';
import { eachKey, file, found, job, unchecked } from '../../../test/support/lint.ts';
import { ttl009 } from './ttl009-conditional-expire.ts';

const on = (redis_version: string) => ({ server: { version: redis_version, redis_version } });

test.each(['EXPIRE k 60 NX', 'PEXPIREAT k 1900000000000 gt', 'EXPIREAT k 1900000000 XX'])('%s before 7.0', (line) => {
  expect(found(ttl009, file(line, on('6.2.14')))).toEqual(['error app.redis:1:1']);
  expect(found(ttl009, file(line, on('7.0.0')))).toEqual([]);
});

test('Valkey 8 answers with the version it is compatible with', () => {
  const given = { server: { engine: 'valkey' as const, version: '8.1.1', redis_version: '7.2.4' } };
  expect(found(ttl009, file('EXPIRE k 60 NX', given))).toEqual([]);
});

test('without a condition there is nothing to judge; with one the version is needed', () => {
  expect(found(ttl009, file('EXPIRE k 60', on('5.0.14')))).toEqual([]);
  expect(unchecked(ttl009, file('EXPIRE k 60'))).toBeUndefined();
  expect(unchecked(ttl009, file('EXPIRE k 60 NX'))).toContain('version');
});

test('what redops words itself goes inside a script there, so nothing is wrong with it', () => {
  const request = {
    operation_type: 'batch',
    select: { match: 'k:*' },
    do: { action: 'expire', ttl: '1h', condition: 'nx' },
  };
  const argv = ['PEXPIREAT', eachKey, '1900000000000', 'NX'];
  expect(found(ttl009, job('k:*', argv, on('6.2.14'), request))).toEqual([]);
  expect(found(ttl009, job('k:*', argv, on('6.2.14')))).toHaveLength(1);
});
