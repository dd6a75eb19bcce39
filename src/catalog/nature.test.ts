import { describe, expect, it } from 'vitest';
import { allCommands } from './lookup.ts';
import {
  changesConnection,
  deletesKeys,
  destroys,
  destructionOf,
  isAdministrative,
  isBlocking,
  isReadOnly,
  isWrite,
  runsScript,
} from './nature.ts';

const argv = (line: string) => line.split(' ').map((word) => (word === '?' ? undefined : word));
const which = (lines: readonly string[], judge: (line: ReturnType<typeof argv>) => boolean) =>
  lines.filter((line) => judge(argv(line)));

describe('isWrite and isReadOnly', () => {
  it('follow the flags, and count scripts, DEBUG and unknown commands as writing', () => {
    const writes = ['SET k v', 'SORT k', 'EVAL s 0', 'FCALL f 0', 'DEBUG SLEEP 1', 'JSON.SET k $ 1', 'FUNCTION LOAD c'];
    const others = ['GET k', 'EVAL_RO s 0', 'PING', 'EXEC', 'CONFIG SET a b', 'SCRIPT LOAD s', 'XGROUP HELP'];
    expect(which([...writes, ...others], isWrite)).toEqual(writes);
    expect(which([...writes, ...others], isReadOnly)).toEqual(['GET k', 'EVAL_RO s 0']);
  });

  it('never hold both', () => {
    expect(allCommands().filter((info) => isWrite(info.name.split('|')) && isReadOnly(info.name.split('|')))).toEqual(
      [],
    );
  });
});

describe('isBlocking', () => {
  it('is decided by BLOCK for streams', () => {
    const blocking = [
      'BLPOP l 0',
      'WAIT 1 0',
      'XREAD BLOCK 0 STREAMS s 0',
      'XREAD ? 0 STREAMS s 0',
      'BZMPOP 0 1 z MIN',
    ];
    expect(which([...blocking, 'XREAD STREAMS s 0', 'LPOP l', 'NOSUCH'], isBlocking)).toEqual(blocking);
  });
});

describe('runsScript, changesConnection, isAdministrative', () => {
  it('name what they say', () => {
    expect(which(['EVAL s 0', 'fcall_ro f 0', 'SCRIPT LOAD s'], runsScript)).toEqual(['EVAL s 0', 'fcall_ro f 0']);
    const connection = [
      'MULTI',
      'WATCH k',
      'SUBSCRIBE c',
      'SELECT 1',
      'AUTH p',
      'HELLO 3',
      'RESET',
      'CLIENT REPLY OFF',
      'MONITOR',
    ];
    expect(which([...connection, 'CLIENT LIST', 'GET k', 'PUBLISH c m'], changesConnection)).toEqual(connection);
    const admin = ['CONFIG SET a b', 'SHUTDOWN', 'ACL SETUSER u', 'CLIENT KILL ID 1', 'CONFIG ?', 'DEBUG SLEEP 0'];
    expect(which([...admin, 'GET k', 'SCRIPT ?', 'NOSUCH'], isAdministrative)).toEqual(admin);
  });
});

describe('destroys', () => {
  it('has a written verdict for every command that may write', () => {
    const silent = allCommands().filter(({ name }) => isWrite(name.split('|')) && destructionOf(name) === undefined);
    expect(silent.map(({ name }) => name)).toEqual([]);
  });

  it.each([
    ...[
      'DEL k',
      'UNLINK k',
      'FLUSHALL',
      'SET k v',
      'SET k v XX',
      'SET k v ?',
      'GETDEL k',
      'RENAME a b',
      'LPOP l',
      'HSET h f v',
    ],
    ...['ZADD z 1 m', 'EXPIRE k 0', 'EXPIRE k -1', 'EXPIRE k ?', 'PEXPIREAT k 1', 'COPY a b REPLACE'],
    ...['SUNIONSTORE d a', 'SORT k STORE d', 'XADD s MAXLEN 5 * f v', 'XTRIM s MAXLEN 0', 'BITFIELD k SET u8 0 1'],
    ...['EVAL s 0', 'JSON.DEL k', 'RESTORE k 0 p REPLACE', 'REPLICAOF h 1', 'DEBUG FLUSHALL', 'XDELEX s IDS 1 1-1'],
  ])('yes: %s', (line) => {
    expect(destroys(argv(line))).toBe(true);
  });

  it.each([
    ...[
      'INCR k',
      'SADD s m',
      'EXPIRE k 100',
      'PEXPIREAT k 4102444800000',
      'SET k v NX',
      'ZADD z NX 1 m',
      'ZADD z INCR 1 m',
    ],
    ...[
      'LMOVE a b LEFT LEFT',
      'RENAMENX a b',
      'COPY a b',
      'SORT k',
      'XADD s * f v',
      'BITFIELD k GET u8 0',
      'PERSIST k',
    ],
    ...['GET k', 'EVAL_RO s 0', 'PING', 'RESTORE k 0 p', 'GETEX k EX 10', 'XADD s * f maxlen'],
  ])('no: %s', (line) => {
    expect(destroys(argv(line))).toBe(false);
  });
});

describe('deletesKeys', () => {
  it('counts removal by name and by a time that is past', () => {
    const yes = [
      'DEL k',
      'GETDEL k',
      'FLUSHDB',
      'EXPIRE k 0',
      'PEXPIRE k -5',
      'EXPIREAT k 1',
      'SET k v PXAT 1',
      'GETEX k EXAT 5',
    ];
    const no = [
      'SREM s m',
      'EXPIRE k 1',
      'EXPIREAT k 4102444800',
      'SET k v',
      'SET k PXAT',
      'HDEL h f',
      'HEXPIRE h 0 FIELDS 1 f',
      'GET k',
    ];
    expect(which([...yes, ...no], deletesKeys)).toEqual(yes);
    expect(deletesKeys(argv('EXPIRE k ?'))).toBe(true);
  });
});
