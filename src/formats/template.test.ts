import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoted } from '../base/bytes.ts';
import { ReadProblem } from './reader.ts';
import { compileTemplate, type RowValue, type Template } from './template.ts';

function compiled(each: string): Template {
  const result = compileTemplate(each);
  if ('problem' in result) throw new Error(`${result.problem.message} at ${result.problem.offset}`);
  return result.template;
}

const fill = (each: string, row: Readonly<Record<string, RowValue>>) =>
  compiled(each).fill(new Map(Object.entries(row)), 7);

function refusal(each: string, row: Readonly<Record<string, RowValue>>): ReadProblem {
  try {
    fill(each, row);
  } catch (error) {
    if (error instanceof ReadProblem) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('compileTemplate', () => {
  it.each<[string, Record<string, RowValue>, (string | Buffer)[]]>([
    ['HSET user:{{id}} name {{name}}', { id: 5n, name: 'a "b" c' }, ['HSET', 'user:5', 'name', 'a "b" c']],
    ['SET k{{a}}-{{ b }} "{{a}} and \'{{b}}"', { a: '1', b: '2' }, ['SET', 'k1-2', "1 and '2"]],
    [`SET k '{{a}} b'`, { a: 'x' }, ['SET', 'k', 'x b']],
    ['SET k {{a}}', { a: '' }, ['SET', 'k', '']],
    ['SET k ""', {}, ['SET', 'k', '']],
    ['SET k {{user.name}}', { 'user.name': 'n' }, ['SET', 'k', 'n']],
    ['SET k {{`First Name`}}', { 'First Name': 'n' }, ['SET', 'k', 'n']],
    ['SET k {{имя}}', { имя: 'n' }, ['SET', 'k', 'n']],
    ['SET k {{ok}}{{n}}', { ok: true, n: -3n }, ['SET', 'k', 'true-3']],
    ['SET k {{n + 1}}', { n: 41n }, ['SET', 'k', '42']],
    ['SET k {{a == null ? "}}" : a}}', { a: null }, ['SET', 'k', '}}']],
    ['SET k {{`a-b` + user.name + user_name}}', { 'a-b': '1', 'user.name': '2', user_name: '3' }, ['SET', 'k', '123']],
    ['SET k \\{{a}}', {}, ['SET', 'k', '{{a}}']],
    ['SET k "\\{{a}} {{a}}"', { a: '1' }, ['SET', 'k', '{{a}} 1']],
    ['SET k {{a}}', { a: Buffer.of(0xff) }, ['SET', 'k', Buffer.of(0xff)]],
    ['SET k x{{a}}', { a: Buffer.of(0xff) }, ['SET', 'k', Buffer.of(0x78, 0xff)]],
    ['SET k "\\xd0{{a}}"', { a: Buffer.of(0xba) }, ['SET', 'k', 'к']],
    ['SET k "\\x0e{{a}}\x0f"', { a: 'b' }, ['SET', 'k', '\x0eb\x0f']],
    ['{{command}} k', { command: 'DEL' }, ['DEL', 'k']],
  ])('%s', (each, row, argv) => {
    expect(fill(each, row)).toEqual(argv);
  });

  it('names its columns, and those that are computed with', () => {
    const { columns, computed } = compiled('SET {{id}}:{{id}} {{`a b` + c.d}} {{c.d}}');
    expect(columns).toEqual(['id', 'c.d', 'a b']);
    expect([...computed]).toEqual(['a b', 'c.d']);
  });

  it.each([
    ['SET k {{a', 6, '{{ is not closed by }}'],
    ['SET k {{ }}', 8, 'empty'],
    ['SET k "{{a}}', 6, 'not closed on this line'],
    ['SET "é{{a}}"x {{b}}', 11, 'closing quote'],
    ['SET k {{a +}}', 11, 'ends too early'],
    ['SET k {{a.b.size()}}', 8, 'not allowed'],
    ['SET k {{a[0]}}', 8, 'not allowed'],
    ['', 0, 'there is no command'],
    ['# SET k {{a}}', 0, 'there is no command'],
    ['SET a 1\nSET b 2', 0, 'more than one command'],
  ])('refuses %j', (each, offset, message) => {
    const result = compileTemplate(each);
    if (!('problem' in result)) throw new Error('compiled');
    expect(result.problem.message).toContain(message);
    expect(result.problem.offset).toBe(offset);
    expect(result.problem.fix).not.toBe('');
  });

  it('names the line and the column that is missing or null', () => {
    expect(refusal('SET k {{a}}', {})).toMatchObject({ line: 7, message: 'there is no column "a"' });
    expect(refusal('SET k {{a + 1}}', {})).toMatchObject({ line: 7, message: 'there is no column "a"' });
    expect(refusal('SET k {{a.b}}', { 'a.b': null })).toMatchObject({
      line: 7,
      message: expect.stringContaining('a.b is null'),
      fix: expect.stringContaining('{{a.b == null ? "" : a.b}}'),
    });
  });

  it('speaks of columns by their own names when an expression has no result', () => {
    expect(refusal('SET k {{`a b` + 1}}', { 'a b': 'x' }).message).toContain('a b is text');
    expect(refusal('SET k {{a == 1}}', { a: 1n }).message).toContain('true or false');
    expect(refusal('SET k {{a + 1}}', { a: 9223372036854775807n }).message).toContain('overflow');
  });

  it('puts any value into its word as it is, and keeps the words around it', () => {
    const value = fc.string({ unit: 'binary', maxLength: 8 }).map((text) => text.toWellFormed());
    fc.assert(
      fc.property(value, value, fc.uint8Array({ maxLength: 5 }), (literal, text, raw) => {
        const each = `SET ${quoted(literal).replaceAll('{{', '\\{{')} a{{text}}b {{raw}}`;
        expect(fill(each, { text, raw: Buffer.from(raw) })).toEqual(['SET', literal, `a${text}b`, Buffer.from(raw)]);
      }),
    );
  });

  it('never throws on random templates', () => {
    const piece = fc.constantFrom(
      '{{',
      '}}',
      '{',
      'a',
      ' ',
      '"',
      "'",
      '\\',
      '`',
      '.',
      '+',
      '1',
      '\n',
      '#',
      '(',
      'é',
      '\0',
      '\u{1F600}',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const each = pieces.join('');
        const result = compileTemplate(each);
        if ('problem' in result) {
          expect(result.problem.offset).toBeGreaterThanOrEqual(0);
          expect(result.problem.offset).toBeLessThanOrEqual(each.length);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
