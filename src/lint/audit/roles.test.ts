/** What a command is to an audit, by its name, on each kind of server; audit.test.ts holds `look` against the rules. */
import { describe, expect, test } from 'vitest';
import { target } from '../../../test/support/lint.ts';
import type { Server } from '../../plan/target.ts';
import type { AuditCommand } from './command.ts';
import { createRoles, role } from './roles.ts';

/** The names of the roles, in the order of their bits. */
function of(name: AuditCommand['argv'][0], server?: Partial<Server>): string {
  const bits = createRoles(server && target({ server }).server)(name);
  return Object.entries(role)
    .filter(([, bit]) => bits & bit)
    .map(([word]) => word)
    .join(' ');
}

test.each([
  ['get', ''],
  ['set', 'replaces deadline'],
  ['getset', 'replaces'],
  ['mset', 'replaces'],
  ['msetnx', 'replaces'],
  ['setnx', 'replaces'],
  ['setex', 'deadline'],
  ['psetex', 'deadline'],
  ['getex', 'deadline'],
  ['expire', 'expires'],
  ['pexpire', 'expires'],
  ['expireat', 'expires'],
  ['pexpireat', 'expires'],
  ['persist', 'persists'],
  ['del', 'removes'],
  ['unlink', 'removes'],
  ['getdel', 'removes'],
  ['rename', 'removes'],
  ['renamenx', 'removes'],
  ['move', 'removes'],
  ['migrate', 'look removes'],
  ['multi', 'state'],
  ['exec', 'state'],
  ['discard', 'state'],
  ['watch', 'state'],
  ['unwatch', 'state'],
  ['select', 'state'],
  ['reset', 'state'],
  ['flushall', 'look flushes'],
  ['flushdb', 'look flushes'],
  ['keys', 'look'],
  ['scan', 'look'],
  ['hscan', 'look'],
  ['sscan', 'look'],
  ['zscan', 'look'],
  ['sort', 'look'],
  ['eval', 'look'],
  ['config', 'look'],
  ['swapdb', 'look'],
  ['copy', ''],
  ['info', ''],
  ['dbsize', ''],
  ['command', ''],
  ['time', ''],
  ['evalsha', ''],
  ['evalsha_ro', ''],
  ['fcall', ''],
  ['fcall_ro', ''],
  ['hset', ''],
  ['hexpire', ''],
  ['hgetex', ''],
  ['client', ''],
  ['what', ''],
  ['', ''],
])('%j without a server: %j', (name, roles) => {
  expect(of(name)).toBe(roles);
  expect(of(name.toUpperCase())).toBe(roles);
});

test('a name is bytes or text; one that is not known, or no text, has no role', () => {
  expect(of(Buffer.from('KEYS'))).toBe('look');
  expect(of(Buffer.from('Set'))).toBe('replaces deadline');
  expect(of({ base64: Buffer.from('\xff', 'latin1').toString('base64') })).toBe('');
  expect(of(undefined)).toBe('');
});

test('a name that comes again has the same roles', () => {
  const roles = createRoles(undefined);
  expect(['SET', 'KEYS', 'SET', 'KEYS', 'GET'].map(roles)).toEqual([6, 1, 6, 1, 0]);
});

describe('a server', () => {
  test.each<[string, Partial<Server>, string]>([
    // newer than the server, as a whole or in a subcommand
    ['hexpire', { redis_version: '7.4.0' }, ''],
    ['hexpire', { redis_version: '7.2.0' }, 'look'],
    ['getex', { redis_version: '6.2.0' }, 'deadline'],
    ['getex', { redis_version: '6.0.16' }, 'look deadline'],
    ['pubsub', { redis_version: '7.0.0' }, ''],
    ['pubsub', { redis_version: '6.2.14' }, 'look'],
    // EXPIRE with NX, XX, GT, LT is of 7.0
    ['expire', { redis_version: '7.0.0' }, 'expires'],
    ['expire', { redis_version: '6.2.14' }, 'look expires'],
    ['pexpireat', { redis_version: '6.2.14' }, 'look expires'],
    ['set', { redis_version: '6.2.14' }, 'replaces deadline'],
    ['persist', { redis_version: '6.2.14' }, 'persists'],
    ['what', { redis_version: '6.2.14' }, ''],
    // several keys may be of several slots, and a cluster has one database
    ['mget', { cluster: true }, 'look'],
    ['mget', { cluster: false }, ''],
    ['rename', { cluster: true }, 'look removes'],
    ['bitop', { cluster: true }, 'look'],
    ['sort_ro', { cluster: true }, 'look'],
    ['hmget', { cluster: true }, ''],
    ['set', { cluster: true }, 'replaces deadline'],
    ['zadd', { cluster: true }, ''],
    ['what', { cluster: true }, ''],
    ['select', { cluster: true }, 'look state'],
    ['select', { cluster: false }, 'state'],
    ['move', { cluster: true }, 'look removes'],
    ['copy', { cluster: true }, 'look'],
    ['swapdb', { cluster: true }, 'look'],
  ])('%j with %j: %j', (name, server, roles) => {
    expect(of(name, server)).toBe(roles);
  });
});
