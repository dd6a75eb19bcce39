/** Which commands of a client make up the block that is judged at EXEC: where each one is placed, and as what. */
import { describe, expect, test } from 'vitest';
import { wordsOf } from '../../../test/redis/command-corpus.ts';
import type { AuditCommand } from './command.ts';
import { createFold } from './fold.ts';
import { createRoles, role } from './roles.ts';
import { createTransactions } from './transactions.ts';

type Line = string | ({ readonly say: string } & Partial<AuditCommand>);

/** Follows the lines, all by one client at the time 5,000 unless they say otherwise. */
function follow() {
  const fold = createFold();
  const roles = createRoles(undefined);
  const placed: string[] = [];
  const transactions = createTransactions(fold, (command, argv, within) => {
    placed.push(within === 'transaction' ? `(${command.line})` : `${command.line}`);
    return { argv, at: `${command.line}`, within, block: '' };
  });
  let line = 0;
  const send = (one: Line): void => {
    line += 1;
    const { say, argv = wordsOf(say), ...rest }: Exclude<Line, string> = typeof one === 'string' ? { say: one } : one;
    const command: AuditCommand = { argv, line, client: 'a:1', atMs: 5_000, database: 0, ...rest };
    transactions.see(command, (roles(command.argv[0]) & role.state) !== 0);
  };
  return {
    send,
    sendAll: (lines: readonly Line[]) => {
      for (const one of lines) send(one);
    },
    /** The numbers of the commands of the blocks, those of a transaction in brackets. */
    placed,
    codes: () => fold.diagnostics.map(({ code, at, count = 1 }) => `${code} ${count} ${at}`),
  };
}

function blocks(...lines: readonly Line[]): string {
  const { sendAll, placed } = follow();
  sendAll(lines);
  return placed.join(' ');
}

/** So many times the line. */
const times = (count: number, line: Line): Line[] => Array.from({ length: count }, () => line);
/** The numbers from the first to the last. */
const numbers = (first: number, last: number): string =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index).join(' ');

describe('a block', () => {
  const other = (say: string) => ({ say, client: 'b:2' });

  test.each<[string, Line[], string]>([
    ['what was queued', ['MULTI', 'SET k 1', 'INCR j', 'EXEC'], '1 (2) (3) 4'],
    ['nothing', ['MULTI', 'EXEC'], '1 2'],
    ['what came before', ['GET k', 'MULTI', 'SET k 1', 'EXEC'], '1 2 (3) 4'],
    ['nothing of another client', [other('GET k'), 'MULTI', other('SET k 2'), 'SET k 1', 'EXEC'], '2 (4) 5'],
    ['nothing of the block before', ['GET k', 'MULTI', 'EXEC', 'MULTI', 'SET k 1', 'EXEC'], '1 2 3 4 (5) 6'],
    ['WATCH once', ['WATCH k', 'GET k', 'MULTI', 'SET k 1', 'EXEC'], '1 2 3 (4) 5'],
    ['from the last MULTI on', ['MULTI', 'SET k 1', 'MULTI', 'INCR k', 'EXEC'], '3 (4) 5'],
    ['SELECT, which is a command like any other', ['SELECT 1', 'MULTI', 'SELECT 2', 'EXEC'], '1 2 (3) 4'],
    ['small letters', ['get k', 'multi', 'set k 1', 'exec'], '1 2 (3) 4'],
  ])('has %s', (_, lines, placed) => {
    expect(blocks(...lines)).toBe(placed);
  });

  test.each(['DISCARD', 'RESET', 'UNWATCH', 'EXEC'])('begins anew behind %s', (end) => {
    expect(blocks('WATCH k', 'GET k', end, 'MULTI', 'SET k 1', 'EXEC')).toBe('4 (5) 6');
  });

  test.each(['DISCARD', 'RESET'])('begins anew behind %s in a transaction: what follows is not queued', (end) => {
    expect(blocks('GET k', 'MULTI', end, 'WATCH k', 'GET k', 'MULTI', 'SET k 1', 'EXEC')).toBe('4 5 6 (7) 8');
  });

  test('UNWATCH in a transaction ends nothing', () => {
    expect(blocks('WATCH k', 'MULTI', 'UNWATCH', 'SET k 1', 'EXEC')).toBe('1 2 (4) 5');
  });

  test('a script has no transactions', () => {
    const lua = ['MULTI', 'SET k 1', 'EXEC'].map((say) => ({ say, client: 'lua' }));
    expect(blocks(...lua)).toBe('');
  });

  test('who has no name is one client', () => {
    const { sendAll, placed } = follow();
    const { client: _, ...bare } = { client: '', atMs: 5_000 };
    sendAll(['MULTI', 'SET k 1', 'EXEC'].map((say) => ({ say, ...bare })));
    expect(placed.join(' ')).toBe('1 (2) 3');
  });

  test('a first word of bytes is no word of a transaction', () => {
    const { send, placed } = follow();
    send({ say: '', argv: [Buffer.from('MULTI')] });
    send('EXEC');
    expect(placed).toEqual([]);
  });
});

describe('how much of a client is remembered', () => {
  test('its last 32 commands, in their order', () => {
    expect(blocks(...times(31, 'GET k'), 'MULTI', 'EXEC')).toBe(numbers(1, 33));
    expect(blocks(...times(32, 'GET k'), 'MULTI', 'EXEC')).toBe(numbers(1, 34));
    expect(blocks(...times(33, 'GET k'), 'MULTI', 'EXEC')).toBe(numbers(2, 35));
    expect(blocks(...times(70, 'GET k'), 'MULTI', 'EXEC')).toBe(numbers(39, 72));
  });

  test('a second before MULTI, and nothing older', () => {
    const of = (atMs: number) => blocks({ say: 'GET k', atMs }, 'MULTI', 'SET k 1', { say: 'EXEC', atMs: 9_000 });
    expect(of(4_000)).toBe('1 2 (3) 4');
    expect(of(3_999)).toBe('2 (3) 4');
  });

  test('WATCH however old, in front', () => {
    const old = { say: 'WATCH k', atMs: 1 };
    expect(blocks(old, 'GET k', 'MULTI', 'SET k 1', 'EXEC')).toBe('1 2 3 (4) 5');
    expect(blocks('WATCH k', ...times(40, 'GET k'), 'MULTI', 'EXEC')).toBe(`1 ${numbers(10, 43)}`);
  });

  test('100 WATCH commands', () => {
    const after = times(32, 'GET k');
    expect(blocks(...times(100, 'WATCH k'), ...after, 'MULTI', 'EXEC')).toBe(numbers(1, 134));
    expect(blocks(...times(101, 'WATCH k'), ...after, 'MULTI', 'EXEC')).toBe(`${numbers(1, 100)} ${numbers(102, 135)}`);
  });

  test('10,000 commands of a transaction', () => {
    const { sendAll, placed } = follow();
    sendAll(['MULTI', ...times(10_001, { say: '', argv: ['PING'] }), 'EXEC']);
    expect(placed).toHaveLength(10_002);
    expect(placed.slice(-2)).toEqual(['(10001)', '10003']);
  });
});

describe('TX008 by what a client does', () => {
  /** Five lost transactions, behind so many times what stands before them. */
  const lostBehind = (count: number, ...lines: readonly string[]) => {
    const { sendAll, codes } = follow();
    for (let time = 0; time < count; time += 1) sendAll(lines);
    for (let time = 0; time < 5; time += 1)
      sendAll(['WATCH k', { say: 'SET k 1', client: 'b:2' }, 'MULTI', { say: 'EXEC' }]);
    return codes();
  };

  test.each<[string, string[]]>([
    ['a transaction', ['WATCH k', 'MULTI', 'PING', 'EXEC']],
    // it is queued, like everything else
    ['UNWATCH in a transaction', ['WATCH k', 'MULTI', 'UNWATCH', 'EXEC']],
  ])('%s that ran is one that was tried', (_, lines) => {
    expect(lostBehind(20, ...lines)).toEqual(['TX008 1 100']);
    expect(lostBehind(21, ...lines)).toEqual([]);
  });

  test.each([
    ['UNWATCH', ['WATCH k', 'UNWATCH', 'MULTI', 'PING', 'EXEC']],
    ['DISCARD', ['WATCH k', 'MULTI', 'DISCARD']],
    ['RESET', ['WATCH k', 'RESET', 'MULTI', 'PING', 'EXEC']],
  ])('what ended with %s was not tried', (_, lines) => {
    expect(lostBehind(21, ...lines)).toEqual([`TX008 1 ${21 * lines.length + 20}`]);
  });
});

describe('every 16,384 commands', () => {
  const quiet = { say: '', argv: ['PING'], client: 'b:2', atMs: 7_000 };
  const end: Line[] = ['GET k', 'MULTI', 'SET k 1', 'EXEC'].map((say) => ({ say, atMs: 7_500 }));

  /** The commands of the block of `end`, counted from the first of them, and how many came from before. */
  const behind = (first: readonly Line[], count: number, more: readonly Line[] = []): readonly number[] => {
    const { sendAll, placed } = follow();
    sendAll([...first, ...times(count - first.length, quiet), ...more]);
    const before = count + more.length;
    sendAll(end);
    return placed.map((one) => Number(one.replace(/[()]/g, '')) - before);
  };

  test('who waits for nothing and was silent for a second is forgotten', () => {
    // without a time in what follows, every command of the client counts as recent
    const unknown: Line[] = ['GET k', 'MULTI', 'EXEC'].map((say) => ({ say, atMs: 0 }));
    const of = (count: number, atMs: number) => {
      const { sendAll, placed } = follow();
      sendAll([{ say: 'GET k', atMs }, ...times(count - 1, quiet), ...unknown]);
      return placed.map((one) => Number(one) - count);
    };
    expect(of(16_383, 5_000)).toEqual([1 - 16_383, 1, 2, 3]);
    expect(of(16_384, 5_000)).toEqual([1, 2, 3]);
    expect(of(16_384, 6_000)).toEqual([1, 2, 3]);
    expect(of(16_384, 6_001)).toEqual([1 - 16_384, 1, 2, 3]);
  });

  test('who watches, or is in a transaction, is not', () => {
    expect(behind(['WATCH k'], 16_384)).toEqual([1 - 16_384, 1, 2, 3, 4]);
    const { sendAll, placed } = follow();
    sendAll(['MULTI', 'SET k 1', ...times(16_382, quiet), { say: 'EXEC', atMs: 7_500 }]);
    expect(placed).toEqual(['1', '(2)', '16385']);
  });

  test('unless there are more than 10,000 clients', () => {
    const others = (count: number) => Array.from({ length: count }, (_, index) => ({ ...quiet, client: `c:${index}` }));
    // with the one that watches, and the quiet one
    expect(behind(['WATCH k', ...others(9_998)], 16_384)).toEqual([1 - 16_384, 1, 2, 3, 4]);
    expect(behind(['WATCH k', ...others(9_999)], 16_384)).toEqual([1, 2, 3, 4]);
    expect(behind([{ say: 'WATCH k', atMs: 6_500 }, ...others(9_999)], 16_384)).toEqual([1 - 16_384, 1, 2, 3, 4]);
  });

  test('what a forgotten client watched is not watched any more', () => {
    const others = Array.from({ length: 10_001 }, (_, index) => ({ ...quiet, client: `c:${index}` }));
    const { sendAll, codes } = follow();
    const round: Line[] = ['WATCH k', ...others, ...times(16_384 - 10_002, quiet)];
    sendAll(round);
    for (let time = 0; time < 5; time += 1) sendAll([{ ...quiet, argv: ['SET', 'k', '1'] }, 'MULTI', 'EXEC']);
    expect(codes()).toEqual([]);
  });
});
