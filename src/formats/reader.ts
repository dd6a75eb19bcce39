/**
 * What every reader of command files has in common. A reader takes the bytes of a file chunk by chunk and gives the
 * commands that each chunk completes, so that a file of any length is read in flat memory. What cannot be read ends it:
 * a file is not guessed at, and everything before the bad place has been handed over.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import type { WireArgument } from './resp.ts';

/** A command of a file. `line`: 1-based, of its first byte; in the protocol's form, which has no lines, its number. */
export interface ReadCommand {
  readonly argv: readonly WireArgument[];
  readonly line: number;
  /** In the protocol's form: the bytes of the file before it. */
  readonly offset?: number;
  /** Unix milliseconds, to the second: where the annotations of an append-only file (`#TS:`) say so. */
  readonly atMs?: number;
}

/**
 * Bytes in, commands out, in order; the same commands wherever the bytes are cut. Both functions throw ReadProblem, after
 * which the reader is of no more use. Chunks of at most some megabytes, which the caller does not reuse: words may be
 * views of them. A word is a string where its bytes are UTF-8 (the protocol's form: short ASCII), else a Buffer.
 */
export interface CommandReader {
  /** The commands that this chunk completes. */
  push(chunk: Buffer): readonly ReadCommand[];
  /** The file is at its end: the command that only the end completes, if there is one. */
  end(): readonly ReadCommand[];
}

/** Where and why a file cannot be read on, and what to do about it. */
export class ReadProblem extends Error {
  /** As in ReadCommand. */
  readonly line: number;
  /** 1-based, in characters of the line; in the protocol's form: the byte of the file. */
  readonly column: number;
  /** What the user can do about it. */
  readonly fix: string;
  /** Commands that were completed by the same chunk, before the problem. */
  readonly before: readonly ReadCommand[];

  constructor(
    message: string,
    fix: string,
    place: { readonly line: number; readonly column: number },
    before: readonly ReadCommand[] = [],
  ) {
    super(message);
    this.name = 'ReadProblem';
    this.fix = fix;
    this.line = place.line;
    this.column = place.column;
    this.before = before;
  }
}

/** The commands that `read` adds to the list it is given; a problem that it throws carries them, too. */
export function collect(read: (commands: ReadCommand[]) => void): readonly ReadCommand[] {
  const commands: ReadCommand[] = [];
  try {
    read(commands);
  } catch (error) {
    if (!(error instanceof ReadProblem)) throw error;
    throw new ReadProblem(error.message, error.fix, error, commands);
  }
  return commands;
}

/** The longest line (with its continuations) or row, in bytes: a file without line ends must not fill the memory. */
export const MAX_RECORD = 64 * 1024 * 1024;

/** Bytes as a word: a string when they are UTF-8, else a Buffer, which is a view of `bytes`. */
export function wordOf(bytes: Buffer): WireArgument {
  if (isAscii(bytes)) return bytes.toString('latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes;
}

/** Bytes, also as a string of one character a byte: looking at it is as fast, and taking words out of it much faster. */
export interface View {
  readonly bytes: Buffer;
  readonly text: string;
  readonly ascii: boolean;
}

/** The view of a block or chunk. */
export function viewOf(bytes: Buffer): View {
  return { bytes, text: bytes.toString('latin1'), ascii: isAscii(bytes) };
}

/** A word of a view, from an offset up to another: as wordOf has it. */
export function wordAt(view: View, from: number, to: number): WireArgument {
  return isAsciiAt(view, from, to) ? view.text.substring(from, to) : wordOf(view.bytes.subarray(from, to));
}

/** True when a part of a view is ASCII. */
export function isAsciiAt({ text, ascii }: View, from: number, to: number): boolean {
  if (ascii) return true;
  let bits = 0;
  for (let at = from; at < to; at += 1) bits |= text.charCodeAt(at);
  return bits < 0x80;
}

/** Chunks made into blocks of whole records, so that no reader has to stop inside of one. */
export interface Blocks {
  /** The records that are whole with this chunk, as one block; undefined when there is none. */
  take(chunk: Buffer): Buffer | undefined;
  /** What is left when the file is at its end, or too long to wait for more: the start of a record. Empties the blocks. */
  rest(): Buffer;
  /** How many bytes wait for their record's end. */
  readonly held: number;
}

/** Blocks by a function that is given each chunk once and says how many of its bytes belong to records that end in it. */
export function createBlocks(wholeBytes: (chunk: Buffer) => number): Blocks {
  let parts: Buffer[] = [];
  let held = 0;
  const join = (last: Buffer): Buffer => {
    const block = parts.length === 0 ? last : Buffer.concat([...parts, last]);
    parts = [];
    held = 0;
    return block;
  };
  const hold = (part: Buffer): void => {
    if (part.length > 0) parts.push(part);
    held += part.length;
  };
  return {
    take: (chunk) => {
      const end = wholeBytes(chunk);
      const block = end > 0 ? join(chunk.subarray(0, end)) : undefined;
      hold(end > 0 ? chunk.subarray(end) : chunk);
      return block;
    },
    rest: () => join(Buffer.alloc(0)),
    get held() {
      return held;
    },
  };
}

/** True when a block starts with UTF-8's byte order mark. */
export function startsWithMark(block: Buffer): boolean {
  return block[0] === 0xef && block[1] === 0xbb && block[2] === 0xbf;
}
