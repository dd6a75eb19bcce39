/**
 * Files in the protocol's own form: arrays of bulk strings, as clients send them and as an append-only file's increments
 * hold them. A word may be cut anywhere by a chunk; a long one is collected without being looked at again.
 */
import { isAscii } from 'node:buffer';
import { type CommandReader, isAsciiAt, type ReadCommand, ReadProblem, type View, viewOf } from './reader.ts';
import type { WireArgument } from './resp.ts';

/** A reader of RESP commands; `line` counts commands from 1, a problem's `column` is the byte of the file, from 1. Empty arrays are skipped, as the server does. */
export function respReader(): CommandReader {
  const state: State = { argv: [], missing: 0, number: 1, offset: 0, commandOffset: 0, commandBytes: 0, commands: [] };
  return {
    push: (chunk) => {
      state.commands = [];
      read(state, chunk);
      return state.commands;
    },
    end: () => {
      state.commands = [];
      if (state.missing > 0 || state.header || state.bulk) throw cutOff(state);
      return state.commands;
    },
  };
}

interface State {
  /** The command under way, and how many of its words are still to come. */
  argv: WireArgument[];
  missing: number;
  /** Its number. */
  number: number;
  /** Bytes of the file before what is not read yet. */
  offset: number;
  /** Where the command under way starts, and the bytes that its words have. */
  commandOffset: number;
  commandBytes: number;
  /** The time of the last annotation. */
  atMs?: number;
  /** The start of a header line that a chunk ended in. */
  header?: Buffer | undefined;
  /** A word that a chunk ended in: `missing` counts the line end behind it, too. */
  bulk?: { readonly length: number; readonly parts: Buffer[]; missing: number } | undefined;
  /** What the present chunk completed. */
  commands: ReadCommand[];
}

const CR = 0x0d;
const LF = 0x0a;
const ASTERISK = 0x2a;
const DOLLAR = 0x24;
const HASH = 0x23;

/** proto-max-bulk-len of Redis as it is delivered. */
const MAX_BULK = 512 * 1024 * 1024;
/** client-query-buffer-limit of Redis as it is delivered: the server closes the connection of a client that sends more at once. */
const MAX_COMMAND = 1024 * 1024 * 1024;
/** The most words a server takes in one command before 7.0. */
const MAX_WORDS = 1024 * 1024;
/** No header line is longer, but for AOF annotations (#TS:...). */
const MAX_HEADER = 1024;
/** Longer words stay Buffers: they are sent as they are, without becoming text on the way. */
const LONG = 1024;

function read(state: State, chunk: Buffer): void {
  let view: View | undefined;
  for (let at = 0; at < chunk.length; ) {
    if (state.bulk) at = readBulk(state, chunk, at);
    else if (state.header) at = readHeader(state, chunk, at);
    else {
      view ??= viewOf(chunk);
      at = readWhole(state, view, at);
      if (at < chunk.length) at = readHeader(state, chunk, at);
    }
  }
}

/** Reads as long as headers are plain counts and words lie in the chunk whole; gives the offset of the first that is not so. */
function readWhole(state: State, view: View, start: number): number {
  const { text } = view;
  const { commands } = state;
  let { argv, missing, commandBytes } = state;
  let commandAt = state.commandOffset - state.offset + start;
  const base = state.offset - start;
  let at = start;
  while (at < text.length) {
    if (text.charCodeAt(at) !== (missing > 0 ? DOLLAR : ASTERISK)) break;
    let position = at + 1;
    let number = 0;
    let digit = text.charCodeAt(position) - 0x30;
    while (digit >= 0 && digit <= 9 && position < at + 9) {
      number = number * 10 + digit;
      position += 1;
      digit = text.charCodeAt(position) - 0x30;
    }
    if (position === at + 1 || digit !== CR - 0x30 || text.charCodeAt(position + 1) !== LF) break;
    const body = position + 2;
    if (missing === 0) {
      if (number > MAX_WORDS) break;
      missing = number;
      commandAt = at;
      commandBytes = 0;
      at = body;
      continue;
    }
    const end = body + number;
    if (text.charCodeAt(end) !== CR || text.charCodeAt(end + 1) !== LF || commandBytes + number > MAX_COMMAND) break;
    commandBytes += number;
    argv.push(
      number <= LONG && isAsciiAt(view, body, end) ? text.substring(body, end) : view.bytes.subarray(body, end),
    );
    at = end + 2;
    missing -= 1;
    if (missing > 0) continue;
    commands.push(command(state, argv, base + commandAt));
    state.number += 1;
    argv = [];
  }
  state.commandOffset = state.offset + commandAt - start;
  state.offset += at - start;
  state.argv = argv;
  state.missing = missing;
  state.commandBytes = commandBytes;
  return at;
}

/** Reads a header line that may have begun in an earlier chunk, or that is not as simple as most; gives the offset behind it. */
function readHeader(state: State, chunk: Buffer, at: number): number {
  const end = chunk.indexOf(LF, at) + 1;
  const part = chunk.subarray(at, end === 0 ? chunk.length : end);
  const line = state.header ? Buffer.concat([state.header, part]) : part;
  if (line.length > MAX_HEADER) throw notACommand(state, line);
  state.header = end === 0 ? line : undefined;
  if (end === 0) return chunk.length;
  const kind = state.missing > 0 ? DOLLAR : ASTERISK;
  const [digits] = /^\d{1,10}(?=\r\n$)/.exec(line.toString('latin1', 1)) ?? [];
  if (line[0] === kind && digits !== undefined) {
    if (kind === ASTERISK) startCommand(state, Number(digits));
    else startBulk(state, Number(digits));
  } else if (!isAnnotation(state, line)) throw notACommand(state, line);
  state.offset += line.length;
  return end;
}

/** `#TS:...` stands between the commands of an append-only file. */
function isAnnotation(state: State, line: Buffer): boolean {
  if (line[0] !== HASH || state.missing > 0) return false;
  const seconds = /^#TS:(\d{1,12})\r\n$/.exec(line.toString('latin1'))?.[1];
  if (seconds !== undefined) state.atMs = Number(seconds) * 1000;
  return true;
}

function startCommand(state: State, words: number): void {
  if (words > MAX_WORDS) {
    const message = `command ${state.number} is said to have ${words} words, more than ${MAX_WORDS}`;
    throw problem(state, message, 'check that the file is what it should be; split the command if it is');
  }
  state.missing = words;
  state.commandOffset = state.offset;
  state.commandBytes = 0;
}

function startBulk(state: State, length: number): void {
  if (length > MAX_BULK || state.commandBytes + length > MAX_COMMAND) {
    const message =
      length > MAX_BULK
        ? `a word of command ${state.number} is said to have ${length} bytes, more than the 512 MB a server takes`
        : `command ${state.number} is longer than the 1 GB a server takes`;
    throw problem(state, message, 'check that the file is what it should be; split the value if it is');
  }
  state.bulk = { length, parts: [], missing: length + 2 };
}

/** Takes what the chunk has of a word that no chunk holds whole; gives the offset behind it. */
function readBulk(state: State, chunk: Buffer, at: number): number {
  const bulk = state.bulk!;
  const take = Math.min(bulk.missing, chunk.length - at);
  bulk.parts.push(chunk.subarray(at, at + take));
  bulk.missing -= take;
  state.offset += take;
  if (bulk.missing > 0) return at + take;
  state.bulk = undefined;
  const { length, parts } = bulk;
  const whole = Buffer.concat(parts);
  if (whole[length] !== CR || whole[length + 1] !== LF) {
    state.offset -= 2;
    throw wrongLength(state, length);
  }
  state.commandBytes += length;
  state.argv.push(wordOf(whole.subarray(0, length)));
  state.missing -= 1;
  if (state.missing === 0) finish(state);
  return at + take;
}

function command({ number: line, atMs }: State, argv: WireArgument[], offset: number): ReadCommand {
  return atMs === undefined ? { argv, line, offset } : { argv, line, offset, atMs };
}

function finish(state: State): void {
  state.commands.push(command(state, state.argv, state.commandOffset));
  state.argv = [];
  state.number += 1;
}

function wordOf(bytes: Buffer): WireArgument {
  return bytes.length <= LONG && isAscii(bytes) ? bytes.toString('latin1') : bytes;
}

function cutOff(state: State): ReadProblem {
  const { header } = state;
  const kind = state.missing > 0 ? DOLLAR : ASTERISK;
  if (header && header[0] !== kind && !isAnnotation(state, header)) return notACommand(state, header);
  const bytes = state.offset + (header?.length ?? 0);
  const start = state.missing > 0 ? state.commandOffset : state.offset;
  return problem(
    { ...state, offset: bytes },
    `the file ends at byte ${bytes}, inside command ${state.number}, which starts at byte ${start + 1}`,
    'copy or write the file again: a part of it is missing',
  );
}

function notACommand(state: State, found: Buffer): ReadProblem {
  const start = found.toString('latin1', 0, 40);
  if (state.number === 1 && state.missing === 0 && start.startsWith('REDIS')) {
    return problem(
      state,
      'the file is an RDB snapshot (or an append-only file that begins with one), not commands',
      "give the append-only file's increments (*.incr.aof); an RDB file is loaded by the server itself",
    );
  }
  const expected = state.missing > 0 ? '"$" and the length of a word' : '"*" and the number of words';
  return problem(
    state,
    `command ${state.number}: ${expected} should stand at byte ${state.offset + 1}, but there is ${JSON.stringify(start)}`,
    'check that the file holds commands in the protocol form; lines as redis-cli takes them are the format text',
  );
}

function wrongLength(state: State, length: number): ReadProblem {
  return problem(
    state,
    `command ${state.number}: a word is not ${length} bytes long, as it says: no line end at byte ${state.offset + 1}`,
    'write the file again: lengths count bytes, not characters, and line ends are CR LF',
  );
}

function problem(state: State, message: string, fix: string): ReadProblem {
  return new ReadProblem(message, fix, { line: state.number, column: state.offset + 1 }, state.commands);
}
