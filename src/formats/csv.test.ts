import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAll, readCut } from '../../test/support/read-cuts.ts';
import { csvReader, csvRows } from './csv.ts';
import type { WireArgument } from './resp.ts';
import { compileTemplate } from './template.ts';

const reader = (each: string) => {
  const compiled = compileTemplate(each);
  if ('problem' in compiled) throw new Error(compiled.problem.message);
  return csvReader(compiled.template);
};

/** Another way to read a whole file: one expression a cell. For files that are well-formed. */
function oracle(text: string): { cells: string[]; line: number }[] {
  const rows: { cells: string[]; line: number }[] = [];
  let cells: string[] = [];
  let start = 0;
  for (const match of text.matchAll(/("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/g)) {
    const [, cell = '', end] = match;
    if (match.index >= text.length && cells.length === 0) break;
    if (cells.length === 0) start = match.index;
    cells.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (end === ',') continue;
    const empty = cells.length === 1 && cell === '';
    if (!empty) rows.push({ cells, line: text.slice(0, start).split('\n').length });
    cells = [];
  }
  return rows;
}

function rowsOf(bytes: Buffer, size: number): { cells: readonly WireArgument[]; line: number }[] {
  const rows: { cells: readonly WireArgument[]; line: number }[] = [];
  const csv = csvRows((cells, line) => rows.push({ cells, line }));
  for (let at = 0; at < bytes.length; at += size) csv.push(Buffer.from(bytes.subarray(at, at + size)));
  csv.end();
  return rows;
}

const content = fc.array(fc.constantFrom('a', '1', ' ', '"', ',', '\n', '\r\n', '\r', 'é', '\u{1F600}'), {
  maxLength: 5,
});
const cell = fc.tuple(content, fc.boolean()).map(([parts, quote]) => {
  const text = parts.join('');
  return quote || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
});
const ends = fc.constantFrom('\n', '\r\n');
const file = fc
  .tuple(fc.array(fc.tuple(fc.array(cell, { minLength: 1, maxLength: 4 }), ends), { maxLength: 6 }), fc.boolean())
  .map(([rows, closed]) => {
    const text = rows.map(([cells, end]) => `${cells.join(',')}${end}`).join('');
    return closed ? text : text.replace(/\r?\n$/, '');
  });

describe('csvRows', () => {
  it('agrees with a whole-file reader on generated rows, wherever they are cut', () => {
    fc.assert(
      fc.property(file, (text) => {
        const bytes = Buffer.from(text);
        const expected = oracle(text);
        for (const size of [bytes.length + 1, 1, 3]) expect(rowsOf(bytes, size)).toEqual(expected);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('csvReader', () => {
  it('names columns by the first row, skips a byte order mark and empty lines, and counts lines in quotes', () => {
    const text = '\ufeffid,name\r\n1,"a ""b"",\r\nc"\r\n\r\n2,é\n3,""';
    expect(readAll(reader('SET u:{{id}} {{name}}'), Buffer.from(text)).commands).toEqual([
      { argv: ['SET', 'u:1', 'a "b",\r\nc'], line: 2 },
      { argv: ['SET', 'u:2', 'é'], line: 5 },
      { argv: ['SET', 'u:3', ''], line: 6 },
    ]);
  });

  it('keeps bytes that are not UTF-8, in quotes or not', () => {
    const bytes = Buffer.from('a,b\n\xff,"\xfe"",""\xe9"\n', 'latin1');
    expect(readAll(reader('SET {{a}} {{b}}'), bytes).commands).toEqual([
      { argv: ['SET', Buffer.of(0xff), Buffer.from('\xfe","\xe9', 'latin1')], line: 2 },
    ]);
  });

  it('computes with integers, and leaves other text as it is', () => {
    const text = 'id,n,zip\n9223372036854775806,1,00501\n';
    expect(readAll(reader('SET {{id + n}} {{zip}} {{n}}'), Buffer.from(text)).commands).toEqual([
      { argv: ['SET', '9223372036854775807', '00501', '1'], line: 2 },
    ]);
  });

  it.each([
    ['id;name\n1;a\n', 1, 1, 'there is no column "id"; the columns are "id;name"'],
    ['id,id\n1,2\n', 1, 1, 'there is more than one column "id"'],
    ['id,b\n1,2\n3\n', 3, 1, 'the row has 1 cell, but there are 2 columns'],
    ['id,b\n1,2\n3,4,5\n', 3, 1, 'the row has 3 cells, but there are 2 columns'],
    ['id,b\n1,2\n3,5" disk\n4,x\n', 3, 4, 'a quote stands in a cell that does not begin with one'],
    ['id,b\n1,2\n3,"é"x\n', 3, 6, 'a closing quote must be followed by a comma'],
    ['id,b\n1,2\n3,"x\n4,y\n', 3, 3, 'the quote of a cell is not closed'],
    ['id,b\n1,2\n3,a\rb\n', 3, 4, 'a carriage return stands in a cell without quotes'],
    ['id,b\n1,2\n3,a\0b\n', 3, 4, 'a NUL byte stands in the row'],
    ['id,b\n1,2\n3,"é\na\0b"\n', 4, 2, 'a NUL byte stands in the row'],
  ])('refuses %j', (text, line, column, message) => {
    const bytes = Buffer.from(text);
    for (const size of [bytes.length, 1]) {
      const { commands, problem } = readCut(reader('DEL {{id}}'), bytes, () => size);
      expect(commands).toEqual(line === 1 ? [] : [{ argv: ['DEL', '1'], line: 2 }]);
      expect(problem?.message).toContain(message);
      expect(problem).toMatchObject({ line, column });
      expect(problem?.fix).not.toBe('');
    }
  });

  it('names the row that an expression has no result for', () => {
    const { commands, problem } = readAll(reader('SET k {{n + 1}}'), Buffer.from('n\n1\nx\n'));
    expect(commands).toEqual([{ argv: ['SET', 'k', '2'], line: 2 }]);
    expect(problem).toMatchObject({ line: 3, message: expect.stringContaining('n is text') });
  });

  it('reads or refuses random bytes the same way wherever they are cut', () => {
    const piece = fc.constantFrom('a', ',', '"', '\n', '\r', '\r\n', '\0', 'é', '\xff');
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 24 }).map((raw) => Buffer.from(raw)),
      fc.array(piece, { maxLength: 24 }).map((parts) => Buffer.from(`a,b\n${parts.join('')}`, 'latin1')),
    );
    fc.assert(
      fc.property(bytes, (raw) => {
        expect(readCut(reader('SET {{a}} {{b}}'), raw, () => 1)).toEqual(readAll(reader('SET {{a}} {{b}}'), raw));
      }),
      { numRuns: 2_000 },
    );
  });

  it('names the quote that swallows a file, instead of filling the memory', () => {
    const csv = reader('DEL {{id}}');
    csv.push(Buffer.from('id,b\n1,2\n2,5" disk\n'));
    const chunk = Buffer.from('3,4\n'.repeat(1024 * 1024));
    expect(() => {
      for (let pushed = 0; pushed < 20; pushed += 1) csv.push(chunk);
    }).toThrow('a quote stands in a cell that does not begin with one');
  });
});
