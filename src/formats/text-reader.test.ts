import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAll, readCut } from '../../test/support/read-cuts.ts';
import { toBuffer } from '../base/bytes.ts';
import { parseCommands } from './text.ts';
import { textReader } from './text-reader.ts';

/** What parseCommands says, in the reader's form: everything up to the first problem. */
function parsed(bytes: Buffer) {
  const { commands, problems } = parseCommands(bytes);
  const [problem] = problems;
  return {
    commands: commands
      .filter(({ span }) => !problem || span.line < problem.span.line)
      .map(({ argv, span }) => ({
        argv: argv.map((word) => {
          if (typeof word === 'string') return word;
          if ('expr' in word) throw new Error('an expression where there is none');
          return toBuffer(word);
        }),
        line: span.line,
      })),
    ...(problem
      ? {
          problem: {
            message: problem.message,
            fix: problem.fix,
            line: problem.span.line,
            column: problem.span.column,
          },
        }
      : {}),
  };
}

const piece = fc.constantFrom(
  'SET', 'k', ' ', ' ', '\t', '\n', '\n', '\r\n', '\r', '\\', '\\\n', '\\\r\n', '"', '"', "'", '"a b"', "'c d'", '# no',
  '\n#', '"\\x41\\n"', '\\"', '\v', '\f', '\0', 'ключ', '\u00a0', '\u0085', '\ufeff', '{{', '}}', '\u0001',
); // biome-ignore format: a list of pieces
const text = fc.oneof(
  fc.array(piece, { maxLength: 24 }).map((pieces) => Buffer.from(pieces.join(''))),
  fc
    .array(
      fc.oneof(
        piece.map((one) => Buffer.from(one)),
        fc.uint8Array({ maxLength: 2 }).map((raw) => Buffer.from(raw)),
      ),
      {
        maxLength: 16,
      },
    )
    .map((parts) => Buffer.concat(parts)),
);

describe('textReader', () => {
  it('agrees with parseCommands on random text', () => {
    fc.assert(
      fc.property(text, (bytes) => {
        expect(readAll(textReader(), bytes)).toEqual(parsed(bytes));
      }),
      { numRuns: 3_000 },
    );
  });

  it('gives the same wherever the bytes are cut', () => {
    fc.assert(
      fc.property(text, fc.infiniteStream(fc.integer({ min: 1, max: 5 })), (bytes, cuts) => {
        const whole = readAll(textReader(), bytes);
        expect(readCut(textReader(), bytes, () => 1)).toEqual(whole);
        expect(readCut(textReader(), bytes, () => cuts.next().value as number)).toEqual(whole);
      }),
      { numRuns: 1_000 },
    );
  });

  it('reads plain, quoted, continued, commented and foreign lines', () => {
    const bytes = Buffer.from(
      `\ufeffSET a 1\r\n\n# it's a comment \\\n  SET "b c" 'd "e'\nMSET a \\\n  b "\\x00"\nSET \xe4 \xff\nPING`,
    );
    expect(readAll(textReader(), bytes)).toEqual(parsed(bytes));
    expect(readAll(textReader(), bytes).commands.map(({ line }) => line)).toEqual([1, 4, 5, 7, 8]);
    const latin1 = Buffer.from('SET k \xff\nSET k v\n', 'latin1');
    expect(readAll(textReader(), latin1).commands).toEqual([
      { argv: ['SET', 'k', Buffer.of(0xff)], line: 1 },
      { argv: ['SET', 'k', 'v'], line: 2 },
    ]);
  });

  it('agrees with parseCommands on long runs of lines that need the parser', () => {
    const line = (index: number): string => {
      if (index % 90 === 89) return `SET plain ${index}`;
      return index % 7 === 3 ? `SET k${index} \\\n "\\x41"` : `SET k${index} "{\\"n\\":${index}}"`;
    };
    const bytes = Buffer.from(Array.from({ length: 1_000 }, (_, index) => line(index)).join('\r\n'));
    const whole = readAll(textReader(), bytes);
    expect(whole.commands).toHaveLength(1_000);
    expect(whole).toEqual(parsed(bytes));
    expect(readCut(textReader(), bytes, () => 777)).toEqual(whole);
    const broken = Buffer.concat([bytes, Buffer.from('\nSET "\\"\nPING\n')]);
    expect(readAll(textReader(), broken)).toEqual(parsed(broken));
  });

  it('gives a command as soon as its line is whole, and the last one at the end', () => {
    const reader = textReader();
    expect(reader.push(Buffer.from('SET a 1\nSET b'))).toEqual([{ argv: ['SET', 'a', '1'], line: 1 }]);
    expect(reader.push(Buffer.from(' 2'))).toEqual([]);
    expect(reader.push(Buffer.from('\nSET c'))).toEqual([{ argv: ['SET', 'b', '2'], line: 2 }]);
    expect(reader.end()).toEqual([{ argv: ['SET', 'c'], line: 3 }]);
  });

  it('names the line, the column and the remedy far into a file, with everything before it', () => {
    const lines = Array.from({ length: 734_220 }, (_, index) => `SET k${index} v`);
    const bytes = Buffer.from(`${lines.join('\n')}\n  SET "open\nSET never read\n`);
    const { commands, problem } = readAll(textReader(), bytes);
    expect(commands).toHaveLength(734_220);
    expect(problem).toMatchObject({
      line: 734_221,
      column: 7,
      message: 'the double quote is not closed on this line',
      fix: expect.stringContaining('close it with "'),
    });
  });

  it('refuses a file without line ends instead of filling the memory', () => {
    const reader = textReader();
    const chunk = Buffer.alloc(4 * 1024 * 1024, 'a');
    expect(() => {
      for (let pushed = 0; pushed < 20; pushed += 1) reader.push(chunk);
    }).toThrow('the line is longer than 64 MB');
  });
});
