/** The slow log as redis-cli prints it, and what its cuts hide. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSlowlog, slowCommand } from './slowlog-reader.ts';

const of = (text: string) => readSlowlog(Buffer.from(text));
const tree = [
  '1) 1) (integer) 3',
  '   2) (integer) 1795440974',
  '   3) (integer) 2000',
  '   4) 1) "KEYS"',
  '      2) "a\\"b\\xff"',
  '   5) "127.0.0.1:40766"',
  '   6) ""',
  '2) 1) (integer) 2',
  '   2) (integer) 1795440973',
  '   3) (integer) 22',
  '   4)  1) "MSET"',
  ...Array.from({ length: 30 }, (_, index) => `      ${String(index + 2).padStart(2)}) "${index}"`),
  '      32) "... (10 more arguments)"',
  '   5) "127.0.0.1:40750"',
  '   6) "worker"',
  '',
].join('\n');

describe('redis-cli on a terminal', () => {
  test('nested arrays, aligned numbers, escapes', () => {
    const log = of(tree);
    if ('problem' in log) throw new Error(log.problem);
    expect(log.map(({ id, atMs, microseconds, client }) => [id, atMs, microseconds, client])).toEqual([
      [3, 1795440974000, 2000, '127.0.0.1:40766'],
      [2, 1795440973000, 22, '127.0.0.1:40750'],
    ]);
    expect(log[0]?.argv).toEqual(['KEYS', { base64: 'YSJi/w==' }]);
    expect(log[1]?.argv).toHaveLength(41);
    expect(log[1]?.argv.slice(29)).toEqual(['28', '29', ...Array(10).fill(undefined)]);
  });

  test('ten entries and more', () => {
    const entries = Array.from({ length: 12 }, (_, index) => index + 1).map((number) => {
      const mark = `${String(number).padStart(2)}) `;
      return `${mark}1) (integer) ${number}\n    2) (integer) 1795440974\n    3) (integer) 1\n    4) 1) "PING"\n`;
    });
    const log = of(entries.join(''));
    expect(Array.isArray(log) && log.map(({ id, argv }) => [id, argv])).toEqual(
      entries.map((_, index) => [index + 1, ['PING']]),
    );
  });

  test('an empty log, and what is none', () => {
    expect(of('(empty array)\n')).toEqual([]);
    expect(of('(empty list or set)\n')).toEqual([]);
    expect(of('')).toEqual([]);
    expect(of('14\n1795440974\n15\nping\n')).toEqual({
      problem: 'redis-cli printed it without its structure',
      line: 1,
    });
    expect(of('SET a 1\n')).toMatchObject({ line: 1 });
    expect(of('1) 1) (integer) 3\n   2) "x"\n')).toEqual({
      problem: 'entry 1 has no id, time, duration and arguments',
      line: 1,
    });
  });
});

test('redis-cli --json', () => {
  expect(of('[[5,1795440974,9,["GET","é"],"127.0.0.1:40784",""]]')).toEqual([
    { argv: ['GET', 'é'], id: 5, atMs: 1795440974000, microseconds: 9, client: '127.0.0.1:40784' },
  ]);
  expect(of('[]')).toEqual([]);
  expect(of('[1]')).toHaveProperty('problem');
  expect(of('[[')).toHaveProperty('problem');
});

describe('what the server left out is not known', () => {
  const entry = (...words: string[]) => slowCommand([1, 2, 3, words])?.argv;

  test('a value of more than 128 bytes', () => {
    expect(entry('SET', 'k', `${'v'.repeat(128)}... (172 more bytes)`)).toEqual(['SET', 'k', undefined]);
  });

  test('a short value that only reads so is itself', () => {
    expect(entry('SET', 'k', 'v... (172 more bytes)')).toEqual(['SET', 'k', 'v... (172 more bytes)']);
    expect(entry('DEL', '... (10 more arguments)')).toEqual(['DEL', '... (10 more arguments)']);
  });
});

test('cut at every byte and for any bytes: entries or a problem, never an exception', () => {
  for (let cut = 0; cut <= tree.length; cut += 1) {
    const log = of(tree.slice(0, cut));
    expect(Array.isArray(log) || 'problem' in log).toBe(true);
  }
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void readSlowlog(bytes)));
  const piece = fc.constantFrom('1) ', ' 10) ', '(integer) 1', '"a"', '\n', '   ', '"', '(nil)', '(empty array)');
  fc.assert(fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => void of(pieces.join(''))));
});
