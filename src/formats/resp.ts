/**
 * The Redis serialisation protocol: an encoder for commands and a streaming decoder for RESP2 and RESP3 replies.
 * No I/O. Integers stay exact (a bigint beyond 2^53-1), error replies are values, bulk strings are views of the chunk
 * they came in, and a reply may be cut at any byte between two chunks.
 */
import { OpsError } from '../base/ops-error.ts';

/** An argument on the wire: a string is its UTF-8 bytes. */
export type WireArgument = string | Buffer;

/** An error reply: its code is the first word, the only part that programs may match (texts differ by version and fork). */
export class ReplyError {
  readonly code: string;
  /** The whole text, code included. */
  readonly message: string;

  constructor(message: string) {
    this.message = message;
    this.code = /^[A-Z][A-Z0-9_]*(?=\s|$)/.exec(message)?.[0] ?? 'ERR';
  }
}

/** A decoded reply: simple strings are strings, bulk strings Buffers; sets are arrays, verbatim strings lose their format mark. */
export type Decoded =
  | string
  | Buffer
  | number
  | bigint
  | boolean
  | null
  | ReplyError
  | Decoded[]
  | Map<Decoded, Decoded>;

/** Arguments up to this length are written byte by byte, which is faster than a native call for each. */
const SHORT = 128;
/** What stands around an argument at most: `$`, ten digits, two line ends. */
const AROUND = 16;

/** One buffer with all the commands, as arrays of bulk strings. It is a new buffer, or the start of `into` when that is large enough. */
export function encodeCommands(commands: readonly (readonly WireArgument[])[], into?: Buffer): Buffer {
  const most = boundOf(commands);
  const out = into && into.length >= most ? into : Buffer.allocUnsafe(most);
  let at = 0;
  for (let index = 0; index < commands.length; index += 1) {
    const argv = commands[index]!;
    out[at] = ASTERISK;
    at = writeLength(out, at + 1, argv.length);
    for (let word = 0; word < argv.length; word += 1) at = writeArgument(out, at, argv[word]!);
  }
  return out.subarray(0, at);
}

/** Bytes that the commands take at most. A character is at most three bytes of UTF-8; long text is measured. */
function boundOf(commands: readonly (readonly WireArgument[])[]): number {
  let most = 0;
  for (const argv of commands) {
    most += AROUND;
    for (const word of argv) {
      if (typeof word !== 'string') most += word.length + AROUND;
      else most += (word.length <= SHORT ? word.length * 3 : Buffer.byteLength(word, 'utf8')) + AROUND;
    }
  }
  return most;
}

function writeArgument(out: Buffer, start: number, word: WireArgument): number {
  out[start] = DOLLAR;
  if (typeof word !== 'string') {
    const body = writeLength(out, start + 1, word.length);
    return writeEnd(out, body + word.copy(out, body));
  }
  const { length } = word;
  if (length <= SHORT) {
    let at = writeLength(out, start + 1, length);
    let position = 0;
    for (; position < length; position += 1) {
      const code = word.charCodeAt(position);
      if (code > 0x7f) break; // longer as bytes than as characters: measured below
      out[at] = code;
      at += 1;
    }
    if (position === length) return writeEnd(out, at);
  }
  const body = writeLength(out, start + 1, Buffer.byteLength(word, 'utf8'));
  return writeEnd(out, body + out.write(word, body, 'utf8'));
}

/** The decimal digits of a length and the line's end. */
function writeLength(out: Buffer, start: number, length: number): number {
  if (length < 10) {
    out[start] = ZERO + length;
    return writeEnd(out, start + 1);
  }
  if (length < 100) {
    const tens = (length / 10) | 0;
    out[start] = ZERO + tens;
    out[start + 1] = ZERO + length - tens * 10;
    return writeEnd(out, start + 2);
  }
  return writeEnd(out, start + out.write(String(length), start, 'latin1'));
}

function writeEnd(out: Buffer, at: number): number {
  out[at] = CR;
  out[at + 1] = LF;
  return at + 2;
}

/** What a decoder hands on. */
export interface DecoderSink {
  /** One whole reply, in the order of the commands. */
  reply(value: Decoded): void;
  /** A RESP3 push (out of order by nature). */
  push?(value: Decoded[]): void;
}

const CR = 0x0d;
const LF = 0x0a;
const DOLLAR = 0x24;
const ASTERISK = 0x2a;
const ZERO = 0x30;
/** Deeper replies are refused: no command and no script of a sane server nests so far. */
const MAX_DEPTH = 512;

interface Frame {
  readonly kind: 'array' | 'map' | 'push' | 'attribute';
  remaining: number;
  readonly items: Decoded[];
}

/** A streaming decoder: chunks in, replies out. Throws OpsError `server_error` when the bytes are not RESP; it is then unusable. */
export class Decoder {
  /**
   * Gives bulk strings that are valid UTF-8 as strings, which saves an object a reply where no caller needs the bytes.
   * What is not valid stays a Buffer, so nothing is lost.
   */
  textual = false;
  readonly #sink: DecoderSink;
  readonly #stack: Frame[] = [];
  /** The start of a header line that a chunk ended in. */
  #line: Buffer | undefined;
  /** A bulk string under way: what is still missing (with its CRLF), and its parts. */
  #bulk: { kind: number; missing: number; size: number; parts: Buffer[] } | undefined;

  constructor(sink: DecoderSink) {
    this.#sink = sink;
  }

  /** Takes the next bytes and hands on every reply that is now whole. The chunk must not be reused by the caller. */
  write(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      at = this.#bulk ? this.#readBulk(chunk, at) : this.#readHeader(chunk, at);
    }
  }

  /** True between two replies. */
  get idle(): boolean {
    return this.#stack.length === 0 && this.#line === undefined && this.#bulk === undefined;
  }

  #readHeader(chunk: Buffer, at: number): number {
    if (this.#line === undefined) {
      const done = this.#readCommon(chunk, at);
      if (done > 0) return done;
    }
    const end = chunk.indexOf(LF, at);
    if (end === -1) {
      const rest = chunk.subarray(at);
      this.#line = this.#line ? Buffer.concat([this.#line, rest]) : rest;
      if (this.#line.length > 64 * 1024 * 1024) throw notResp('a line of over 64 MB');
      return chunk.length;
    }
    let line = chunk.subarray(at, end + 1);
    if (this.#line) {
      line = Buffer.concat([this.#line, line]);
      this.#line = undefined;
    }
    if (line.length < 3 || line[line.length - 2] !== CR) throw notResp(line.toString('latin1', 0, 60));
    this.#header(line[0] ?? 0, line, line.length - 2);
    return end + 1;
  }

  /** The replies that make up nearly all traffic, read in place when whole: +OK, short integers, bulk strings. 0: not one of these. */
  #readCommon(chunk: Buffer, at: number): number {
    const kind = chunk[at];
    if (kind === 0x2b) {
      if (chunk[at + 1] !== 0x4f || chunk[at + 2] !== 0x4b || chunk[at + 3] !== CR || chunk[at + 4] !== LF) return 0;
      this.#value('OK');
      return at + 5;
    }
    if (kind !== 0x3a && kind !== 0x24) return 0;
    let position = at + 1;
    let number = 0;
    for (; position < at + 10; position += 1) {
      const digit = (chunk[position] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) break;
      number = number * 10 + digit;
    }
    if (position === at + 1 || chunk[position] !== CR || chunk[position + 1] !== LF) return 0;
    const body = position + 2;
    if (kind === 0x3a) {
      this.#value(number);
      return body;
    }
    const end = body + number;
    if (chunk[end] !== CR || chunk[end + 1] !== LF) return 0;
    this.#bulkValue(chunk, body, end);
    return end + 2;
  }

  #header(kind: number, line: Buffer, end: number): void {
    switch (kind) {
      case 0x2b: // +
        return this.#value(line.toString('utf8', 1, end));
      case 0x2d: // -
        return this.#value(new ReplyError(line.toString('utf8', 1, end)));
      case 0x3a: // :
        return this.#value(integer(line.toString('latin1', 1, end)));
      case 0x24: // $
      case 0x21: // !
      case 0x3d: // =
        return this.#startBulk(kind, size(line, end));
      case 0x2a: // *
      case 0x7e: // ~
        return this.#startAggregate('array', size(line, end), 1);
      case 0x25: // %
        return this.#startAggregate('map', size(line, end), 2);
      case 0x3e: // >
        return this.#startAggregate('push', size(line, end), 1);
      case 0x7c: // |
        return this.#startAggregate('attribute', size(line, end), 2);
      case 0x5f: // _
        return this.#value(null);
      case 0x23: // #
        return this.#value(boolean(line.toString('latin1', 1, end)));
      case 0x2c: // ,
        return this.#value(double(line.toString('latin1', 1, end)));
      case 0x28: // (
        return this.#value(bigNumber(line.toString('latin1', 1, end)));
      default:
        throw notResp(line.toString('latin1', 0, 60));
    }
  }

  #startBulk(kind: number, length: number): void {
    if (length === -1) return this.#value(null);
    this.#bulk = { kind, missing: length + 2, size: length, parts: [] };
  }

  #readBulk(chunk: Buffer, at: number): number {
    const bulk = this.#bulk!;
    const take = Math.min(bulk.missing, chunk.length - at);
    bulk.parts.push(chunk.subarray(at, at + take));
    bulk.missing -= take;
    if (bulk.missing === 0) {
      this.#bulk = undefined;
      const whole = bulk.parts.length === 1 ? bulk.parts[0]! : Buffer.concat(bulk.parts);
      if (whole[bulk.size] !== CR || whole[bulk.size + 1] !== LF) throw notResp('a bulk string longer than it says');
      if (bulk.kind === 0x21) this.#value(new ReplyError(whole.toString('utf8', 0, bulk.size)));
      else this.#bulkValue(whole, bulk.kind === 0x3d ? 4 : 0, bulk.size);
    }
    return at + take;
  }

  #bulkValue(bytes: Buffer, start: number, end: number): void {
    if (this.textual) {
      const text = bytes.toString('utf8', start, end);
      if (!text.includes('\ufffd')) return this.#value(text);
    }
    this.#value(bytes.subarray(start, end));
  }

  #startAggregate(kind: Frame['kind'], length: number, width: number): void {
    if (length === -1) return this.#value(null);
    if (this.#stack.length >= MAX_DEPTH) throw notResp(`a reply nested over ${MAX_DEPTH} deep`);
    const frame: Frame = { kind, remaining: length * width, items: [] };
    if (length > 0) this.#stack.push(frame);
    else this.#finish(frame);
  }

  #finish(frame: Frame): void {
    switch (frame.kind) {
      case 'array':
        return this.#value(frame.items);
      case 'map':
        return this.#value(toMap(frame.items));
      case 'push':
        return this.#sink.push?.(frame.items);
      case 'attribute':
        return; // says something about the reply that follows; no caller uses it
    }
  }

  #value(value: Decoded): void {
    const frame = this.#stack.at(-1);
    if (!frame) return this.#sink.reply(value);
    frame.items.push(value);
    frame.remaining -= 1;
    if (frame.remaining > 0) return;
    this.#stack.pop();
    this.#finish(frame);
  }
}

function toMap(items: Decoded[]): Map<Decoded, Decoded> {
  const map = new Map<Decoded, Decoded>();
  for (let index = 0; index + 1 < items.length; index += 2) map.set(items[index]!, items[index + 1]!);
  return map;
}

function size(line: Buffer, end: number): number {
  const text = line.toString('latin1', 1, end);
  if (!/^(-1|\d{1,10})$/.test(text)) throw notResp(line.toString('latin1', 0, 60));
  return Number(text);
}

function integer(text: string): number | bigint {
  if (!/^[+-]?\d{1,20}$/.test(text)) throw notResp(`:${text.slice(0, 60)}`);
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

function bigNumber(text: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) throw notResp(`(${text.slice(0, 60)}`);
  return BigInt(text);
}

function boolean(text: string): boolean {
  if (text !== 't' && text !== 'f') throw notResp(`#${text.slice(0, 60)}`);
  return text === 't';
}

function double(text: string): number {
  if (/^[+-]?inf$/i.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^-?nan$/i.test(text)) return Number.NaN;
  const value = Number(text);
  if (text === '' || Number.isNaN(value)) throw notResp(`,${text.slice(0, 60)}`);
  return value;
}

function notResp(found: string): OpsError {
  return new OpsError('server_error', `the answer is not Redis's protocol: ${JSON.stringify(found)}`, {
    remedy:
      'Check that the address and port are those of a Redis or Valkey server, and whether it wants TLS (rediss://).',
  });
}
