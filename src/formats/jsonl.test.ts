import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAll, readCut } from '../../test/support/read-cuts.ts';
import { readJsonRow, wantedColumns } from './json-row.ts';
import { jsonlReader } from './jsonl.ts';
import { ReadProblem } from './reader.ts';
import { compileTemplate } from './template.ts';

const reader = (each: string) => {
  const compiled = compileTemplate(each);
  if ('problem' in compiled) throw new Error(compiled.problem.message);
  return jsonlReader(compiled.template);
};

/** The columns that text has, or the problem. */
function row(text: string, columns: readonly string[]): Map<string, unknown> | ReadProblem {
  try {
    return readJsonRow(text, wantedColumns({ columns, computed: new Set() }), 1);
  } catch (error) {
    if (error instanceof ReadProblem) return error;
    throw error;
  }
}

describe('jsonlReader', () => {
  it('reads objects, nested members, blank lines and a byte order mark', () => {
    const text =
      '\ufeff{"id":1,"u":{"name":"a b","x":{"y":true}}}\r\n\n \t\r\n {"u" : {"x":{"y":false}, "name":"\\u00e9\\n\\""} , "id":"2"} ';
    expect(readAll(reader('SET k:{{id}} {{u.name}} {{u.x.y}}'), Buffer.from(text))).toEqual({
      commands: [
        { argv: ['SET', 'k:1', 'a b', 'true'], line: 1 },
        { argv: ['SET', 'k:2', 'é\n"', 'false'], line: 4 },
      ],
    });
  });

  it.each([
    '0',
    '-0',
    '1.0',
    '1e3',
    '1E+2',
    '-0.50',
    '9007199254740993',
    '123456789012345678901234567890',
    '0.1000000000000000055',
  ])('keeps the digits of %s', (number) => {
    const { commands } = readAll(reader('SET k {{n}}'), Buffer.from(`{"n":${number}}\n`));
    expect(commands).toEqual([{ argv: ['SET', 'k', number], line: 1 }]);
  });

  it('computes exactly with integers, and takes text for text', () => {
    const text = '{"n":9007199254740993,"s":"5"}';
    expect(readAll(reader('SET {{n + 1}} {{s + "1"}}'), Buffer.from(text)).commands).toEqual([
      { argv: ['SET', '9007199254740994', '51'], line: 1 },
    ]);
  });

  it('lets an expression decide about null', () => {
    const text = '{"n":null}\n{"n":"x"}\n';
    expect(readAll(reader('SET k {{n == null ? "none" : n}}'), Buffer.from(text)).commands).toEqual([
      { argv: ['SET', 'k', 'none'], line: 1 },
      { argv: ['SET', 'k', 'x'], line: 2 },
    ]);
  });

  it.each([
    ['{"id":null}', 1, 'id is null'],
    ['{"ID":2}', 1, 'there is no column "id"'],
    ['{"id":{"a":1}}', 7, 'id is an object'],
    ['{"id":[1]}', 7, 'id is an array'],
    ['{"id":2,"id":3}', 14, 'id stands twice'],
    ['[1,2]', 1, 'the line is no JSON object'],
    ['hello', 1, 'the line is no JSON object'],
    ['{"id":2} {"id":3}', 10, 'something stands behind the object'],
    ['{"id":2,}', 9, "a member's name in double quotes should stand here"],
    ['{"é":1 "id":2}', 8, '"," or "}" should stand here'],
    ['{"id":01}', 7, 'a value should stand here'],
    ['{"id":NaN}', 7, 'a value should stand here'],
    ['{"id":"a', 9, 'the closing quote of a string should stand here'],
    ['{"id":"a\tb"}', 9, 'a control character stands in a string'],
    ['{"id":"a\0"}', 9, 'a NUL byte stands in a string'],
    ['{"id":"\\x"}', 7, 'an escape that JSON does not know'],
    ['{"id":"\\ud800"}', 7, 'half of a surrogate pair'],
    [`{"a":${'['.repeat(600)}`, 517, 'nested over 512 deep'],
  ])('refuses %j', (line, column, message) => {
    const bytes = Buffer.from(`{"id":1}\n${line}\n{"id":4}\n`);
    for (const size of [bytes.length, 1]) {
      const { commands, problem } = readCut(reader('DEL {{id}}'), bytes, () => size);
      expect(commands).toEqual([{ argv: ['DEL', '1'], line: 1 }]);
      expect(problem?.message).toContain(message);
      expect(problem).toMatchObject({ line: 2, column });
      expect(problem?.fix).not.toBe('');
    }
  });

  it('refuses bytes that are not UTF-8', () => {
    const bytes = Buffer.from('{"id":1}\n{"id":"\xff"}\n', 'latin1');
    expect(readAll(reader('DEL {{id}}'), bytes)).toMatchObject({
      commands: [{ argv: ['DEL', '1'] }],
      problem: { line: 2, column: 8, message: 'the line is not UTF-8' },
    });
  });

  it('agrees with JSON.parse about what an object is and what its members are', () => {
    const text = fc.string({ unit: 'binary', maxLength: 4 }).map((one) => one.toWellFormed());
    const value = fc.oneof(
      text,
      fc.boolean(),
      fc.maxSafeInteger().map((one) => (one === 0 ? 0 : one)),
      fc.constant(null),
      fc.jsonValue({ maxDepth: 2 }),
    );
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('a', 'b', 'c d', 'é'), value),
        fc.integer({ min: 0, max: 2 }),
        (object, indent) => {
          const json = JSON.stringify(object, null, indent).replaceAll('\n', '\t').toWellFormed();
          const scalar = Object.entries(object).filter(([, one]) => typeof one !== 'object' || one === null);
          const found = row(
            json,
            scalar.map(([name]) => name),
          );
          if (json.includes('\\ud')) return;
          expect(found).toEqual(
            new Map(scalar.map(([name, one]) => [name, typeof one === 'number' ? JSON.stringify(one) : one])),
          );
        },
      ),
      { numRuns: 1_000 },
    );
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"a"',
      '"',
      '1',
      '-',
      '.',
      'e',
      '0',
      'true',
      'null',
      ' ',
      '\\',
      'u0041',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const json = `{${pieces.join('')}}`;
        let valid = true;
        try {
          JSON.parse(json);
        } catch {
          valid = false;
        }
        expect(row(json, []) instanceof ReadProblem).toBe(!valid);
      }),
      { numRuns: 3_000 },
    );
  });

  it('reads or refuses random bytes the same way wherever they are cut', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 24 }).map((raw) => Buffer.from(raw)),
      fc
        .array(fc.constantFrom('{"id":', '1}', '"é"}', '\n', '}', '{', '\r\n', ' '), { maxLength: 16 })
        .map((parts) => Buffer.from(parts.join(''))),
    );
    fc.assert(
      fc.property(bytes, (raw) => {
        expect(readCut(reader('DEL {{id}}'), raw, () => 1)).toEqual(readAll(reader('DEL {{id}}'), raw));
      }),
      { numRuns: 2_000 },
    );
  });
});
