import { expect, test } from 'vitest';
import { file, found, script } from '../../../test/support/lint.ts';
import { sec001 } from './sec001-administration.ts';

test.each([
  'CONFIG SET dir /var/spool/cron',
  'CONFIG SET maxmemory 1gb dbfilename x',
  'MODULE LOAD /tmp/m.so',
  'DEBUG SEGFAULT',
  'DEBUG OBJECT k',
  'REPLICAOF 127.0.0.1 6380',
  'SLAVEOF NO ONE',
  'SHUTDOWN NOSAVE',
  'MIGRATE 127.0.0.1 6380 k 0 1000',
  'ACL SETUSER bob on',
  'FAILOVER',
  'CLUSTER RESET HARD',
])('%s is an error', (line) => {
  expect(found(sec001, file(line))).toEqual(['error app.redis:1:1']);
});

test.each(['CONFIG SET maxmemory 1gb', 'SCRIPT FLUSH', 'FUNCTION FLUSH', 'FUNCTION DELETE lib'])(
  '%s is a warning',
  (line) => {
    expect(found(sec001, file(line))).toEqual(['warning app.redis:1:1']);
  },
);

test('in a script', () => {
  expect(found(sec001, script("redis.call('CONFIG', 'SET', 'dir', '/tmp')"))).toEqual(['error cas.lua:1:1']);
});

test.each(['CONFIG GET maxmemory', 'ACL WHOAMI', 'MODULE LIST', 'CLUSTER INFO', 'SCRIPT LOAD "return 1"', 'SET dir x'])(
  '%s is fine',
  (line) => {
    expect(found(sec001, file(line))).toEqual([]);
  },
);
