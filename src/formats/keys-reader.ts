/**
 * A file of keys, one a line, read as it comes in flat memory. A line without blanks and quotes is the key as it stands,
 * whatever its bytes; any other is one word as redis-cli quotes it ("a\x00b"). Nothing is a comment: # may begin a key.
 */
import { type Bytes, fromBuffer } from '../base/bytes.ts';
import { createBlocks, MAX_RECORD, ReadProblem, startsWithMark } from './reader.ts';
import { parseCommands } from './text.ts';

/** A key of a file and its line, from 1. */
export interface ListedKey {
  readonly key: Bytes;
  readonly line: number;
}

/** Bytes in, keys out, in order; the same keys wherever the bytes are cut. Both throw ReadProblem, and then it is over. */
export interface KeysReader {
  /** The keys of the lines that this chunk completes. */
  push(chunk: Buffer): readonly ListedKey[];
  /** The file is at its end: the key of a last line without a line end. */
  end(): readonly ListedKey[];
}

/** A reader at the start of a file. Lines with nothing on them are passed over. */
export function keysReader(): KeysReader {
  const blocks = createBlocks((chunk) => chunk.lastIndexOf(newline) + 1);
  let line = 0;
  const read = (block: Buffer): readonly ListedKey[] => {
    const keys: ListedKey[] = [];
    for (let at = line === 0 && startsWithMark(block) ? 3 : 0; at < block.length; ) {
      const end = block.indexOf(newline, at);
      line += 1;
      const key = keyOf(block.subarray(at, end < 0 ? block.length : end), line);
      if (key !== undefined) keys.push({ key, line });
      at = end < 0 ? block.length : end + 1;
    }
    return keys;
  };
  return {
    push: (chunk) => {
      const block = blocks.take(chunk);
      const keys = block ? read(block) : [];
      if (blocks.held > MAX_RECORD) throw tooLong(line + 1);
      return keys;
    },
    end: () => read(blocks.rest()),
  };
}

const newline = 0x0a;
const carriageReturn = 0x0d;

/** The key of a line; undefined where there is nothing on it. */
function keyOf(line: Buffer, number: number): Bytes | undefined {
  let from = 0;
  let to = line.length;
  while (to > from && isBlank(line[to - 1]!)) to -= 1;
  while (from < to && isBlank(line[from]!)) from += 1;
  if (from === to) return undefined;
  for (let at = from; at < to; at += 1) {
    if (needsParser[line[at]!] === 1) return quotedKey(line.subarray(from, to), number, from);
  }
  return fromBuffer(line.subarray(from, to));
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === carriageReturn;
}

/** Blanks, quotes, and what no key that was written as text has: NUL, vertical tab, form feed. */
const needsParser = Uint8Array.from({ length: 256 }, (_, byte) =>
  [0x00, 0x09, 0x0b, 0x0c, carriageReturn, 0x20, 0x22, 0x27].includes(byte) ? 1 : 0,
);

/** The parser reads commands: before the key stands a word of its own, so that no # is a comment. */
const before = Buffer.from('K ');

function quotedKey(line: Buffer, number: number, indent: number): Bytes {
  const { commands, problems } = parseCommands(Buffer.concat([before, line]));
  const [problem] = problems;
  if (problem) {
    const column = Math.max(1, problem.span.column - before.length + indent);
    throw new ReadProblem(problem.message, howToQuote, { line: number, column });
  }
  const words = commands[0]?.argv ?? [];
  const [, key] = words;
  if (words.length === 2 && key !== undefined && (typeof key === 'string' || 'base64' in key)) return key;
  const message = `${words.length - 1} words stand on the line, where one key is expected`;
  throw new ReadProblem(message, howToQuote, { line: number, column: indent + 1 });
}

const howToQuote =
  'write one key a line; quote a key with blanks, quotes or binary bytes as redis-cli does: "a b", "a\\x00b"';

function tooLong(line: number): ReadProblem {
  return new ReadProblem(
    `the line is longer than ${MAX_RECORD / 1024 / 1024} MB`,
    'check that the file holds one key a line',
    { line, column: 1 },
  );
}
