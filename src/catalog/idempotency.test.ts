import { describe, expect, it } from 'vitest';
import { isIdempotent, isRepeatable, verdictOf } from './idempotency.ts';
import { allCommands } from './lookup.ts';
import { changesConnection } from './nature.ts';

const argv = (line: string) => line.split(' ').map((word) => (word === '?' ? undefined : word));

describe('isIdempotent', () => {
  it('has a written verdict for every command that is not flagged readonly or bound to its connection', () => {
    const silent = allCommands().filter(
      ({ name, flags }) =>
        !flags.includes('readonly') && !changesConnection(name.split('|')) && verdictOf(name) === undefined,
    );
    expect(silent.map(({ name }) => name)).toEqual([]);
  });

  it.each([
    ...[
      'GET k',
      'SET k v',
      'SET k v NX',
      'SET k v PXAT 4102444800000',
      'SET k v EXAT 4102444800 XX',
      'SET k v KEEPTTL',
    ],
    ...[
      'SET ? ?',
      'SET k EX',
      'HSET h f v',
      'HSET ? ? ?',
      'SADD s m',
      'ZADD z 1 m',
      'ZADD z ? ?',
      'ZADD z GT CH 1 incr',
    ],
    ...[
      'EXPIREAT k 4102444800',
      'PEXPIREAT k ? NX',
      'EXPIRE k 0',
      'PERSIST k',
      'DEL k',
      'UNLINK ?',
      'HDEL h f',
      'SREM s m',
    ],
    ...['COPY a b REPLACE', 'SETRANGE k 5 x', 'SETBIT k 7 1', 'BITFIELD k SET u8 0 1', 'PFADD h e', 'LTRIM l 0 99'],
    ...[
      'LTRIM l -100 -1',
      'LREM l 0 e',
      'XADD s 5-1 f v',
      'XADD s MAXLEN ~ 100 5-1 f *',
      'XACK s g 1-1',
      'XTRIM s MAXLEN 5',
    ],
    ...['SUNIONSTORE d a b', 'ZUNIONSTORE d 2 a b', 'BITOP AND d a b', 'SORT k STORE d', 'GETEX k PERSIST', 'GETEX k'],
    ...[
      'RESTORE k 0 p REPLACE',
      'RESTORE k 4102444800000 p ABSTTL REPLACE',
      'RESTORE k 100 p',
      'FLUSHALL',
      'SCRIPT LOAD s',
    ],
    ...['EVAL_RO s 0', 'CONFIG SET a b', 'HSETEX h FIELDS 1 EX 5', 'MSETEX 1 EX 5 PXAT 4102444800000', 'SMOVE a b m'],
  ])('yes: %s', (line) => {
    expect(isIdempotent(argv(line))).toBe(true);
  });

  it.each([
    ...[
      'INCR k',
      'APPEND k v',
      'LPUSH l e',
      'RPUSH l e',
      'XADD s * f v',
      'XADD s 5-* f v',
      'XADD s ? f v',
      'ZADD z INCR 1 m',
    ],
    ...['ZADD z ? 1 m', 'ZINCRBY z 1 m', 'SET k v EX 10', 'SET k v px 10', 'SET k v GET', 'SET k v ?', 'SETEX k 10 v'],
    ...[
      'EXPIRE k 10',
      'PEXPIRE k 10',
      'EXPIRE k ?',
      'HEXPIRE h 10 FIELDS 1 f',
      'GETEX k EX 10',
      'GETEX k ?',
      'GETDEL k',
    ],
    ...[
      'GETSET k v',
      'SPOP s',
      'LPOP l',
      'RPOP l',
      'ZPOPMIN z',
      'RENAME a b',
      'LTRIM l 1 -1',
      'LTRIM l 0 -2',
      'LREM l 1 e',
    ],
    ...[
      'BITFIELD k INCRBY u8 0 1',
      'BITFIELD k ? u8 0 1',
      'EVAL s 0',
      'FCALL f 0',
      'RESTORE k 100 p REPLACE',
      'RESTORE k 0 p ?  ',
    ],
    ...[
      'SDIFFSTORE a b a',
      'ZUNIONSTORE a 2 a b',
      'BITOP NOT a a',
      'BITOP NOT ? b',
      'SORT k STORE k',
      'XTRIM s MAXLEN ~ 5',
    ],
    ...[
      'XGROUP SETID s g $',
      'XREADGROUP GROUP g c STREAMS s >',
      'PUBLISH c m',
      'MULTI',
      'EXEC',
      'SELECT 1',
      'SUBSCRIBE c',
    ],
    ...[
      'NOSUCH k',
      'JSON.SET k $ 1',
      'ACL SETUSER u (+get)',
      'MIGRATE h 1 k 0 1',
      'HSETEX h EX 5 FIELDS 1 f v',
      'DEBUG SLEEP 0',
    ],
    ...['MSETEX 1 k v EX 5', 'CONFIG ?', 'SCRIPT ?', 'SWAPDB 0 1'],
  ])('no: %s', (line) => {
    expect(isIdempotent(argv(line.trim()))).toBe(false);
  });
});

describe('isRepeatable', () => {
  it.each([
    'SET k v',
    'COPY a b REPLACE',
    'FUNCTION LOAD REPLACE x',
    'FUNCTION RESTORE x REPLACE',
    'FUNCTION RESTORE x flush',
  ])('may be sent again: %s', (line) => expect(isRepeatable(argv(line))).toBe(true));
  it.each(['SET k v NX', 'COPY a b', 'INCR k', 'FUNCTION LOAD x', 'FUNCTION RESTORE x', 'FUNCTION RESTORE x APPEND'])(
    'has a second answer that denies the first: %s',
    (line) => expect(isRepeatable(argv(line))).toBe(false),
  );
});
