import { describe, expect, it } from 'vitest';
import { integerOf, keysOf } from './keys.ts';

/** `0:RO k` for each key of a command line. */
function shown(line: string): readonly string[] | undefined {
  const argv = line.split(' ').map((word) => (word === '?' ? undefined : word === '""' ? '' : word));
  return keysOf(argv)?.map(({ index, key, access }) => `${index}:${access} ${key === undefined ? '?' : String(key)}`);
}

describe('keysOf', () => {
  it.each([
    ['GET a', ['1:RO a']],
    ['DEL a b', ['1:RM a', '2:RM b']],
    ['MSET a 1 b 2', ['1:OW a', '3:OW b']],
    ['PING', []],
    ['FLUSHALL', []],
    ['SET a 1', ['1:OW a']],
    ['SET a 1 EX 10 GET', ['1:RW a']],
    ['PFMERGE a', ['1:RW a']],
    ['PFMERGE a b', ['1:RW a', '2:RO b']],
    ['BITFIELD a GET u8 0', ['1:RO a']],
    ['BITFIELD a SET u8 0 1', ['1:RW a']],
    ['BITOP AND d a b', ['2:OW d', '3:RO a', '4:RO b']],
    ['SORT a BY w_* GET # GET STORE ALPHA', ['1:RO a']],
    ['SORT a STORE d', ['1:RO a', '3:OW d']],
    ['SORT a STORE d STORE e', ['1:RO a', '5:OW e']],
    ['SORT_RO a BY w_*', ['1:RO a']],
    ['EVAL return 2 a b c', ['3:RW a', '4:RW b']],
    ['EVAL return 0 c', []],
    ['FCALL f 1 a', ['3:RW a']],
    ['ZUNIONSTORE d 2 a b WEIGHTS 1 2', ['1:OW d', '3:RO a', '4:RO b']],
    ['ZINTER 2 a b', ['2:RO a', '3:RO b']],
    ['LMPOP 2 a b LEFT', ['2:RW a', '3:RW b']],
    ['BLMPOP 0 1 a LEFT', ['3:RW a']],
    ['XREAD COUNT 2 STREAMS a b 0 0', ['4:RO a', '5:RO b']],
    ['XREADGROUP GROUP STREAMS c STREAMS a >', ['5:RO a']],
    ['XGROUP CREATE a g $', ['2:RW a']],
    ['XINFO STREAM a', ['2:RO a']],
    ['OBJECT ENCODING a', ['2:RO a']],
    ['MEMORY USAGE a', ['2:RO a']],
    ['GEORADIUS a 1 1 1 m', ['1:RO a']],
    ['GEORADIUS a 1 1 1 m COUNT 3 STORE d', ['1:RO a', '9:OW d']],
    ['GEORADIUSBYMEMBER a STORE 1 m STOREDIST d', ['1:RO a', '6:OW d']],
    ['MIGRATE h 6379 a 0 100', ['3:RW a']],
    ['MIGRATE h 6379 "" 0 100 COPY AUTH KEYS KEYS a b', ['10:RW a', '11:RW b']],
    ['RENAME a b', ['1:RW a', '2:OW b']],
    ['COPY a b', ['1:RO a', '2:OW b']],
    ['STRALGO LCS KEYS a b', ['3:RO a', '4:RO b']],
    ['STRALGO LCS STRINGS a b', []],
    ['SSUBSCRIBE c', []],
    ['VADD a VALUES 1 0.5 e', ['1:RW a']],
    ['DELEX a', ['1:RM a']],
    ['DELEX a IFEQ 1', ['1:RW a']],
    ['SET a 1 IFEQ b', ['1:RW a']],
    ['MSETEX 2 a 1 b 2', ['2:OW a', '4:OW b']],
  ])('%s', (line, keys) => {
    expect(shown(line)).toEqual(keys);
  });

  it('names a key that is not known before the run by its place', () => {
    expect(shown('SET ? 1')).toEqual(['1:OW ?']);
    expect(shown('DEL a ?')).toEqual(['1:RM a', '2:RM ?']);
  });

  it.each([
    'NOSUCH a', // unknown command
    'GET', // arity
    'EVAL return 3 a', // too few keys
    'ZUNIONSTORE d 0 a', // none, where there must be one
    'EVAL return ? a', // how many keys is not known
    'EVAL return x a',
    'XREAD COUNT 2',
    'SORT a ? d', // might be STORE
    'GEORADIUS a 1 1 1 m ? d',
    'MIGRATE h 6379 ? 0 100',
  ])('cannot say for: %s', (line) => {
    expect(shown(line)).toBeUndefined();
  });

  it('takes an unknown option of SET as one that reads the old value', () => {
    expect(shown('SET a 1 ?')).toEqual(['1:RW a']);
  });

  it('compares option words byte by byte and leaves keys as they are', () => {
    expect(keysOf(['sort', { base64: '/w==' }, 'store', { base64: '/g==' }])?.map(({ key }) => key)).toEqual([
      { base64: '/w==' },
      { base64: '/g==' },
    ]);
  });
});

describe('integerOf', () => {
  it('reads what Redis reads as an integer, and nothing else', () => {
    expect(['0', '-1', '42'].map(integerOf)).toEqual([0, -1, 42]);
    expect(
      ['', '01', '+1', '1.0', ' 1', 'x', '99999999999999999999', undefined].every(
        (text) => integerOf(text) === undefined,
      ),
    ).toBe(true);
  });
});
