/** Comments of Lua, held against the parser's own list where the script compiles, and total for every text. */
import fc from 'fast-check';
import luaparse from 'luaparse';
import { expect, test } from 'vitest';
import { luaLines } from './lua-comments.ts';

const of = (text: string) => luaLines(Buffer.from(text));

test('comments behind code, alone, and what only looks like one', () => {
  const { comments, hasCode } = of(
    [
      '#!lua name=x',
      "local s = '-- no' -- one",
      '  -- two',
      'local t = [==[',
      '-- no',
      ']==] --[[ no',
      '-- no ]] local u = "\\"-- no" -- three',
      '',
      'é() -- four',
    ].join('\r\n'),
  );
  expect(comments).toEqual([
    { line: 2, column: 19, text: ' one', alone: false },
    { line: 3, column: 3, text: ' two', alone: true },
    { line: 7, column: 30, text: ' three', alone: false },
    { line: 9, column: 5, text: ' four', alone: false },
  ]);
  expect(hasCode).toEqual([false, true, false, true, true, true, true, false, true]);
});

test('an open string or bracket ends with its line or its text, and nothing throws', () => {
  expect(of('x = "a -- b\ny() -- c').comments).toEqual([{ line: 2, column: 5, text: ' c', alone: false }]);
  expect(of('x = [[ -- b\n-- c').comments).toEqual([]);
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void luaLines(bytes)));
});

test('agrees with the parser on every text that it takes', () => {
  const piece = fc.constantFrom(
    'x = 1',
    '-- a',
    '--',
    '--[[ b ]]',
    '--[=[ c\n]] ]=]',
    '[[ -- d ]]',
    "'--'",
    '"\\"--"',
    '\n',
    ' ',
    'f(',
    ')',
    '--[a',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join(' ');
      let parsed: { raw: string }[];
      try {
        parsed =
          (luaparse.parse(text, { luaVersion: '5.1', comments: true }) as { comments?: { raw: string }[] }).comments ??
          [];
      } catch {
        return;
      }
      const lines = parsed.filter(({ raw }) => !/^--\[=*\[/.test(raw)).map(({ raw }) => raw);
      expect(of(text).comments.map(({ text: body }) => `--${body}`)).toEqual(lines);
    }),
    { numRuns: 2000 },
  );
});
