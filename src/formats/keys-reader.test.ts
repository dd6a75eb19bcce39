/** One key a line: plain bytes as they are, awkward ones quoted, anything else named with its line. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bytes, bytesId, fromBuffer, quoted } from '../base/bytes.ts';
import { keysReader, type ListedKey } from './keys-reader.ts';
import { ReadProblem } from './reader.ts';

function read(text: string | Buffer, cut = 1 << 20): ListedKey[] {
  const bytes = Buffer.from(text);
  const reader = keysReader();
  const keys: ListedKey[] = [];
  for (let at = 0; at < bytes.length; at += cut) keys.push(...reader.push(bytes.subarray(at, at + cut)));
  return [...keys, ...reader.end()];
}

const keysOf = (text: string | Buffer): Bytes[] => read(text).map(({ key }) => key);

function problemOf(text: string | Buffer): ReadProblem {
  try {
    read(text);
  } catch (error) {
    if (error instanceof ReadProblem) return error;
  }
  throw new Error('it was read');
}

describe('keysReader', () => {
  it.each([
    ['a\nb\n', ['a', 'b']],
    ['a\r\n\n  b \n\tc', ['a', 'b', 'c']],
    ['\ufeffa\n', ['a']],
    ['#no comment\n'.replace(' ', '-'), ['#no-comment']],
    ['a\\b\nc\\\nd', ['a\\b', 'c\\', 'd']],
    ['"a b"\n\'c d\'\n"#"', ['a b', 'c d', '#']],
    ['"a\\x00b"', ['a\u0000b']],
    ['"\\xff"', [{ base64: '/w==' }]],
    ['{{ key }}'.replaceAll(' ', ''), ['{{key}}']],
    ['""', ['']],
    ['', []],
  ] as const)('%j holds %j', (text, keys) => {
    expect(keysOf(text)).toEqual(keys);
  });

  it('takes bytes that are not UTF-8 as they are', () => {
    expect(keysOf(Buffer.from([0x61, 0xff, 0x0a, 0xc3, 0xa4]))).toEqual([{ base64: 'Yf8=' }, 'ä']);
  });

  it.each([
    ['a\nb c\n', 2, 1, '2 words'],
    ["a\n\n  user:o'brien\n", 3, undefined, 'quote'],
    ['"a\n', 1, undefined, 'quote'],
    [Buffer.from([0x61, 0x00, 0x62]), 1, undefined, ''],
  ])('%j: names the line', (text, line, column, words) => {
    const problem = problemOf(text);
    expect(problem.line).toBe(line);
    if (column !== undefined) expect(problem.column).toBe(column);
    expect(problem.message).toContain(words);
    expect(problem.fix).toContain('"a\\x00b"');
  });

  it('reads any keys back as they were quoted, with their lines, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 12 })), fc.integer({ min: 1, max: 9 }), (all, cut) => {
        const keys = all.map((one) => fromBuffer(one));
        const text = keys.map((key) => `${quoted(key)}\n`).join('');
        const found = read(text, cut);
        expect(found.map(({ key }) => bytesId(key))).toEqual(keys.map((key) => bytesId(key)));
        expect(found.map(({ line }) => line)).toEqual(keys.map((_, index) => index + 1));
      }),
    );
  });
});
