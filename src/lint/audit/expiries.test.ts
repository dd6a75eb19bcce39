/** How long a key is followed, which command ends that, and what comes of it: one command at a time. */
import { describe, expect, test } from 'vitest';
import { wordsOf } from '../../../test/redis/command-corpus.ts';
import type { Convention } from '../../plan/target.ts';
import type { LintCommand } from '../rule.ts';
import type { AuditCommand, AuditSource } from './command.ts';
import { createExpiries } from './expiries.ts';
import { createFold } from './fold.ts';
import { createRoles } from './roles.ts';

/** A command; `number`: of its place in the stream, one more than that of the command before it unless given. */
type Line =
  | string
  | ({ readonly say: string; readonly number?: number; readonly alone?: false } & Partial<AuditCommand>);

interface Given {
  readonly source?: AuditSource;
  /** How many commands there were in all, and when the last one was; the stream is far longer unless given. */
  readonly end?: readonly [number: number, atMs: number | undefined];
  readonly conventions?: readonly Convention[];
}

/** What is found, as `code count place message`, and how many writes stayed open. */
function follow(lines: readonly Line[], { source = 'aof', end = [10_000, undefined], conventions = [] }: Given = {}) {
  const fold = createFold();
  const roles = createRoles(undefined);
  const place = ({ line }: AuditCommand, argv: LintCommand['argv'], within: LintCommand['within']) => ({
    argv,
    at: `${within} ${line}`,
    within,
    block: '',
  });
  const expiries = createExpiries(source, fold, place, conventions);
  let last = 0;
  for (const one of lines) {
    const { say, number = last + 1, alone = true, ...rest } = typeof one === 'string' ? { say: one } : one;
    const command: AuditCommand = { argv: wordsOf(say), line: number, ...rest };
    expiries.see(command, roles(command.argv[0]), number, !alone);
    last = number;
  }
  const open = expiries.end(...end);
  const found = fold.diagnostics.map(({ code, at, count = 1, message }) => `${code} ${count} ${at} ${message}`);
  return { found, open };
}

const cache = (name: string, at = 1) => `TTL001 1 line ${at} ${name} cache:1: a cache key without a TTL`;
const later = (name: string, key: string, at: number) =>
  `TTL003 1 line ${at} ${name} ${key} and its TTL are two commands`;

describe('a write leaves its key without a TTL', () => {
  test.each([
    ['SET cache:1 v', [cache('SET')]],
    ['set cache:1 v', [cache('SET')]],
    ['Set cache:1 v', [cache('SET')]],
    ['SET cache:1 v XX', [cache('SET')]],
    ['SET cache:1 v NX', [cache('SET')]],
    ['set cache:1 v nx', [cache('SET')]],
    ['SET cache:1 v GET NX', [cache('SET')]],
    ['SETNX cache:1 v', [cache('SETNX')]],
    ['GETSET cache:1 v', [cache('GETSET')]],
    ['MSET cache:1 v', [cache('MSET')]],
    ['MSET a v cache:1 v', [cache('MSET')]],
    ['SET a cache:1', []],
    ['MSET a cache:1', []],
    ['SET cache:1 v KEEPTTL', []],
    ['SET cache:1 v KEEPTTL GET', []],
    ['SET cache:1 NX KEEPTTL', []],
    ['SET cache:1 v EX 5', []],
    ['SET cache:1 v px 5000', []],
    ['SET cache:1 v EXAT 1999999999', []],
    ['SET cache:1 v NX PXAT 1999999999999', []],
    ['SETEX cache:1 5 v', []],
    ['GETEX cache:1', []],
    ['GETEX cache:1 PERSIST', []],
    ['SET', []],
    ['SET a v', []],
  ])('%s: %j', (line, found) => {
    expect(follow([line])).toEqual({ found, open: 0 });
  });

  test.each(['SET cache:1 w KEEPTTL', 'SET cache:1 NX KEEPTTL', 'MSETNX cache:1 w', 'GETEX cache:1', 'set a cache:1'])(
    '%s behind it changes nothing',
    (line) => {
      expect(follow(['SET cache:1 v', line]).found).toEqual([cache('SET')]);
    },
  );

  test('the later of two writes is told, with its options', () => {
    expect(follow(['SET cache:1 v', 'SET cache:1 w XX']).found).toEqual([cache('SET', 2)]);
    expect(follow(['SET cache:1 v', 'Set cache:1 w Nx']).found).toEqual([cache('SET', 2)]);
    expect(follow(['SET cache:1 v', 'SETNX cache:1 w']).found).toEqual([cache('SETNX', 2)]);
  });

  test('words that are not known, or are bytes, are no reason to guess', () => {
    const of = (...argv: AuditCommand['argv']) => follow([{ say: '', argv }]).found;
    expect(of('SET', undefined, 'v')).toEqual([]);
    expect(of('SET', 'cache:1', 'v', undefined)).toEqual([]);
    expect(of('SET', 'cache:1', undefined)).toEqual([cache('SET')]);
    expect(of('MSET', 'a', undefined, 'cache:1', 'v')).toEqual([cache('MSET')]);
    expect(of(Buffer.from('SET'), Buffer.from('cache:1'), Buffer.from('v'))).toEqual([cache('SET')]);
    expect(of('SET', { base64: Buffer.from('cache:\xff', 'latin1').toString('base64') }, 'v')).toEqual([
      'TTL001 1 line 1 SET "cache:\\xff": a cache key without a TTL',
    ]);
  });

  test('a lock is told from a cache, and what a convention means by a key from both', () => {
    const conventions = [{ match: 'u:*', ttl_max_ms: 60_000 }];
    expect(follow(['SET lock:1 v NX', 'SET u:1 v', 'SET a v'], { conventions }).found).toEqual([
      'TTL001 1 line 1 SET lock:1: a lock key without a TTL',
      'TTL011 1 line 2 SET u:1: no TTL is given; keys of u:* are to have one',
    ]);
  });
});

describe('what comes behind a write ends it', () => {
  test.each<[Line, boolean]>([
    ['EXPIRE cache:1 60', true],
    ['PEXPIREAT cache:1 1999999999999', true],
    [{ say: '', argv: ['EXPIRE', Buffer.from('cache:1'), '60'] }, true],
    ['SETEX cache:1 5 v', true],
    ['psetex cache:1 5000 v', true],
    ['SETEX cache:1 5', false],
    ['GETEX cache:1 EX 5', true],
    ['GETEX cache:1 pxat 1999999999999', true],
    ['GETEX cache:1 PERSIST', false],
    ['GETEX cache:1 FOO 5', false],
    ['GETEX EX cache:1', false],
    ['SET cache:1 v EX 5', true],
    ['SET cache:1 v NX exat 1999999999', true],
    ['SET cache:1 EX', false],
    ['DEL cache:1', true],
    ['DEL a cache:1', true],
    ['UNLINK a b cache:1', true],
    ['RENAME cache:1 a', true],
    ['GETDEL cache:1', true],
    ['FLUSHALL', true],
    ['FLUSHDB ASYNC', true],
    ['DEL a', false],
    ['DEL', false],
    ['EXPIRE', false],
    ['EXPIRE cache:2 60', false],
    [{ say: '', argv: ['EXPIRE', undefined, '60'] }, false],
    [{ say: '', argv: ['DEL', undefined, 'a'] }, false],
    [{ say: '', argv: ['GETEX', 'cache:1', undefined, 'v'] }, false],
    [{ say: 'DEL cache:1', database: 0 }, true],
    [{ say: 'DEL cache:1', database: 1 }, false],
    [{ say: 'EXPIRE cache:1 60', database: 1 }, false],
    [{ say: 'EXPIRE cache:1 60', alone: false }, true],
    [{ say: 'EXPIRE cache:1 60', client: 'b:2' }, true],
  ])('%j: %j', (line, ends) => {
    const { found } = follow(['SET cache:1 v', line]);
    expect(found.filter((one) => one.startsWith('TTL001')).length).toBe(ends ? 0 : 1);
  });

  test('a database is no part of a key: 1 and key 1, 11 and none', () => {
    const lines = [
      { say: 'SET cache:1 v', database: 11 },
      { say: 'DEL 1cache:1', database: 1 },
    ];
    expect(follow(lines).found).toEqual([cache('SET')]);
  });
});

describe('the TTL as a second command', () => {
  const ofAof = (between: number, more: Partial<AuditCommand> = {}) =>
    follow([
      { say: 'SET u:1 v', number: 1 },
      { say: 'EXPIRE u:1 60', number: 1 + between, ...more },
    ]).found;
  const first = { say: 'SET u:1 v', number: 500, atMs: 5_000, client: 'a:1' };
  const ofMonitor = (more: Partial<Exclude<Line, string>> = {}, before: Partial<Exclude<Line, string>> = {}) =>
    follow(
      [
        { ...first, ...before },
        { say: 'EXPIRE u:1 60', number: 501, atMs: 5_001, client: 'a:1', ...more },
      ],
      {
        source: 'monitor',
      },
    ).found;

  test.each<[number, boolean]>([
    [1, false],
    [2, true],
    [99, true],
    [100, true],
    [101, false],
  ])('of an append-only file, %d commands later: %j', (between, found) => {
    expect(ofAof(between)).toEqual(found ? [later('SET', 'u:1', 1 + between)] : []);
  });

  test.each<[string, Parameters<typeof ofMonitor>, boolean]>([
    ['the next command', [], true],
    ['100 commands later', [{ number: 600 }], true],
    ['101 commands later', [{ number: 601 }], false],
    ['999 ms later', [{ atMs: 5_999 }], true],
    ['a second later', [{ atMs: 6_000 }], false],
    ['by another client', [{ client: 'b:2' }], false],
    ['in another database', [{ database: 1 }], false],
    ['in the same database', [{ database: 1 }, { database: 1 }], true],
    ['in a transaction', [{ alone: false }], false],
    ['written in a transaction', [{}, { alone: false }], false],
    ['in a script', [{ client: 'lua' }, { client: 'lua' }], false],
    ['of another key', [{ say: 'EXPIRE u:2 60' }], false],
    ['with the value', [{}, { say: 'SET u:1 v EX 5' }], false],
    ['behind SET with KEEPTTL', [{}, { say: 'SET u:1 v KEEPTTL' }], false],
    ['behind SET with NX', [{}, { say: 'SET u:1 v NX' }], true],
    ['as GETEX', [{ say: 'GETEX u:1 EX 60' }], false],
  ])('of a capture, %s: %j', (_, given, found) => {
    const at = given[0]?.number ?? 501;
    expect(ofMonitor(...given)).toEqual(found ? [later('SET', 'u:1', at)] : []);
  });

  test('without times and clients, the number of commands alone counts', () => {
    expect(follow(['SETNX u:1 v', 'EXPIRE u:1 60'], { source: 'monitor' }).found).toEqual([later('SETNX', 'u:1', 2)]);
  });

  test.each<[string, Line[], string[]]>([
    [
      'a TTL is given once',
      ['SET u:1 v', 'GET a', 'EXPIRE u:1 60', 'GET a', 'EXPIRE u:1 60'],
      [later('SET', 'u:1', 3)],
    ],
    [
      'a write of a transaction counts instead of the one before it',
      ['SET u:1 v', 'GET a', { say: 'SET u:1 v', alone: false }, 'GET a', 'EXPIRE u:1 60'],
      [],
    ],
    ['FLUSHALL takes what was written', ['SET u:1 v', 'GET a', 'FLUSHALL', 'EXPIRE u:1 60'], []],
    ['SETEX gives it with the value', ['SET u:1 v', 'GET a', 'SETEX u:1 5 v', 'GET a', 'EXPIRE u:1 60'], []],
    [
      'what comes in between takes nothing away within a hundred commands',
      [
        ...Array.from({ length: 90 }, () => 'SET a v'),
        'SET u:1 v',
        ...Array.from({ length: 90 }, () => 'SET b v'),
        'EXPIRE u:1 60',
      ],
      [later('SET', 'u:1', 182)],
    ],
  ])('%s', (_, lines, found) => {
    expect(follow(lines).found).toEqual(found);
  });
});

describe('at the end', () => {
  const write = { say: 'SET cache:1 v', number: 1_000 };

  test.each<[string, Partial<AuditCommand>, [number, number | undefined], number]>([
    ['100 commands behind it, no times', {}, [1_100, undefined], 1],
    ['101 commands behind it, no times', {}, [1_101, undefined], 0],
    ['999 ms behind it', { atMs: 5_000 }, [1_001, 5_999], 1],
    ['a second behind it', { atMs: 5_000 }, [1_001, 6_000], 0],
    ['its own time is not known', {}, [1_001, 6_000], 1],
    ['the time of the end is not known', { atMs: 5_000 }, [1_001, undefined], 1],
    ['at the beginning of time', { atMs: 0 }, [1_001, 1_000], 0],
  ])('%s', (_, more, end, open) => {
    const found = open === 0 ? ['TTL001 1 line 1000 SET cache:1: a cache key without a TTL'] : [];
    expect(follow([{ ...write, ...more }], { end })).toEqual({ found, open });
  });

  test('every open write is counted', () => {
    expect(follow(['SET cache:1 v', 'SET cache:2 v', 'SET a v'], { end: [3, undefined] })).toEqual({
      found: [],
      open: 2,
    });
  });
});
