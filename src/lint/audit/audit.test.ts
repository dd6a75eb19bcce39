/** What an audit says of a stream, and what it leaves alone because the source cannot know it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { validElsewhere, validOn7, wordsOf } from '../../../test/redis/command-corpus.ts';
import { target } from '../../../test/support/lint.ts';
import { allCommands } from '../../catalog/lookup.ts';
import type { LintCommand } from '../rule.ts';
import { scriptOfCommand } from '../subject.ts';
import { type AuditOptions, commandRules, createAudit } from './audit.ts';
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
  ])('%j', (lines, found) => {
    expect(audit('aof', [...lines, ...rest]).found.filter((one) => one.startsWith('TTL001'))).toEqual(found);
  });

  test('what is written at the very end is not judged, and said', () => {
    const { found, notes } = audit('aof', [...rest, 'SET cache:1 v', 'GET a']);
    expect(found).toEqual([]);
    expect(notes).toContain('TTL001 did not judge what wrote one temporary key at the very end');
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

describe('TTL006', () => {
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
