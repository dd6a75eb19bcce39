/**
 * What MONITOR shows, as redis-cli prints it: `1339518083.107412 [0 127.0.0.1:60866] "keys" "*"`, or `[0 lua]` for what a
 * script calls. Arguments are quoted and escaped by the server (sdscatrepr), so a line is ASCII and a command is a line.
 * A capture is a log and no input: a line that is none of MONITOR's is counted and left out, and ends nothing.
 */
import { wordOf } from './reader.ts';
import { fromRepr } from './repr.ts';
import type { WireArgument } from './resp.ts';

/** A command as MONITOR showed it. */
export interface MonitorCommand {
  readonly argv: readonly WireArgument[];
  /** 1-based, in the capture. */
  readonly line: number;
  /** Unix milliseconds, by the server's clock. */
  readonly atMs: number;
  readonly database: number;
  /** The client's address, or `lua` for a call of a script. */
  readonly client: string;
}

/** Bytes in, commands out; the same commands wherever the bytes are cut. Never throws. */
export interface MonitorReader {
  /** The commands that this chunk completes. */
  push(chunk: Buffer): readonly MonitorCommand[];
  /** The capture is at its end: a last line without a line end is read when it is whole. */
  end(): readonly MonitorCommand[];
  /** Commands read so far. */
  readonly read: number;
  /** Lines that are none of MONITOR's (blank ones and the first OK are not counted), and the first of them. */
  readonly strange: { readonly count: number; readonly first: number | undefined };
}

/** A longer line is given up: it is no line of a capture that anybody can use. */
const longestLine = 64 * 1024 * 1024;

/** A reader of captures. */
export function monitorReader(): MonitorReader {
  const names = clientNames();
  const reader = { line: 0, read: 0, strange: 0, first: undefined as number | undefined };
  let parts: string[] = [];
  let held = 0;
  const take = (text: string, from: number, to: number, into: MonitorCommand[]): void => {
    reader.line += 1;
    const end = text.charCodeAt(to - 1) === CR ? to - 1 : to;
    const command = readLine(text, from, end, reader.line, names);
    if (command) {
      into.push(command);
      reader.read += 1;
    } else if (!isSilent(text.slice(from, Math.min(end, from + 4)))) {
      reader.strange += 1;
      reader.first ??= reader.line;
    }
  };
  return {
    push: (chunk) => {
      const commands: MonitorCommand[] = [];
      let text = chunk.toString('latin1');
      if (held > 0) {
        const end = text.indexOf('\n');
        if (end === -1 && held + text.length <= longestLine) {
          parts.push(text);
          held += text.length;
          return commands;
        }
        text = `${parts.join('')}${text}`;
        parts = [];
        held = 0;
      }
      let from = 0;
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
        take(text, from, end, commands);
        from = end + 1;
      }
      if (from < text.length) {
        parts = [text.slice(from)];
        held = text.length - from;
      }
      return commands;
    },
    end: () => {
      const commands: MonitorCommand[] = [];
      const rest = parts.join('');
      parts = [];
      held = 0;
      if (rest !== '') take(rest, 0, rest.length, commands);
      return commands;
    },
    get read() {
      return reader.read;
    },
    get strange() {
      return { count: reader.strange, first: reader.first };
    },
  };
}

const CR = 0x0d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BLANK = 0x20;

// the answer to MONITOR itself, and blank lines
function isSilent(line: string): boolean {
  return line === 'OK' || line === '+OK' || line.trim() === '';
}

/** The command of a line, given as Latin-1; undefined when it is none of MONITOR's. A plus before it, as the protocol has it, is allowed. */
export function monitorLine(text: string): MonitorCommand | undefined {
  return readLine(text, 0, text.length, 1, (name) => name);
}

/**
 * The name of a client as one string, however often it comes: a slice of a chunk would keep the whole chunk in memory for
 * as long as anybody remembers the client.
 */
function clientNames(): (name: string) => string {
  const names = new Map<string, string>();
  return (name) => {
    const known = names.get(name);
    if (known !== undefined) return known;
    if (names.size >= mostNames) names.clear();
    const own = Buffer.from(name, 'latin1').toString('latin1');
    names.set(own, own);
    return own;
  };
}

const mostNames = 65_536;

function readLine(
  text: string,
  start: number,
  end: number,
  line: number,
  nameOf: (name: string) => string,
): MonitorCommand | undefined {
  const from = text.charCodeAt(start) === 0x2b ? start + 1 : start;
  const open = text.indexOf(' [', from);
  const gap = text.indexOf(' ', open + 2);
  const close = text.indexOf('] "', gap);
  if (open === -1 || gap === -1 || close === -1 || close >= end || open - from > 20) return undefined;
  const stamp = text.slice(from, open);
  const database = Number(text.slice(open + 2, gap));
  if (!/^\d+\.\d{6}$/.test(stamp) || !Number.isSafeInteger(database)) return undefined;
  const argv: WireArgument[] = [];
  for (let at = close + 2; at < end; at += 1) {
    if (text.charCodeAt(at) !== QUOTE) return undefined;
    let to = at + 1;
    let escaped = false;
    for (let code = text.charCodeAt(to); code !== QUOTE; code = text.charCodeAt(to)) {
      if (code === BACKSLASH) {
        escaped = true;
        to += 1;
      }
      to += 1;
      if (to >= end) return undefined; // cut inside a word
    }
    const word = text.slice(at + 1, to);
    argv.push(escaped ? wordOf(fromRepr(word)) : word);
    at = to + 1;
    if (at < end && text.charCodeAt(at) !== BLANK) return undefined;
  }
  return { argv, line, atMs: Number(stamp) * 1000, database, client: nameOf(text.slice(gap + 1, close)) };
}
