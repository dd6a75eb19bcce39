/**
 * Command text as redis-cli reads it, byte for byte (sdssplitargs in Redis' sds.c): what people paste, what files hold.
 * (valkey-cli 9 is laxer: it takes `"a"b` as one word. Here that is a problem, as in redis-cli.)
 * In addition `#` as a line's first non-blank starts a comment, `\` directly before a newline outside quotes continues
 * the line (the two are removed, as in a shell), and `{{ expr }}` as a whole word is an expression where the caller
 * allows it. Where redis-cli would stop in silence (a raw NUL) or where a reading would be a guess, it is a problem.
 */
import { type Bytes, fromBuffer } from '../base/bytes.ts';

/** A place in a text: 1-based line and column in characters (Unicode code points), and how many characters. */
export interface TextSpan {
  readonly file?: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

/** An argument: its bytes, or the source of an expression (not parsed here, trimmed, never empty). */
export type TextArgument = Bytes | { readonly expr: string };

/** One command; `span` runs from its first word to the end of its last, and `bytes` are its offsets in the source. */
export interface TextCommand {
  readonly argv: readonly TextArgument[];
  readonly span: TextSpan;
  /** Where `places` asks for them. */
  readonly bytes?: { readonly from: number; readonly to: number };
}

/** Where a word of a command stands, its quotes included: as a place, and as offsets in the source. */
export interface WordPlace extends TextSpan {
  readonly from: number;
  readonly to: number;
}

/** A line that could not be read: nothing of it is in `commands`. */
export interface ParseProblem {
  readonly message: string;
  readonly fix: string;
  readonly span: TextSpan;
}

/** `file` is copied to the spans; `expressions` (default false) makes an unquoted `{{ ... }}` an expression; `places` (default false) adds the offsets of commands. */
export interface TextOptions {
  readonly file?: string;
  readonly expressions?: boolean;
  readonly places?: boolean;
}

/** All commands and all problems of a text, each in the order of their lines. */
export interface ParsedText {
  readonly commands: readonly TextCommand[];
  readonly problems: readonly ParseProblem[];
}

/** Parses command text; never throws; time linear in the source. A UTF-8 byte order mark at the start is ignored. */
export function parseCommands(source: Uint8Array | string, options: TextOptions = {}): ParsedText {
  const bytes = typeof source === 'string' ? Buffer.from(source, 'utf8') : viewOf(source);
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const reader = readerAt(bytes, start, options.expressions === true);
  const commands: TextCommand[] = [];
  const problems: ParseProblem[] = [];
  while (reader.at < bytes.length) {
    skipBlanks(reader);
    const byte = bytes[reader.at];
    if (byte === undefined) break;
    if (byte === newline) nextLine(reader);
    else if (byte === hash) reader.at = endOfLine(reader);
    else {
      const result = readCommand(reader);
      if ('message' in result) {
        problems.push({ message: result.message, fix: result.fix, span: spanOf(reader, result, options.file) });
        skipLogicalLine(reader);
      } else if (result.argv.length > 0) {
        const offsets = options.places ? { bytes: { from: result.mark.at, to: result.end } } : {};
        commands.push({ argv: result.argv, span: spanOf(reader, result, options.file), ...offsets });
      }
    }
  }
  return { commands, problems };
}

/** The places of a command's words, in order, of a command that parseCommands gave with its offsets from the same source. */
export function wordPlaces(source: Uint8Array, { span, bytes: range }: TextCommand): readonly WordPlace[] {
  const bytes = viewOf(source);
  const words: { readonly mark: Mark; readonly end: number }[] = [];
  const reader = readerAt(bytes, range?.from ?? 0, false);
  reader.line = span.line;
  reader.lineStart = lineStartOf(bytes, reader.at);
  readCommand(reader, words);
  return words.map((word) => ({ ...spanOf(reader, word, span.file), from: word.mark.at, to: word.end }));
}

function readerAt(bytes: Buffer, at: number, expressions: boolean): Reader {
  const word = Buffer.allocUnsafe(256);
  return { bytes, expressions, at, line: 1, lineStart: at, word, wordLength: 0, wordBits: 0 };
}

/** A byte order mark at the start of the source belongs to no line. */
function lineStartOf(bytes: Buffer, at: number): number {
  const start = at === 0 ? 0 : bytes.lastIndexOf(newline, at - 1) + 1;
  return start === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : start;
}

const newline = 0x0a;
const carriageReturn = 0x0d;
const hash = 0x23;
const doubleQuote = 0x22;
const singleQuote = 0x27;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** The state of one parse: where it is, and the word under construction. */
interface Reader {
  readonly bytes: Buffer;
  readonly expressions: boolean;
  at: number;
  line: number;
  /** Offset of the first byte of the line. */
  lineStart: number;
  word: Buffer;
  wordLength: number;
  /** All bytes of the word, or-ed: below 0x80 exactly when it is ASCII. */
  wordBits: number;
}

interface Mark {
  readonly at: number;
  readonly line: number;
  readonly lineStart: number;
}

/** A failure with its place: from `mark` up to the offset `end`. */
interface Failure {
  readonly message: string;
  readonly fix: string;
  readonly mark: Mark;
  readonly end: number;
}

function viewOf(source: Uint8Array): Buffer {
  return Buffer.from(source.buffer, source.byteOffset, source.byteLength);
}

/** Reads one logical line, from its first non-blank. `words`: filled with the place of each word. */
function readCommand(
  reader: Reader,
  words?: { readonly mark: Mark; readonly end: number }[],
): Failure | { argv: TextArgument[]; mark: Mark; end: number } {
  const mark = markOf(reader);
  const argv: TextArgument[] = [];
  let end = reader.at;
  for (;;) {
    skipBlanks(reader);
    const byte = reader.bytes[reader.at];
    if (byte === undefined || byte === newline) return { argv, mark, end };
    const width = continuationAt(reader, reader.at);
    if (width > 0) {
      const failure = takeContinuation(reader, width);
      if (failure) return failure;
      continue;
    }
    const start = words && markOf(reader);
    const word = startsExpression(reader) ? readExpression(reader) : readWord(reader);
    if (typeof word === 'object' && 'message' in word) return word;
    argv.push(word);
    end = reader.at;
    if (start) words.push({ mark: start, end });
  }
}

/** Reads one word; stands behind it afterwards. A word without quotes and escapes is sliced, any other is rebuilt. */
function readWord(reader: Reader): Bytes | Failure {
  const { bytes } = reader;
  const start = reader.at;
  let bits = 0;
  let at = start;
  for (; at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    if (endsWord(byte)) break;
    if (byte === doubleQuote || byte === singleQuote || byte === backslash || byte === openBrace || byte === 0) {
      reader.at = at;
      reader.wordLength = 0;
      reader.wordBits = 0;
      for (let from = start; from < at; from += 1) put(reader, bytes[from]!);
      return readRest(reader);
    }
    bits |= byte;
  }
  reader.at = at;
  return bits < 0x80 ? bytes.toString('latin1', start, at) : fromBuffer(bytes.subarray(start, at));
}

function readRest(reader: Reader): Bytes | Failure {
  const { bytes } = reader;
  for (;;) {
    const byte = bytes[reader.at];
    if (byte === undefined || endsWord(byte)) return wordOf(reader);
    if (byte === doubleQuote || byte === singleQuote) return readQuoted(reader, byte) ?? wordOf(reader);
    if (byte === 0) return nulFailure(reader);
    const width = byte === backslash ? continuationAt(reader, reader.at) : 0;
    if (width > 0) {
      const failure = takeContinuation(reader, width);
      if (failure) return failure;
    } else if (byte === backslash && reader.expressions && braces(bytes, reader.at + 1, openBrace)) {
      put(reader, openBrace);
      put(reader, openBrace);
      reader.at += 3;
    } else if (startsExpression(reader)) {
      return wholeArgumentFailure(markOf(reader), reader.at + 2);
    } else {
      put(reader, byte);
      reader.at += 1;
    }
  }
}

/** Reads a quoted part, from its opening quote; its closing quote ends the word, so a blank or the end must follow. */
function readQuoted(reader: Reader, quote: number): Failure | undefined {
  const { bytes } = reader;
  const mark = markOf(reader);
  reader.at += 1;
  for (;;) {
    const byte = bytes[reader.at];
    if (byte === undefined || byte === newline) {
      const name = quote === doubleQuote ? 'double' : 'single';
      return failed(
        `the ${name} quote is not closed on this line`,
        `close it with ${quote === doubleQuote ? '"' : "'"}; inside double quotes a line break is written \\n`,
        mark,
        reader.at,
      );
    }
    if (byte === 0) return nulFailure(reader);
    if (byte === quote) {
      reader.at += 1;
      const next = byteBehind(reader);
      if (next === undefined || isSpace(next)) return undefined;
      const before = { ...markOf(reader), at: reader.at - 1 };
      return failed(
        'a closing quote must be followed by a blank or the end of the line',
        'put a blank behind the quote, or move the rest of the word inside the quotes',
        before,
        reader.at,
      );
    }
    if (byte === backslash) readEscape(reader, quote);
    else {
      put(reader, byte);
      reader.at += 1;
    }
  }
}

function readEscape(reader: Reader, quote: number): void {
  const { bytes } = reader;
  const next = bytes[reader.at + 1];
  if (quote === singleQuote) {
    put(reader, next === singleQuote ? singleQuote : backslash);
    reader.at += next === singleQuote ? 2 : 1;
    return;
  }
  const high = hexDigit(bytes[reader.at + 2]);
  const low = hexDigit(bytes[reader.at + 3]);
  if (next === 0x78 && high >= 0 && low >= 0) {
    put(reader, high * 16 + low);
    reader.at += 4;
  } else if (next === undefined || next === newline || next === 0) {
    put(reader, backslash);
    reader.at += 1;
  } else {
    put(reader, escapes.get(next) ?? next);
    reader.at += 2;
  }
}

/** \n \r \t \b \a; any other escaped byte stands for itself. */
const escapes: ReadonlyMap<number, number> = new Map([
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
  [0x62, 0x08],
  [0x61, 0x07],
]);

/** Reads `{{ ... }}`; string literals of the expression may hold `}}`. */
function readExpression(reader: Reader): { readonly expr: string } | Failure {
  const { bytes } = reader;
  const mark = markOf(reader);
  const from = reader.at + 2;
  const close = closingBraces(bytes, from);
  if (close < 0) {
    return failed(
      'the expression opened by {{ is not closed by }} on this line',
      'close it with }}, or write \\{{ for a literal {{',
      mark,
      endOfLine(reader),
    );
  }
  reader.at = close + 2;
  const next = byteBehind(reader);
  if (next !== undefined && !isSpace(next)) return wholeArgumentFailure(mark, reader.at);
  const text = fromBuffer(bytes.subarray(from, close));
  if (typeof text !== 'string') {
    return failed('the expression is not valid UTF-8', 'write other bytes as b"\\xff"', mark, reader.at);
  }
  const expr = text.trim();
  if (expr === '') {
    return failed('the expression is empty', 'write an expression, or \\{{ for a literal {{', mark, reader.at);
  }
  return { expr };
}

/** The offset of the `}}` that ends an expression, outside of its string literals; -1 when the line ends before. */
function closingBraces(bytes: Buffer, from: number): number {
  let quote = 0;
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    if (byte === newline || byte === 0) return -1;
    if (quote !== 0) {
      if (byte === backslash && bytes[at + 1] !== newline) at += 1;
      else if (byte === quote) quote = 0;
    } else if (byte === doubleQuote || byte === singleQuote) quote = byte;
    else if (byte === closeBrace && bytes[at + 1] === closeBrace) return at;
  }
  return -1;
}

function startsExpression(reader: Reader): boolean {
  return reader.expressions && braces(reader.bytes, reader.at, openBrace);
}

function braces(bytes: Buffer, at: number, brace: number): boolean {
  return bytes[at] === brace && bytes[at + 1] === brace;
}

/** How many bytes a continuation at this offset has: `\` and LF or CRLF; 0 when there is none. */
function continuationAt({ bytes }: Reader, at: number): number {
  if (bytes[at] !== backslash) return 0;
  if (bytes[at + 1] === newline) return 2;
  return bytes[at + 1] === carriageReturn && bytes[at + 2] === newline ? 3 : 0;
}

/** The next byte once continuations are removed. */
function byteBehind(reader: Reader): number | undefined {
  let at = reader.at;
  for (let width = continuationAt(reader, at); width > 0; width = continuationAt(reader, at)) at += width;
  return reader.bytes[at];
}

/** A `#` that starts a continued line would be an argument to one reader and a comment to another. */
function takeContinuation(reader: Reader, width: number): Failure | undefined {
  startLine(reader, reader.at + width);
  let at = reader.at;
  while (isBlank(reader.bytes[at])) at += 1;
  if (reader.bytes[at] !== hash) return undefined;
  return failed(
    'a comment cannot stand inside a continued command',
    'move the comment before the command, or write "#" in quotes when it is an argument',
    { ...markOf(reader), at },
    at + 1,
  );
}

function skipLogicalLine(reader: Reader): void {
  for (;;) {
    const end = endOfLine(reader);
    const before = reader.bytes[end - 1] === carriageReturn ? end - 2 : end - 1;
    const continued = end < reader.bytes.length && before >= reader.lineStart && reader.bytes[before] === backslash;
    reader.at = end;
    if (end < reader.bytes.length) nextLine(reader);
    if (!continued) return;
  }
}

function skipBlanks(reader: Reader): void {
  while (isBlank(reader.bytes[reader.at])) reader.at += 1;
}

function nextLine(reader: Reader): void {
  startLine(reader, reader.at + 1);
}

function startLine(reader: Reader, at: number): void {
  reader.at = at;
  reader.line += 1;
  reader.lineStart = at;
}

function endOfLine(reader: Reader): number {
  const end = reader.bytes.indexOf(newline, reader.at);
  return end < 0 ? reader.bytes.length : end;
}

/** C's isspace in the C locale. */
function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
}

function isBlank(byte: number | undefined): boolean {
  return byte !== newline && isSpace(byte);
}

/** Vertical tab and form feed separate words but do not end one: so it is in sdssplitargs. */
function endsWord(byte: number): boolean {
  return byte === 0x20 || byte === newline || byte === carriageReturn || byte === 0x09;
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}

function put(reader: Reader, byte: number): void {
  if (reader.wordLength === reader.word.length) {
    const larger = Buffer.allocUnsafe(reader.word.length * 2);
    reader.word.copy(larger);
    reader.word = larger;
  }
  reader.word[reader.wordLength] = byte;
  reader.wordLength += 1;
  reader.wordBits |= byte;
}

function wordOf(reader: Reader): Bytes {
  const { word, wordLength, wordBits } = reader;
  return wordBits < 0x80 ? word.toString('latin1', 0, wordLength) : fromBuffer(word.subarray(0, wordLength));
}

function markOf(reader: Reader): Mark {
  return { at: reader.at, line: reader.line, lineStart: reader.lineStart };
}

function failed(message: string, fix: string, mark: Mark, end: number): Failure {
  return { message, fix, mark, end };
}

function nulFailure(reader: Reader): Failure {
  return failed(
    'a NUL byte stands in the line; redis-cli would ignore everything behind it',
    'write it as "\\x00" in double quotes',
    markOf(reader),
    reader.at + 1,
  );
}

function wholeArgumentFailure(mark: Mark, end: number): Failure {
  return failed(
    'an expression must be the whole argument',
    'join the parts inside the expression: {{ "user:" + string(id) }}; write \\{{ for a literal {{',
    mark,
    end,
  );
}

function spanOf({ bytes }: Reader, { mark, end }: { mark: Mark; end: number }, file: string | undefined): TextSpan {
  const column = characters(bytes, mark.lineStart, mark.at) + 1;
  const length = characters(bytes, mark.at, end);
  return { ...(file === undefined ? {} : { file }), line: mark.line, column, length };
}

/** Characters between two offsets: bytes that are not UTF-8 continuation bytes. */
function characters(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at += 1) if ((bytes[at]! & 0xc0) !== 0x80) count += 1;
  return count;
}
