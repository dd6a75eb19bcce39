/**
 * Rows of comma-separated values as RFC 4180 has them: a cell may stand in double quotes, and then hold commas, line
 * breaks and doubled quotes. What RFC 4180 leaves open is not guessed at: a stray quote or carriage return is a problem,
 * since the reading that looks right may shift every cell behind it.
 */
import { canonicalInteger } from './expr-evaluate.ts';
import {
  type CommandReader,
  collect,
  createBlocks,
  isAsciiAt,
  MAX_RECORD,
  ReadProblem,
  startsWithMark,
  type View,
  viewOf,
  wordAt,
  wordOf,
} from './reader.ts';
import type { WireArgument } from './resp.ts';
import type { RowValue, Template } from './template.ts';

/** Takes a row; `line` is that of its first byte. The first row names the columns. */
export type TakeRow = (cells: readonly WireArgument[], line: number) => void;

/** Bytes in, rows out as soon as they are whole. Throws ReadProblem; empty lines are no rows, a byte order mark is skipped. */
export interface CsvRows {
  push(chunk: Buffer): void;
  end(): void;
}

/** A reader of rows; an empty cell that is a row of its own is written `""`. */
export function csvRows(take: TakeRow): CsvRows {
  const state: State = { line: 1, started: false };
  const blocks = createBlocks(wholeRows());
  const read = (block: Buffer): void => readRows(state, block, take);
  return {
    push: (chunk) => {
      const block = blocks.take(chunk);
      if (block) read(block);
      if (blocks.held <= MAX_RECORD) return;
      const { line } = state;
      read(Buffer.concat([blocks.rest(), lineEnd])); // a stray quote looks like a row without end: the reader names it
      const message = `the row is longer than ${MAX_RECORD / 1024 / 1024} MB`;
      throw new ReadProblem(message, 'check that the file holds comma-separated values', { line, column: 1 });
    },
    end: () => {
      const rest = blocks.rest();
      if (rest.length > 0) read(Buffer.concat([rest, lineEnd]));
    },
  };
}

/** A reader of commands: one for each row behind the first, which names the columns. A row has as many cells as there are columns. */
export function csvReader(each: Template): CommandReader {
  let columns: Columns | undefined;
  const row = new Map<string, RowValue>();
  const rows = csvRows((cells, line) => {
    if (!columns) columns = columnsOf(cells, each, line);
    else {
      if (cells.length !== columns.count) throw wrongCount(cells.length, columns.count, line);
      for (const { name, index, computed } of columns.used) {
        const cell = cells[index]!;
        row.set(name, computed && typeof cell === 'string' ? (canonicalInteger(cell) ?? cell) : cell);
      }
      commands.push({ argv: each.fill(row, line), line });
    }
  });
  let commands: { argv: readonly WireArgument[]; line: number }[] = [];
  const reading = (read: () => void) =>
    collect((list) => {
      commands = list;
      read();
    });
  return { push: (chunk) => reading(() => rows.push(chunk)), end: () => reading(() => rows.end()) };
}

interface State {
  line: number;
  started: boolean;
}

const lineEnd = Buffer.from('\n', 'latin1');
const LF = 0x0a;
const CR = 0x0d;
const COMMA = 0x2c;
const QUOTE = 0x22;

/** A line end ends a row where the quotes before it are even: within a quoted cell they are odd, doubled ones included. */
function wholeRows(): (chunk: Buffer) => number {
  let quoted = false;
  return (chunk) => {
    let end = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (byte === QUOTE) quoted = !quoted;
      else if (byte === LF && !quoted) end = at + 1;
    }
    return end;
  };
}

/** Reads a block of whole rows; it ends with a line end. */
function readRows(state: State, block: Buffer, take: TakeRow): void {
  const view = viewOf(block);
  const { text } = view;
  let at = !state.started && startsWithMark(block) ? 3 : 0;
  state.started = true;
  let lineStart = at;
  while (at < text.length) {
    const { line } = state;
    const cells: WireArgument[] = [];
    for (;;) {
      const cell = text.charCodeAt(at) === QUOTE ? quotedCell(view, at) : plainCell(view, at);
      if ('problem' in cell) {
        const [ends, start] = lineEndsBefore(text, lineStart, cell.at);
        const place = { line: line + ends, column: wordOf(block.subarray(start, cell.at)).length + 1 };
        throw new ReadProblem(cell.problem, cell.fix, place);
      }
      at = cell.end;
      cells.push(cell.value);
      if (cell.lines > 0) state.line += cell.lines;
      if (text.charCodeAt(at) !== COMMA) break;
      at += 1;
    }
    const empty = cells.length === 1 && cells[0] === '' && text.charCodeAt(at - 1) !== QUOTE;
    at += text.charCodeAt(at) === CR ? 2 : 1;
    state.line += 1;
    lineStart = at;
    if (!empty) take(cells, line);
  }
}

/** A cell, and the offset of what ends it; or why there is none. */
type Cell =
  | { readonly value: WireArgument; readonly end: number; readonly lines: number }
  | { readonly problem: string; readonly fix: string; readonly at: number };

function plainCell(view: View, start: number): Cell {
  const { text } = view;
  for (let at = start; ; at += 1) {
    const code = text.charCodeAt(at);
    if (code === COMMA || code === LF || (code === CR && text.charCodeAt(at + 1) === LF)) {
      return { value: wordAt(view, start, at), end: at, lines: 0 };
    }
    if (code === QUOTE || code === CR || code === 0) return stray(code, at);
  }
}

function quotedCell(view: View, start: number): Cell {
  const { text } = view;
  let doubled = false;
  let lines = 0;
  for (let at = start + 1; ; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      if (text.charCodeAt(at + 1) === QUOTE) {
        doubled = true;
        at += 1;
        continue;
      }
      const end = at + 1;
      const next = text.charCodeAt(end);
      if (next !== COMMA && next !== LF && !(next === CR && text.charCodeAt(end + 1) === LF)) return afterQuote(end);
      return { value: doubled ? undoubled(view, start + 1, at) : wordAt(view, start + 1, at), end, lines };
    }
    if (code === LF) lines += 1;
    else if (code === 0) return stray(code, at);
    else if (Number.isNaN(code)) return unclosed(start);
  }
}

function undoubled(view: View, from: number, to: number): WireArgument {
  const text = view.text.substring(from, to).replaceAll('""', '"');
  return isAsciiAt(view, from, to) ? text : wordOf(Buffer.from(text, 'latin1'));
}

function stray(code: number, at: number): Cell {
  if (code === 0) {
    const fix = 'check that the file is text: UTF-16 has to be converted to UTF-8 first';
    return { problem: 'a NUL byte stands in the row', fix, at };
  }
  if (code === CR) {
    const fix = 'put the cell in quotes, or end lines with LF or CRLF';
    return { problem: 'a carriage return stands in a cell without quotes', fix, at };
  }
  const fix = 'put the whole cell in quotes and write the quote twice: "5"" disk"';
  return { problem: 'a quote stands in a cell that does not begin with one', fix, at };
}

function afterQuote(at: number): Cell {
  const fix = 'put a comma or a line end there, or write a quote within the cell twice: ""';
  return { problem: 'a closing quote must be followed by a comma or the end of the line', fix, at };
}

function unclosed(at: number): Cell {
  const fix = 'close it, or write the file again if its end is missing';
  return { problem: 'the quote of a cell is not closed before the end of the file', fix, at };
}

/** How many lines end between two offsets, and where the last of them ends. */
function lineEndsBefore(text: string, from: number, to: number): readonly [ends: number, start: number] {
  let ends = 0;
  let start = from;
  for (let at = text.indexOf('\n', from); at !== -1 && at < to; at = text.indexOf('\n', start)) {
    ends += 1;
    start = at + 1;
  }
  return [ends, start];
}

interface Columns {
  readonly count: number;
  readonly used: readonly { readonly name: string; readonly index: number; readonly computed: boolean }[];
}

function columnsOf(cells: readonly WireArgument[], each: Template, line: number): Columns {
  const used = each.columns.map((name) => {
    const index = cells.indexOf(name);
    const place = { line, column: 1 };
    if (index === -1) {
      const names = cells.map((cell) => JSON.stringify(cell.toString())).join(', ');
      const message = `there is no column ${JSON.stringify(name)}; the columns are ${names.slice(0, 500)}`;
      throw new ReadProblem(message, 'correct the name in the template; columns are separated by commas', place);
    }
    if (cells.indexOf(name, index + 1) !== -1) {
      const message = `there is more than one column ${JSON.stringify(name)}`;
      throw new ReadProblem(message, 'give each column a name of its own', place);
    }
    return { name, index, computed: each.computed.has(name) };
  });
  return { count: cells.length, used };
}

function wrongCount(found: number, expected: number, line: number): ReadProblem {
  const message = `the row has ${found} ${found === 1 ? 'cell' : 'cells'}, but there are ${expected} columns`;
  const fix =
    found < expected
      ? 'write the missing cells, or leave the commas between empty ones'
      : 'put cells that hold a comma in quotes';
  return new ReadProblem(message, fix, { line, column: 1 });
}
