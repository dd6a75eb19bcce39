/**
 * Files of one JSON object a line. Values keep what stands in the file: numbers stay their digits, however long, since a
 * double would round an identifier of 64 bits without a word.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { readJsonRow, type WantedColumns, wantedColumns } from './json-row.ts';
import {
  type CommandReader,
  collect,
  createBlocks,
  MAX_RECORD,
  type ReadCommand,
  ReadProblem,
  startsWithMark,
} from './reader.ts';
import type { Template } from './template.ts';

/** A reader of commands: one for each line that is not blank. A column `a.b` is the member b of the object a. */
export function jsonlReader(each: Template): CommandReader {
  const wanted = wantedColumns(each);
  const state: State = { line: 1, started: false };
  const blocks = createBlocks((chunk) => chunk.lastIndexOf(0x0a) + 1);
  return {
    push: (chunk) =>
      collect((commands) => {
        const block = blocks.take(chunk);
        if (block) readLines(state, block, wanted, each, commands);
        if (blocks.held > MAX_RECORD) throw tooLong(state);
      }),
    end: () => collect((commands) => readLines(state, blocks.rest(), wanted, each, commands)),
  };
}

interface State {
  line: number;
  started: boolean;
}

function readLines(state: State, block: Buffer, wanted: WantedColumns, each: Template, commands: ReadCommand[]): void {
  const ascii = isAscii(block) ? block.toString('latin1') : undefined;
  let at = !state.started && startsWithMark(block) ? 3 : 0;
  if (block.length > 0) state.started = true;
  while (at < block.length) {
    const found = block.indexOf(0x0a, at);
    const end = found === -1 ? block.length : found;
    const text = ascii === undefined ? decoded(block.subarray(at, end), state.line) : ascii.slice(at, end);
    if (!isBlank(text)) {
      const row = readJsonRow(text, wanted, state.line);
      commands.push({ argv: each.fill(row, state.line), line: state.line });
    }
    at = end + 1;
    state.line += 1;
  }
}

function isBlank(text: string): boolean {
  return text.charCodeAt(0) !== 0x7b && /^[ \t\r]*$/.test(text);
}

function decoded(bytes: Buffer, line: number): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  const text = bytes.toString('utf8');
  const column = text.indexOf('\ufffd') + 1;
  throw new ReadProblem('the line is not UTF-8', 'write JSON in UTF-8, and other bytes in base64', { line, column });
}

function tooLong({ line }: State): ReadProblem {
  const message = `the line is longer than ${MAX_RECORD / 1024 / 1024} MB`;
  return new ReadProblem(message, 'write each object on a line of its own', { line, column: 1 });
}
