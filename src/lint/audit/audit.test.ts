/** What an audit says of a stream, and what it leaves alone because the source cannot know it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { validElsewhere, validOn7, wordsOf } from '../../../test/redis/command-corpus.ts';
import { target } from '../../../test/support/lint.ts';
import { allCommands } from '../../catalog/lookup.ts';
import type { LintCommand } from '../rule.ts';
import { scriptOfCommand } from '../subject.ts';
import { type AuditOptions, commandRules, createAudit, unjudged } from './audit.ts';
import type { AuditCommand, AuditSource } from './command.ts';
import { createFold } from './fold.ts';

type Line = string | (Partial<AuditCommand> & { readonly say: string });

/** Audits lines, in time steps of a millisecond; gives `CODE:line` of every finding, one of a code, and the notes. */
function audit(source: AuditSource, lines: readonly Line[], options: Partial<AuditOptions> = {}) {
  const fold = createFold();
  const run = createAudit({ source, name: 'x', fold, ...options });
  for (const [index, one] of lines.entries()) {
    const { say, ...rest } = typeof one === 'string' ? { say: one } : one;
    const times = source === 'aof' ? {} : { atMs: 1_790_000_000_000 + index, client: 'a:1', database: 0 };
    run.take({ argv: wordsOf(say), line: index + 1, ...times, ...rest });
  }
  const { notes, commands } = run.end();
  const found = fold.diagnostics.map(({ code, at, count = 1 }) => `${code} ${count} ${at}`);
  return { found, notes: notes.join('\n'), commands };
}

/** A line so many milliseconds after the first. */
const later = (say: string, ms: number): Line => ({ say, atMs: 1_790_000_000_000 + ms });

const rest = Array.from({ length: 150 }, (_, index) => `GET k${index}`);

describe('one command by itself', () => {
  const known = target({ server: { redis_version: '6.0.16', version: '6.0.16', cluster: true } });
  const names = allCommands().flatMap(({ name }) => [name.replace('|', ' '), `${name.replace('|', ' ')} a b c 0`]);
  const lines = [
    ...validOn7,
    ...validElsewhere,
    ...names,
    'scan 0 count 99999',
    'EVAL return{x} 0',
    'FLUSHALL',
    'what is this',
  ];

  test.each([
    ['without a server', undefined],
    ['against an old cluster', known],
  ])('every command of the catalog is judged as the rules judge it, %s', (_, server) => {
    for (const line of lines) {
      const argv = wordsOf(line);
      const command: LintCommand = { argv, at: '', within: 'line', block: '' };
      const subject = { commands: [command], scripts: scriptOfCommand(command), ...(server && { target: server }) };
      const wanted = commandRules.flatMap((rule) => rule.check(subject).findings.map(() => rule.code)).sort();
      const { found } = audit('slowlog', [line], server ? { target: server } : {});
      const codes = found.map((one) => one.split(' ', 2)).flatMap(([code, count]) => Array(Number(count)).fill(code));
      expect([line, codes.filter((code) => code !== 'TTL006').sort()]).toEqual([line, wanted]);
    }
  });

  test('a finding that comes a million times is one, with its first places', () => {
    const fold = createFold();
    const run = createAudit({ source: 'monitor', name: 'm', fold });
    for (let line = 1; line <= 20_000; line += 1)
      run.take({ argv: ['KEYS', '*'], line, atMs: line, client: 'a:1', database: 0 });
    run.end();
    expect(fold.diagnostics).toMatchObject([
      { code: 'KEY001', count: 20_000, at: 'm:1', more_at: ['m:2', 'm:3', 'm:4', 'm:5', 'm:6'], span: { line: 1 } },
    ]);
  });

  test('a script that is sent again is found again, at its own place', () => {
    const script = { say: 'EVAL', argv: ['EVAL', "return redis.call('GET', 'k' .. ARGV[1])", '0', 'a'] };
    const fold = createFold();
    const run = createAudit({ source: 'monitor', name: 'm', fold });
    for (const line of [3, 9]) run.take({ ...script, line, atMs: 1, client: 'a:1', database: 0 });
    expect(fold.diagnostics).toMatchObject([
      { code: 'LUA001', at: 'm:3, script line 1', more_at: ['m:9, script line 1'], count: 2 },
    ]);
  });
});

describe('TTL001', () => {
  test.each([
    [['SET cache:1 v'], ['TTL001 1 x, command 1']],
    [['MSET cache:1 v other 2 cache:2 v'], ['TTL001 2 x, command 1']],
    [['SET lock:1 v NX'], ['TTL001 1 x, command 1']],
    [['SET cache:1 v EX 5'], []],
    [['SETEX cache:1 5 v', 'PSETEX cache:2 5 v'], []],
    [['SET cache:1 v', 'GET a', 'PEXPIREAT cache:1 1999999999999'], []],
    [['SET cache:1 v', 'DEL cache:1'], []],
    [['SET cache:1 v', 'FLUSHALL'], []],
    [['SET cache:1 v', 'SELECT 1', 'PEXPIREAT cache:1 1999999999999'], ['TTL001 1 x, command 1']],
    [['SET user:1 v'], []],
    // whether the key has a TTL from before is not in the file
    [['HSET session:1 f v', 'INCR rate:1', 'SADD tmp:1 a'], []],
    [['SET cache:1 v KEEPTTL'], []],
    [['MSETNX cache:1 v cache:2 v'], ['TTL001 2 x, command 1']],
    [['set cache:1 v'], ['TTL001 1 x, command 1']],
    [['setnx cache:1 v'], ['TTL001 1 x, command 1']],
    [['GETSET cache:1 v', 'getex cache:1 px 5'], []],
    [['SET cache:1 v', 'GETEX cache:1'], ['TTL001 1 x, command 1']],
    [['SET cache:1 v', 'GETEX cache:1 PERSIST'], ['TTL001 1 x, command 1']],
    [['SET cache:1 v', 'DEL other cache:1'], []],
    [['SET cache:1 v', 'DEL other'], ['TTL001 1 x, command 1']],
  ])('%j', (lines, found) => {
    expect(audit('aof', [...lines, ...rest]).found.filter((one) => one.startsWith('TTL001'))).toEqual(found);
  });

  test('what is written at the very end is not judged, and said', () => {
    const { found, notes } = audit('aof', [...rest, 'SET cache:1 v', 'GET a']);
    expect(found).toEqual([]);
    expect(notes).toContain('TTL001 did not judge what wrote one temporary key at the very end');
  });

  test.each<[string, AuditSource, Line[], string[]]>([
    ['100 commands behind it are too few', 'aof', ['SET cache:1 v', ...rest.slice(0, 100)], []],
    ['101 are enough', 'aof', ['SET cache:1 v', ...rest.slice(0, 101)], ['TTL001 1 x, command 1']],
    ['a millisecond under a second is too little', 'monitor', ['SET cache:1 v', later('GET a', 999)], []],
    ['a second is enough', 'monitor', ['SET cache:1 v', later('GET a', 1000)], ['TTL001 1 x:1']],
    [
      'the same name in another database is another key',
      'monitor',
      ['SET cache:1 v', { say: 'DEL cache:1', database: 3 }, later('GET a', 1000)],
      ['TTL001 1 x:1'],
    ],
    [
      'each database has its keys',
      'monitor',
      [
        { say: 'SET cache:1 v', database: 3 },
        { say: 'EXPIRE cache:1 60', database: 3, client: 'b:2' },
        later('GET a', 1000),
      ],
      [],
    ],
  ])('%s', (_, source, lines, found) => {
    expect(audit(source, lines).found.filter((one) => one.startsWith('TTL001'))).toEqual(found);
  });

  test('a value of a megabyte is not kept, and bytes that are no text are a key like any other', () => {
    const key = Buffer.from('cache:\xff', 'latin1');
    const lines: Line[] = [{ say: '', argv: ['SET', key, Buffer.alloc(1 << 20)] }, ...rest];
    expect(audit('aof', lines).found).toEqual(['TTL001 1 x, command 1']);
    expect(audit('aof', [...lines, { say: '', argv: ['PEXPIREAT', key, '1999999999999'] }]).found).toEqual([]);
  });

  test('more keys than are remembered are all found', () => {
    const lines = Array.from({ length: 100_000 }, (_, index) => `SET cache:${index} v`);
    expect(audit('aof', [...lines, ...rest]).found).toEqual(['TTL001 100000 x, command 1']);
  });
});

describe('TTL003', () => {
  const of = (source: AuditSource, lines: Line[]) =>
    audit(source, [...lines, ...rest]).found.filter((one) => one.startsWith('TTL003'));

  test('SET, and EXPIRE by the same client soon after', () => {
    expect(of('monitor', ['SET u:1 v', 'GET a', 'EXPIRE u:1 60'])).toEqual(['TTL003 1 x:3']);
    expect(of('monitor', ['SETNX u:1 v', 'EXPIRE u:1 60'])).toEqual(['TTL003 1 x:2']);
  });

  test.each<[string, AuditSource, Line[], string[]]>([
    ['the next command of an append-only file was one with it', 'aof', ['SET u:1 v', 'PEXPIREAT u:1 1'], []],
    ['one in between, and it was not', 'aof', ['SET u:1 v', 'GET a', 'EXPIRE u:1 60'], ['TTL003 1 x, command 3']],
    ['100 commands later', 'aof', ['SET u:1 v', ...rest.slice(0, 99), 'EXPIRE u:1 60'], ['TTL003 1 x, command 101']],
    ['101 commands later', 'aof', ['SET u:1 v', ...rest.slice(0, 100), 'EXPIRE u:1 60'], []],
    ['100 commands later, live', 'monitor', ['SET u:1 v', ...rest.slice(0, 99), 'EXPIRE u:1 60'], ['TTL003 1 x:101']],
    ['101 commands later, live', 'monitor', ['SET u:1 v', ...rest.slice(0, 100), 'EXPIRE u:1 60'], []],
    ['within a second', 'monitor', ['SET u:1 v', later('EXPIRE u:1 60', 999)], ['TTL003 1 x:2']],
    ['a second later', 'monitor', ['SET u:1 v', later('EXPIRE u:1 60', 1000)], []],
    ['a value that reads like an option', 'monitor', ['SET u:1 EX', 'EXPIRE u:1 60'], ['TTL003 1 x:2']],
    ['where it is there', 'monitor', ['SET u:1 v XX', 'EXPIRE u:1 60'], ['TTL003 1 x:2']],
    ['where it is not there', 'monitor', ['SET u:1 v nx', 'EXPIRE u:1 60'], ['TTL003 1 x:2']],
    [
      'with a reading in between that gives none',
      'monitor',
      ['SET u:1 v', 'GETEX u:1', 'EXPIRE u:1 60'],
      ['TTL003 1 x:3'],
    ],
    ['with one that gives one', 'monitor', ['SET u:1 v', 'GETEX u:1 EXAT 1999999999', 'EXPIRE u:1 60'], []],
    ['SETEX', 'monitor', ['setex u:1 5 v', 'EXPIRE u:1 60'], []],
    ['PSETEX', 'monitor', ['PSETEX u:1 5 v', 'EXPIRE u:1 60'], []],
    ['only once', 'monitor', ['SET u:1 v', 'EXPIRE u:1 60', 'EXPIRE u:1 60'], ['TTL003 1 x:2']],
    ['not across a flush', 'monitor', ['SET u:1 v', 'FLUSHDB', 'EXPIRE u:1 60'], []],
  ])('%s', (_, source, lines, found) => {
    expect(of(source, lines)).toEqual(found);
  });

  test.each<[string, Line[]]>([
    ['another client', ['SET u:1 v', { say: 'EXPIRE u:1 60', client: 'b:2' }]],
    ['another database', ['SET u:1 v', { say: 'EXPIRE u:1 60', database: 3 }]],
    ['much later', ['SET u:1 v', { say: 'EXPIRE u:1 60', atMs: 1_790_000_009_000 }]],
    ['many commands later', ['SET u:1 v', ...rest, 'EXPIRE u:1 60']],
    [
      'in a script',
      [
        { say: 'SET u:1 v', client: 'lua' },
        { say: 'EXPIRE u:1 60', client: 'lua' },
      ],
    ],
    ['with a TTL given', ['SET u:1 v', 'SET u:1 v EX 5', 'EXPIRE u:1 60']],
    ['deleted', ['SET u:1 v', 'EXPIRE u:1 60 NX'].slice(1)],
  ])('not by %s', (_, lines) => {
    expect(of('monitor', lines)).toEqual([]);
  });

  test('an append-only file of 6.0 has SET with EX as two commands in a row: that is none', () => {
    expect(of('aof', ['SET u:1 v', 'PEXPIREAT u:1 1999999999999'])).toEqual([]);
    expect(of('aof', ['SET u:1 v', 'SET b 1', 'PEXPIREAT u:1 1999999999999'])).toEqual(['TTL003 1 x, command 3']);
    expect(of('aof', ['MULTI', 'SET u:1 v', 'SET b 1', 'PEXPIREAT u:1 1999999999999', 'EXEC'])).toEqual([]);
  });
});

test('TTL003 not within a transaction of a client, and again behind it', () => {
  const of = (...lines: Line[]) => audit('monitor', lines).found.filter((one) => one.startsWith('TTL003'));
  const pair = ['SET u:1 v', 'EXPIRE u:1 60'];
  const ofOther = (say: string) => ({ say, client: 'b:2' });
  expect(of('MULTI', ...pair, 'EXEC')).toEqual([]);
  expect(of('multi', 'SET u:1 v', 'EXEC', 'EXPIRE u:1 60')).toEqual([]);
  expect(of('MULTI', 'SET a v', 'EXEC', ...pair)).toEqual(['TTL003 1 x:5']);
  expect(of('MULTI', 'DISCARD', ...pair)).toEqual(['TTL003 1 x:4']);
  expect(of('MULTI', 'RESET', ...pair)).toEqual(['TTL003 1 x:4']);
  expect(of(ofOther('MULTI'), ...pair)).toEqual(['TTL003 1 x:3']);
  expect(of('MULTI', ofOther('EXEC'), ...pair, 'EXEC')).toEqual([]);
  expect(of('WATCH a', ...pair)).toEqual(['TTL003 1 x:3']);
});

test('clients that never ended their transaction do not fill the memory', () => {
  const gone = (count: number) => Array.from({ length: count }, (_, index) => ({ say: 'MULTI', client: `c:${index}` }));
  const of = (count: number) =>
    audit('monitor', ['MULTI', ...gone(count), 'SET u:1 v', 'EXPIRE u:1 60']).found.map((one) => one.slice(0, 8));
  expect(of(9_999)).toEqual([]);
  expect(of(10_000)).toEqual(['TTL003 1']);
});

describe('the state of an append-only file', () => {
  const of = (...lines: Line[]) => audit('aof', [...lines, ...rest]).found;
  const pair = ['SET u:1 v', 'SET b 1', 'PEXPIREAT u:1 1999999999999'];

  test('a transaction ends with EXEC or DISCARD', () => {
    expect(of('MULTI', 'SET a v', 'EXEC', ...pair)).toEqual(['TTL003 1 x, command 6']);
    expect(of('MULTI', 'DISCARD', ...pair)).toEqual(['TTL003 1 x, command 5']);
    expect(of({ say: '', argv: [Buffer.from('multi')] }, ...pair, 'exec')).toEqual([]);
  });

  test('SELECT, and nothing else, changes the database', () => {
    const key = (say: string): string[] => of('SELECT 1', 'SET cache:1 v', say, 'DEL cache:1');
    expect(key('GET a')).toEqual([]);
    expect(key('WATCH 3')).toEqual([]);
    expect(key('SELECT 1')).toEqual([]);
    expect(key('SELECT 0')).toEqual(['TTL001 1 x, command 2']);
    expect(key('select 2')).toEqual(['TTL001 1 x, command 2']);
    expect(of('SET cache:1 v', 'SELECT 1', 'SELECT 0', 'DEL cache:1')).toEqual([]);
  });

  test('of a capture every command says its database', () => {
    const lines = ['SELECT 3', { say: 'SET cache:1 v', database: 3 }, { say: 'DEL cache:1', database: 0 }, ...rest];
    expect(audit('monitor', lines).found).toEqual(['TTL001 1 x:2']);
    expect(audit('monitor', ['SELECT 3', 'SET cache:1 v', 'SELECT 0', 'DEL cache:1', ...rest]).found).toEqual([]);
  });
});

describe('TTL011', () => {
  const conventions = [{ match: 'u:*', ttl_min_ms: 60_000, ttl_max_ms: 3_600_000 }];
  const of = (source: AuditSource, ...lines: Line[]) => audit(source, lines, { conventions });

  test.each<[Line, boolean]>([
    ['EXPIRE u:1 3600', false],
    ['EXPIRE u:1 3601', true],
    ['EXPIRE u:1 60', false],
    ['EXPIRE u:1 59', true],
    ['PEXPIREAT u:1 1790003600000', false],
    ['PEXPIREAT u:1 1790003600001', true],
    ['SETEX u:1 3601 v', true],
    ['SET u:1 v EX 3601', true],
    ['GETEX u:1 EX 3601', true],
    ['GETEX u:1 PERSIST', false],
    ['persist u:1', true],
    ['PERSIST a', false],
    ['EXPIRE a 3601', false],
    ['TTL u:1', false],
    [{ say: '', argv: ['EXPIRE', Buffer.from('u:1'), '3601'] }, true],
    [{ say: '', argv: ['EXPIRE', undefined, '3601'] }, false],
    [{ say: '', argv: ['EXPIRE', { base64: '/w==' }, '3601'] }, false],
  ])('%j in a capture and in the slow log: %j', (line, found) => {
    for (const [source, at] of [['monitor', 'x:1'] as const, ['slowlog', 'x, entry 1'] as const])
      expect(of(source, line).found).toEqual(found ? [`TTL011 1 ${at}`] : []);
  });

  test('SET without a TTL is told once, and no more when the key goes', () => {
    expect(of('monitor', 'SET u:1 v', ...rest).found).toEqual(['TTL011 1 x:1']);
    expect(of('monitor', 'SET u:1 v', 'DEL u:1', ...rest).found).toEqual([]);
  });

  test('an append-only file without times leaves deadlines alone, and says how many', () => {
    const untimed = 'the file does not say when they were given (aof-timestamp-enabled)';
    const line = 'PEXPIREAT u:1 1790003600001';
    expect(of('aof', line)).toMatchObject({ found: [], notes: expect.stringContaining(`one deadline: ${untimed}`) });
    expect(of('aof', line, line).notes).toContain(`TTL011 did not judge 2 deadlines: ${untimed}`);
    expect(of('aof', 'PERSIST u:1', 'EXPIRE u:1 60').notes).not.toContain('TTL011');
    const timed = of('aof', { say: line, atMs: 1_790_000_000_000 });
    expect(timed.found).toEqual(['TTL011 1 x, command 1']);
    expect(timed.notes).not.toContain('TTL011');
  });
});

describe('TTL006', () => {
  test.each<[Line, boolean]>([
    ['EXPIRE k 0', true],
    ['EXPIRE k -1', true],
    ['EXPIRE k 1', false],
    ['EXPIRE k 999999999', false],
    ['EXPIRE k 1790000000', false],
    ['EXPIREAT k 999999999', true],
    ['SET k v EXAT 60', true],
    ['EXPIREAT k 1790000000', true],
    ['EXPIREAT k 1790000001', false],
    ['PEXPIREAT k 1790000000000', true],
    ['PEXPIREAT k 1790000000001', false],
    ['PEXPIREAT k 5', true],
    ['EXPIRE k', false],
    ['EXPIRE k x', false],
    ['SETEX k 0 v', true],
    ['SETEX k 5 0', false],
    ['GETEX k EX 0', true],
    ['GETEX k EX 5', false],
    ['GETEX k', false],
    ['SET k v EX 0', true],
    ['SET k v EX -5', true],
    ['SET k v EX +0', true],
    ['SET k v EX 5', false],
    ['SET k 0 EX 5', false],
    ['SET k 5 EX 0', true],
    ['SET k v NX PX 0', true],
    ['SET k v', false],
    [{ say: '', argv: ['SET', 'k', 'v', 'EX', undefined] }, false],
    [{ say: '', argv: ['SET', 'k', Buffer.from([0xff]), Buffer.from('EX'), Buffer.from('0')] }, true],
    [{ say: '', argv: [Buffer.from('SET'), 'k', 'v', 'EX', '0'] }, true],
  ])('%j: %j', (line, found) => {
    expect(audit('monitor', [line]).found).toEqual(found ? ['TTL006 1 x:1'] : []);
  });

  test('is judged by the time of the command', () => {
    expect(audit('monitor', ['EXPIREAT k 1789999999']).found).toEqual(['TTL006 1 x:1']);
    expect(audit('monitor', ['SET k v PXAT 1789999999999', 'EXPIRE k 0', 'GETEX k EX -1']).found).toEqual([
      'TTL006 3 x:1',
    ]);
    expect(
      audit('monitor', ['EXPIREAT k 1790000001', 'EXPIRE k 10', 'SET k 0', 'SET k 0 NX', 'SETEX k 5 0']).found,
    ).toEqual([]);
  });

  test('a deadline of an append-only file has passed by now, and was ahead then', () => {
    expect(audit('aof', ['PEXPIREAT k 1600000000000', ...rest]).found).toEqual([]);
  });
});

describe('transactions of a capture', () => {
  const say = (client: string, ...lines: string[]) => lines.map((line) => ({ say: line, client }));

  test('TX001 client by client, however they are interleaved', () => {
    const guilty = say('a:1', 'GET k', 'MULTI', 'SET k 1', 'EXEC');
    const clean = say('b:1', 'WATCH k', 'GET k', 'MULTI', 'SET k 1', 'EXEC');
    const mixed = guilty.flatMap((one, index) => [one, clean[index]!]).concat(clean.slice(4));
    expect(audit('monitor', mixed).found).toEqual(['TX001 1 x:5']);
    expect(audit('monitor', [...clean, ...clean]).found).toEqual([]);
  });

  test('a read of long ago is another matter; a WATCH of long ago still watches', () => {
    const late = { say: 'MULTI', atMs: 1_790_000_005_000 };
    const write = { say: 'SET k 1', atMs: 1_790_000_005_001 };
    const exec = { say: 'EXEC', atMs: 1_790_000_005_002 };
    expect(audit('monitor', ['GET k', late, write, exec]).found).toEqual([]);
    const read = { say: 'GET k', atMs: 1_790_000_004_999 };
    expect(audit('monitor', ['WATCH k', read, late, write, exec]).found).toEqual([]);
    expect(audit('monitor', [read, late, write, exec]).found).toEqual(['TX001 1 x:3']);
  });

  test('TX005 where the target is a cluster', () => {
    const lines = ['MULTI', 'SET a 1', 'SET b 1', 'EXEC'];
    expect(audit('monitor', lines).found).toEqual([]);
    expect(audit('monitor', lines, { target: target({ server: { cluster: true } }) }).found).toEqual(['TX005 1 x:2']);
  });

  test('TX004, TX006, PIP002; DISCARD and UNWATCH end it', () => {
    expect(audit('monitor', ['GET k', 'WATCH k', 'MULTI', 'SET k 1', 'EXEC']).found).toContain('TX004 1 x:2');
    // as in a file: what was read belongs to the transaction that was discarded
    expect(audit('monitor', ['GET k', 'MULTI', 'DISCARD', 'MULTI', 'SET k 1', 'EXEC']).found).toEqual([]);
    expect(audit('monitor', ['GET k', 'UNWATCH', 'MULTI', 'SET k 1', 'EXEC']).found).toEqual([]);
    expect(audit('monitor', ['MULTI', 'DISCARD', 'GET k', 'MULTI', 'SET k 1', 'EXEC']).found).toEqual(['TX001 1 x:5']);
    const long = Array.from({ length: 1_200 }, () => 'INCR a');
    expect(audit('monitor', ['MULTI', ...long, 'EXEC']).found).toEqual(['TX006 1 x:2']);
    expect(audit('monitor', ['MULTI', 'BLPOP l 0', 'EXEC']).found).toEqual(['PIP002 1 x:2']);
  });

  describe('TX008', () => {
    const by = (client: string, ...lines: string[]) => lines.map((one) => ({ say: one, client }));
    const lost = (writer: Line) => [...by('a:1', 'WATCH k', 'GET k'), writer, ...by('a:1', 'MULTI', 'EXEC')];
    const won = by('a:1', 'WATCH k', 'GET k', 'MULTI', 'SET k 1', 'EXEC');
    const times = (count: number, lines: readonly Line[]) => Array.from({ length: count }, () => lines).flat();
    const of = (lines: readonly Line[]) => audit('monitor', lines).found.filter((one) => one.startsWith('TX008'));
    const write = { say: 'INCRBY k 5', client: 'b:2' };

    test('five lost transactions, a fifth of all: one finding for the key', () => {
      expect(of(times(5, lost(write)))).toEqual(['TX008 1 x:25']);
      expect(of(times(50, lost(write)))).toHaveLength(1);
      expect(of([...times(20, won), ...times(5, lost(write))])).toHaveLength(1);
      expect(of(times(5, lost({ say: 'SET k 1', client: 'lua' })))).toHaveLength(1);
    });

    test.each([
      ['four', times(4, lost(write))],
      ['a small part', [...times(40, won), ...times(5, lost(write))]],
      ['a read by another', times(9, lost({ say: 'GET k', client: 'b:2' }))],
      ['another key', times(9, lost({ say: 'SET j 1', client: 'b:2' }))],
      ['another database', times(9, lost({ say: 'SET k 1', client: 'b:2', database: 3 }))],
      ['a write of its own', times(9, lost({ say: 'SET k 1', client: 'a:1' }))],
      ['a write before WATCH', times(9, [write, ...won])],
      ['a transaction that ran', times(9, [...by('a:1', 'WATCH k'), write, ...by('a:1', 'MULTI', 'SET k 1', 'EXEC')])],
      ['UNWATCH', times(9, [...by('a:1', 'WATCH k'), write, ...by('a:1', 'UNWATCH', 'MULTI', 'EXEC')])],
      ['DISCARD', times(9, [...by('a:1', 'WATCH k', 'MULTI'), write, ...by('a:1', 'DISCARD', 'MULTI', 'EXEC')])],
    ])('%s: nothing', (_, lines) => {
      expect(of(lines)).toEqual([]);
    });
  });

  test('an append-only file has no clients: nothing is said of its transactions', () => {
    expect(audit('aof', ['MULTI', 'SET k 1', 'EXEC', ...rest]).found).toEqual([]);
  });
});

describe('the slow log', () => {
  test('a cut argument is not judged for what stands in its place', () => {
    const lines: Line[] = [
      { say: '', argv: ['SET', 'lock:1', undefined] },
      { say: '', argv: ['EVAL', undefined, '0'] },
      { say: '', argv: ['MSET', ...Array(30).fill('cache:1'), ...Array(11).fill(undefined)] },
      { say: '', argv: ['EXPIRE', 'k', undefined] },
      { say: '', argv: ['SCAN', '0', 'COUNT', undefined] },
      { say: '', argv: [undefined, 'KEYS'] },
    ];
    expect(audit('slowlog', lines).found).toEqual([]);
  });

  test('is no sequence', () => {
    expect(audit('slowlog', ['GET k', 'MULTI', 'SET k 1', 'EXEC', 'SET cache:1 v', ...rest]).found).toEqual([]);
    expect(audit('slowlog', [{ say: 'KEYS *', line: 12, microseconds: 15_250 }]).found).toEqual([
      'KEY001 1 x, entry 12 (15.3 ms)',
    ]);
  });
});

describe('the place of a finding', () => {
  const of = (options: Partial<AuditOptions>, line: Partial<AuditCommand>) => {
    const fold = createFold();
    const run = createAudit({ source: 'aof', name: 'x', fold, ...options });
    run.take({ argv: ['KEYS', '*'], line: 7, ...line });
    run.end();
    return fold.diagnostics.map(({ at, span, bytes }) => ({ at, ...(span && { span }), ...(bytes && { bytes }) }));
  };

  test.each<[Partial<AuditOptions>, Partial<AuditCommand>, object]>([
    [{}, {}, { at: 'x, command 7' }],
    [{}, { offset: 0 }, { at: 'x, command 7 (byte 0)', bytes: { file: 'x', offset: 0 } }],
    [{ source: 'monitor' }, {}, { at: 'x:7', span: { file: 'x', line: 7, column: 1, length: 0 } }],
    [{ source: 'monitor', live: true }, {}, { at: 'x, command 7' }],
    [{ source: 'slowlog' }, {}, { at: 'x, entry 7' }],
    [{ source: 'slowlog' }, { microseconds: 0 }, { at: 'x, entry 7 (0.0 ms)' }],
    [{ source: 'slowlog' }, { microseconds: 15_250 }, { at: 'x, entry 7 (15.3 ms)' }],
  ])('%j, %j', (options, line, place) => {
    expect(of(options, line)).toStrictEqual([place]);
  });
});

describe('what was not judged', () => {
  test('is said of each source, and of nothing else', () => {
    expect(audit('aof', ['GET k']).notes).toMatch(/^an append-only file holds what changed data, .*points in time$/);
    expect(audit('monitor', ['GET k']).notes).toBe('MONITOR shows no administrative commands and no AUTH');
    expect(audit('slowlog', ['GET k']).notes).toMatch(/^the slow log is no sequence: .*is not known$/);
  });

  test('temporary keys at the very end are counted; a second that passed ends the wait', () => {
    const last = { say: 'GET a', atMs: 1_790_000_001_001 };
    const { notes } = audit('monitor', ['SET cache:1 v', 'SET cache:2 v']);
    expect(notes).toContain('TTL001 did not judge what wrote 2 temporary keys at the very end: what gives');
    expect(audit('monitor', ['GET a', 'SET cache:1 v', last])).toMatchObject({ found: ['TTL001 1 x:2'] });
    const times = [{ say: 'SET cache:1 v', atMs: 1_000 }, { say: 'GET a', atMs: 2_000 }, 'GET a'];
    expect(audit('aof', times).found).toEqual(['TTL001 1 x, command 1']);
    expect(audit('aof', times.slice(0, 1)).found).toEqual([]);
  });

  test('the codes of no audit, and those that need a server, each with its reason', () => {
    const codes = (...given: Parameters<typeof unjudged>) => unjudged(...given).map(({ code }) => code);
    const facts = ['DEL001', 'DEL002', 'DEL004', 'KEY005', 'PIP003', 'TTL002', 'TTL008', 'TX009'];
    const always = [...facts, 'LUA004', 'LUA015', 'LUA016'];
    const server = ['CLU001', 'CLU004', 'TTL009', 'TX005', 'VAL001', 'VER001'];
    expect(codes(target())).toEqual(always);
    expect(codes(undefined)).toEqual([...always, ...server]);
    expect(codes(target(), { DEL001: 'off', TTL002: 'error' })).toEqual(always.slice(1));
    const reasons = Object.fromEntries(unjudged(undefined).map(({ code, reason }) => [code, reason]));
    expect(reasons.DEL001).toMatch(/^needs the live facts of each key/);
    expect(reasons.LUA004).toMatch(/^needs the functions and scripts/);
    expect(reasons.VER001).toBe('needs to know the server: give --url or --target');
  });
});

test('any words in any order: no exception, and every command is counted', () => {
  const word = fc.oneof(
    fc.constantFrom(
      'SET',
      'get',
      'MULTI',
      'EXEC',
      'WATCH',
      'SELECT',
      'EXPIRE',
      'EX',
      'NX',
      'cache:1',
      '0',
      '-1',
      'EVAL',
      'MSET',
      'UNLINK',
    ),
    fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes)),
    fc.constant(undefined),
  );
  fc.assert(
    fc.property(
      fc.constantFrom<AuditSource>('aof', 'monitor', 'slowlog'),
      fc.array(fc.array(word, { maxLength: 5 })),
      (source, list) => {
        const lines = list.map((argv) => ({ say: '', argv }));
        expect(audit(source, lines).commands).toBe(list.length);
      },
    ),
  );
});
