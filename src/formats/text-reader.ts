/**
 * Files of redis-cli text, read as they come. The language is that of text.ts and so is the judge: lines without
 * escapes, which are nearly all lines of large files, are split here, and every other line is given to that parser whole.
 */
import { invariant } from '../base/assert.ts';
import { toBuffer } from '../base/bytes.ts';
import {
  type CommandReader,
  createBlocks,
  MAX_RECORD,
  type ReadCommand,
  ReadProblem,
  startsWithMark,
  type View,
  viewOf,
  wordAt,
} from './reader.ts';
import type { WireArgument } from './resp.ts';
import { parseCommands, type TextArgument } from './text.ts';

/** A reader of redis-cli text; agrees with parseCommands (without expressions) up to the first problem. */
export function textReader(): CommandReader {
  const state: State = { line: 1, started: false, run: 1, name: '', words: [] };
  const blocks = createBlocks(logicalLines());
  return {
    push: (chunk) => {
      const commands: ReadCommand[] = [];
      const block = blocks.take(chunk);
      if (block) readBlock(state, block, commands);
      if (blocks.held > MAX_RECORD) throw tooLong(state, commands);
      return commands;
    },
    end: () => {
      const commands: ReadCommand[] = [];
      const rest = blocks.rest();
      for (let at = skipMark(state, rest); at < rest.length; ) at = readByParser(state, rest, at, commands);
      return commands;
    },
  };
}

interface State {
  /** The line that the next block starts with. */
  line: number;
  started: boolean;
  /** How many lines the parser is given at once: more as long as every line needs it. */
  run: number;
  /** The name of the last command: most files repeat it, and one string is looked up faster than a million equal ones. */
  name: string;
  /** The words of the line that is being read; an argv is made of it at its exact size. */
  readonly words: WireArgument[];
}

const newline = 0x0a;
const carriageReturn = 0x0d;
const backslash = 0x5c;
const hash = 0x23;

/** A newline behind a backslash may be a continuation; behind any other byte it ends a command for certain. */
function logicalLines(): (chunk: Buffer) => number {
  let last = 0;
  let beforeLast = 0;
  return (chunk) => {
    const byteAt = (at: number): number => (at >= 0 ? chunk[at]! : at === -1 ? last : beforeLast);
    let end = chunk.lastIndexOf(newline);
    while (end >= 0) {
      const before = byteAt(end - 1);
      if (before !== backslash && (before !== carriageReturn || byteAt(end - 2) !== backslash)) break;
      end = end === 0 ? -1 : chunk.lastIndexOf(newline, end - 1);
    }
    const [one, two] = [byteAt(chunk.length - 1), byteAt(chunk.length - 2)];
    last = one;
    beforeLast = two;
    return end + 1;
  };
}

/** What a byte is to the fast path. Vertical tab, form feed, NUL and backslash are left to the parser. */
const WORD = 0;
const BLANK = 1;
const QUOTE = 2;
const OTHER = 3;
const kinds = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0x20 || byte === 0x09 || byte === carriageReturn) return BLANK;
  if (byte === 0x22 || byte === 0x27) return QUOTE;
  return byte === newline || byte === backslash || byte === 0 || byte === 0x0b || byte === 0x0c ? OTHER : WORD;
});

/** Reads a block of whole lines. */
function readBlock(state: State, block: Buffer, commands: ReadCommand[]): void {
  const view = viewOf(block);
  for (let at = skipMark(state, block); at < block.length; ) at = readLine(state, view, at, commands);
}

/** Reads one line; gives the offset behind it. */
function readLine(state: State, view: View, start: number, commands: ReadCommand[]): number {
  const { text } = view;
  const { words } = state;
  let count = 0;
  for (let at = start; ; ) {
    let code = text.charCodeAt(at);
    while (kinds[code] === BLANK) {
      at += 1;
      code = text.charCodeAt(at);
    }
    if (code === newline || (code === hash && count === 0)) {
      if (count > 0) commands.push({ argv: firstOf(words, count), line: state.line });
      state.line += 1;
      state.run = 1;
      return code === newline ? at + 1 : text.indexOf('\n', at) + 1;
    }
    const quoted = kinds[code] === QUOTE ? 1 : 0;
    const end = quoted ? closingQuote(text, at) : endOfWord(text, at);
    if (end < 0) return readByParser(state, view.bytes, start, commands);
    words[count] = count === 0 ? nameAt(state, view, at + quoted, end) : wordAt(view, at + quoted, end);
    count += 1;
    at = end + quoted;
  }
}

/** A list of exactly so many words: one that grew by push takes 17 places, and there are as many lists as commands. */
function firstOf(words: readonly WireArgument[], count: number): readonly WireArgument[] {
  if (count === 3) return [words[0]!, words[1]!, words[2]!];
  return count === 2 ? [words[0]!, words[1]!] : words.slice(0, count);
}

/** The first word of a line. */
function nameAt(state: State, view: View, from: number, to: number): WireArgument {
  const { name } = state;
  if (name.length === to - from && view.text.startsWith(name, from)) return name;
  const word = wordAt(view, from, to);
  // as many characters as bytes: ASCII, so that the same bytes are the same word
  if (typeof word === 'string' && word.length === to - from) state.name = word;
  return word;
}

/** The offset of what ends a word without quotes; -1 when there is anything in it that only the parser knows. */
function endOfWord(text: string, start: number): number {
  let at = start;
  let code = text.charCodeAt(at);
  while (kinds[code] === WORD) {
    at += 1;
    code = text.charCodeAt(at);
  }
  return code === newline || kinds[code] === BLANK ? at : -1;
}

/** The offset of the quote that ends a quoted word; -1 when there is anything in it that only the parser knows. */
function closingQuote(text: string, open: number): number {
  const quote = text.charCodeAt(open);
  for (let at = open + 1; ; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      const next = text.charCodeAt(at + 1);
      return next === newline || kinds[next] === BLANK ? at : -1;
    }
    if (code === backslash || code === newline || code === 0) return -1;
  }
}

/** Reads a line by the parser, and where the one before needed it, too, some more; gives the offset behind them. */
function readByParser(state: State, block: Buffer, start: number, commands: ReadCommand[]): number {
  const { end, lines } = logicalEnd(block, start, state.run);
  const part = block.subarray(start, end);
  // the parser takes a byte order mark from the start of a text; here it is the start of some line
  const marked = startsWithMark(part);
  const first = state.line - (marked ? 2 : 1);
  const parsed = parseCommands(marked ? Buffer.concat([Buffer.of(newline), part]) : part);
  const [problem] = parsed.problems;
  for (const { argv, span } of parsed.commands) {
    if (problem && span.line > problem.span.line) break;
    commands.push({ argv: argv.map(wireOf), line: first + span.line });
  }
  if (problem) {
    const place = { line: first + problem.span.line, column: problem.span.column };
    throw new ReadProblem(problem.message, problem.fix, place, commands);
  }
  state.line += lines;
  state.run = Math.min(64, state.run * 2);
  return end;
}

/** The offset behind some logical lines, and how many line ends there are up to it. */
function logicalEnd(block: Buffer, start: number, count: number): { readonly end: number; readonly lines: number } {
  let end = start;
  let lines = 0;
  for (let left = count; left > 0; ) {
    const at = block.indexOf(newline, end);
    if (at === -1) return { end: block.length, lines };
    end = at + 1;
    lines += 1;
    if (!isContinued(block, at)) left -= 1;
  }
  return { end, lines };
}

function isContinued(block: Buffer, end: number): boolean {
  const before = block[end - 1];
  return before === backslash || (before === carriageReturn && block[end - 2] === backslash);
}

function wireOf(argument: TextArgument): WireArgument {
  if (typeof argument === 'string') return argument;
  invariant('base64' in argument, 'expressions are off');
  return toBuffer(argument);
}

function skipMark(state: State, block: Buffer): number {
  const skip = !state.started && startsWithMark(block) ? 3 : 0;
  state.started = true;
  return skip;
}

function tooLong(state: State, commands: readonly ReadCommand[]): ReadProblem {
  return new ReadProblem(
    `the line is longer than ${MAX_RECORD / 1024 / 1024} MB`,
    'check that the file holds commands as text, one a line; values of that size go in the protocol form (resp)',
    { line: state.line, column: 1 },
    commands,
  );
}
