/** Which word of a command gives a deadline, of what kind, and when a deadline is no future. */
import { describe, expect, test } from 'vitest';
import { deadlineOf, dropsTtlOf, isPast } from './expiry.ts';

const words = (line: string) => line.split(' ').map((word) => (word === '?' ? undefined : word));

describe('the deadline of a command', () => {
  test.each([
    ['EXPIRE k 10', 'relative', 10_000n, 'expire', 'EXPIRE', 2],
    ['pexpire k 10 NX', 'relative', 10n, 'expire', 'PEXPIRE', 2],
    ['EXPIREAT k 10', 'absolute', 10_000n, 'expire', 'EXPIREAT', 2],
    ['PEXPIREAT k 10', 'absolute', 10n, 'expire', 'PEXPIREAT', 2],
    ['SETEX k 10 v', 'relative', 10_000n, 'write', 'SETEX', 2],
    ['PSETEX k 10 v', 'relative', 10n, 'write', 'PSETEX', 2],
    ['SET k v ex 10', 'relative', 10_000n, 'write', 'EX', 4],
    ['SET k v NX PX 10', 'relative', 10n, 'write', 'PX', 5],
    ['SET k v EXAT 10', 'absolute', 10_000n, 'write', 'EXAT', 4],
    ['SET k v PXAT 10', 'absolute', 10n, 'write', 'PXAT', 4],
    ['GETEX k EX 10', 'relative', 10_000n, 'expire', 'EX', 3],
    ['GETEX k PXAT 10', 'absolute', 10n, 'expire', 'PXAT', 3],
    ['EXPIRE k ?', 'relative', undefined, 'expire', 'EXPIRE', 2],
    ['EXPIRE k soon', 'relative', undefined, 'expire', 'EXPIRE', 2],
  ] as const)('%s', (line, kind, ms, by, word, argument) => {
    expect(deadlineOf(words(line))).toEqual({ key: 'k', kind, ms, by, word, argument });
  });

  test.each(['SET k v', 'SET k EX 10', 'SET EX EX', 'GETEX k', 'GETEX k PERSIST', 'GETEX EX 10', 'GET k', 'PERSIST k'])(
    '%s has none',
    (line) => {
      expect(deadlineOf(words(line))).toBeUndefined();
    },
  );
});

describe('a deadline that is past', () => {
  const start2026 = Date.UTC(2026, 0, 1);
  const now = start2026 + 1000;
  test.each([
    ['PEXPIRE k 0', now, true],
    ['PEXPIRE k -1', undefined, true],
    ['PEXPIRE k 1', now, false],
    ['PEXPIRE k ?', now, false],
    ['PEXPIREAT k ?', undefined, false],
    [`PEXPIREAT k ${start2026}`, undefined, true],
    [`PEXPIREAT k ${start2026 + 1}`, undefined, undefined],
    [`PEXPIREAT k ${now}`, now + 0.5, true],
    [`PEXPIREAT k ${now + 1}`, now + 0.5, false],
  ])('%s at %s: %s', (line, at, past) => {
    expect(isPast(deadlineOf(words(line))!, at)).toBe(past);
  });
});

test.each([
  ['SET k v', ['k']],
  ['SET k v XX', ['k']],
  ['SET k v GET', ['k']],
  ['SET k v EX 10', []],
  ['SET k v PX 10', []],
  ['SET k v EXAT 10', []],
  ['SET k v PXAT 10', []],
  ['SET k v KEEPTTL', []],
  ['SET k v nx', []],
  ['SET k v ?', []],
  ['SET k ?', ['k']],
  ['SET ? v', []],
  ['GETSET k v', ['k']],
  ['MSET a 1 b 2', ['a', 'b']],
  ['MSET a 1 ? 2', ['a']],
  ['MSET', []],
  ['SETEX k 10 v', []],
  ['GET k', []],
])('%s takes the time to live of %j', (line, keys) => {
  expect(dropsTtlOf(words(line))).toEqual(keys);
});
