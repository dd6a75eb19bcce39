/**
 * SLOWLOG GET, as redis-cli prints it (on a terminal or with --no-raw, or as JSON with --json), or as a server answers it.
 * The server keeps at most 32 arguments of a command and 128 bytes of each, and says in their place how much it left out:
 * `... (12 more arguments)`, `value... (300 more bytes)`. What was left out is not known here: such an argument is
 * undefined, and never taken for the word that stands in its place.
 */
import { type Bytes, fromBuffer, toBuffer } from '../base/bytes.ts';
import { fromRepr } from './repr.ts';

/** An entry of the slow log. */
export interface SlowCommand {
  /** undefined where the server left bytes or arguments out. */
  readonly argv: readonly (Bytes | undefined)[];
  readonly id: number;
  /** Unix milliseconds, to the second. */
  readonly atMs: number;
  readonly microseconds: number;
  /** The client's address; "" before Redis 4.0. */
  readonly client: string;
}

/** The entries in the order of the text (newest first), or why it cannot be read, and where. */
export type SlowLog = readonly SlowCommand[] | { readonly problem: string; readonly line: number };

/** The entries of a text that redis-cli printed. */
export function readSlowlog(source: Uint8Array): SlowLog {
  const text = Buffer.from(source.buffer, source.byteOffset, source.byteLength).toString('latin1');
  if (/^\s*\[/.test(text)) return fromJson(source);
  return fromTree(text);
}

/** An entry from its parts as the server gives them; undefined when they are none. */
export function slowCommand(parts: readonly unknown[]): SlowCommand | undefined {
  const [id, seconds, microseconds, words, client] = parts;
  if (typeof id !== 'number' || typeof seconds !== 'number' || typeof microseconds !== 'number') return undefined;
  if (!Array.isArray(words)) return undefined;
  const argv = words.map(bytesOf);
  if (!argv.every((word) => word !== undefined)) return undefined;
  const from = client === undefined || client === null ? '' : bytesOf(client);
  return {
    argv: argv.flatMap((word, index) => known(word, index)),
    id,
    atMs: seconds * 1000,
    microseconds,
    client: from === undefined ? '' : toBuffer(from).toString('latin1'),
  };
}

/** Arguments that a server says it left out are at most so many: more is no slow log. */
const mostArguments = 1024 * 1024;
/** SLOWLOG_ENTRY_MAX_STRING of slowlog.h: only an argument of that length was cut. */
const keptBytes = 128;
/** SLOWLOG_ENTRY_MAX_ARGC: only the 32nd argument stands for others. */
const lastArgument = 31;

function known(word: Bytes, index: number): readonly (Bytes | undefined)[] {
  const text = toBuffer(word).toString('latin1');
  const rest = index === lastArgument ? /^\.\.\. \((\d+) more arguments\)$/.exec(text)?.[1] : undefined;
  if (rest !== undefined) return Array.from({ length: Math.min(Number(rest), mostArguments) }, () => undefined);
  const cut = /\.\.\. \(\d+ more bytes\)$/.exec(text);
  return [cut && cut.index >= keptBytes ? undefined : word];
}

function bytesOf(value: unknown): Bytes | undefined {
  if (typeof value === 'string') return value;
  return value instanceof Uint8Array ? fromBuffer(value) : undefined;
}

function fromJson(source: Uint8Array): SlowLog {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(source));
  } catch (error) {
    return { problem: `it is not JSON: ${error instanceof Error ? error.message : String(error)}`, line: 1 };
  }
  return entriesOf(Array.isArray(value) ? value : [value], () => 1);
}

function entriesOf(entries: readonly unknown[], lineOf: (index: number) => number): SlowLog {
  const read: SlowCommand[] = [];
  for (const [index, entry] of entries.entries()) {
    const command = Array.isArray(entry) ? slowCommand(entry) : undefined;
    if (!command) return { problem: `entry ${index + 1} has no id, time, duration and arguments`, line: lineOf(index) };
    read.push(command);
  }
  return read;
}

/** What redis-cli prints of nested arrays: `1) 1) (integer) 14`, each level indented to its place. */
function fromTree(text: string): SlowLog {
  if (/^\s*\(empty (?:array|list or set)\)\s*$/.test(text) || text.trim() === '') return [];
  const root: Branch = { column: -1, items: [], line: 1 };
  const lines: number[] = [];
  const open: Branch[] = [root];
  for (const [number, raw] of text.split('\n').entries()) {
    const line = raw.replace(/\r$/, '');
    if (line.trim() === '') continue;
    let column = 0;
    let rest = line;
    for (;;) {
      const mark = /^ *\d+\) /.exec(rest);
      if (!mark) break;
      // numbers are aligned to the right: what matters is where the mark ends
      column += mark[0].length;
      rest = rest.slice(mark[0].length);
      while (open.length > 1 && open.at(-1)!.column > column) open.pop();
      if (open.at(-1)!.column < column) {
        const branch: Branch = { column, items: [], line: number + 1 };
        open.at(-1)!.items.push(branch.items);
        open.push(branch);
      }
      if (open.length === 2 && /^ *\d+\) /.test(rest)) lines.push(number + 1);
    }
    const value = leaf(rest);
    if (value === undefined || open.length < 2) {
      const problem = /^\d+$/.test(line)
        ? 'redis-cli printed it without its structure'
        : `${JSON.stringify(line.slice(0, 40))} is no line of SLOWLOG GET`;
      return { problem, line: number + 1 };
    }
    open.at(-1)!.items.push(value);
  }
  const entries = root.items[0];
  return entriesOf(Array.isArray(entries) ? entries : [], (index) => lines[index] ?? 1);
}

interface Branch {
  readonly column: number;
  readonly items: unknown[];
  readonly line: number;
}

function leaf(text: string): unknown {
  const integer = /^\(integer\) (-?\d{1,16})$/.exec(text)?.[1];
  if (integer !== undefined) return Number(integer);
  if (text === '(nil)') return null;
  if (text === '(empty array)' || text === '(empty list or set)') return [];
  if (!/^"(?:[^"\\]|\\.)*"$/.test(text)) return undefined;
  return fromRepr(text.slice(1, -1));
}
