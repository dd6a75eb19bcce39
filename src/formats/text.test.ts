import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bytes, fromBuffer, printable, quoted } from '../base/bytes.ts';
import { parseCommands, type TextArgument, type TextOptions, wordPlaces } from './text.ts';

/** The argvs of a text that has no problem. */
function argvs(source: string | Uint8Array, options?: TextOptions): readonly (readonly TextArgument[])[] {
  const { commands, problems } = parseCommands(source, options);
  expect(problems).toEqual([]);
  return commands.map((command) => command.argv);
}

function onlyProblem(source: string | Uint8Array, options?: TextOptions) {
  const { commands, problems } = parseCommands(source, options);
  expect(commands).toEqual([]);
  expect(problems).toHaveLength(1);
  return problems[0]!;
}

describe('words', () => {
  it.each<[string, TextArgument[]]>([
    ['SET a b', ['SET', 'a', 'b']],
    ['  SET\t a \r', ['SET', 'a']],
    ['SET a ""', ['SET', 'a', '']],
    [`SET a ''`, ['SET', 'a', '']],
    ['SET "a b" c', ['SET', 'a b', 'c']],
    ['SET a"b c" d', ['SET', 'ab c', 'd']],
    [`SET a'b c'`, ['SET', 'ab c']],
    [String.raw`ECHO "\n\r\t\b\a\\\"\q"`, ['ECHO', '\n\r\t\b\x07\\"q']],
    [String.raw`ECHO "\x41\x4a\X41\x4g\x"`, ['ECHO', 'AJX41x4gx']],
    [String.raw`ECHO '\n\'\\ '`, ['ECHO', "\\n'\\\\ "]],
    [String.raw`ECHO a\b \x41`, ['ECHO', 'a\\b', '\\x41']],
    ['ECHO a\\', ['ECHO', 'a\\']],
    ['ECHO a#b #c', ['ECHO', 'a#b', '#c']],
    ['ECHO a\vb \v c', ['ECHO', 'a\vb', 'c']],
    ['ECHO "a"\vb', ['ECHO', 'a', 'b']],
    ['ECHO "a"\fb', ['ECHO', 'a', 'b']],
    ['ECHO a\rb', ['ECHO', 'a', 'b']],
    ['SET ключ "значение"', ['SET', 'ключ', 'значение']],
    [String.raw`SET k "\xd0\xba"`, ['SET', 'k', 'к']],
    [String.raw`SET k "\xff\x00"`, ['SET', 'k', { base64: '/wA=' }]],
  ])('%j', (source, argv) => {
    expect(argvs(source)).toEqual([argv]);
  });

  it('keeps bytes that are not UTF-8', () => {
    expect(argvs(Buffer.from('SET \xff "\xfe"', 'latin1'))).toEqual([['SET', { base64: '/w==' }, { base64: '/g==' }]]);
  });
});

describe('lines', () => {
  it('ignores empty lines and comments, and takes CRLF, a missing last newline and a byte order mark', () => {
    expect(argvs('\uFEFF\r\n\n# c "\r\n  # \\\nPING\r\n\t\nECHO a')).toEqual([['PING'], ['ECHO', 'a']]);
  });

  it('goes on behind a backslash and a newline, also inside a word', () => {
    expect(argvs('MSET a 1 \\\n  b 2 \\\r\n c\\\nd 3\nPING')).toEqual([
      ['MSET', 'a', '1', 'b', '2', 'cd', '3'],
      ['PING'],
    ]);
    expect(argvs('ECHO "a"\\\n\nPING')).toEqual([['ECHO', 'a'], ['PING']]);
    expect(argvs('ECHO "a"\\\n b')).toEqual([['ECHO', 'a', 'b']]);
    expect(argvs('ECHO a\\\\\nb')).toEqual([['ECHO', 'a\\b']]);
    expect(argvs('\\\nPING')).toEqual([['PING']]);
    expect(argvs('\\\n\nPING')).toEqual([['PING']]);
  });

  it('does not go on from a comment', () => {
    expect(argvs('# a \\\nPING')).toEqual([['PING']]);
  });

  it('refuses a comment inside a continued command', () => {
    expect(onlyProblem('DEL a \\\n  # b \\\n c')).toMatchObject({
      message: expect.stringContaining('comment'),
      span: { line: 2, column: 3, length: 1 },
    });
  });

  it('counts places in characters', () => {
    const { commands } = parseCommands('\n\u{1F600}\u00e9 b\nSET ключ \\\n x # y', { file: 'a.redis' });
    expect(commands.map(({ span }) => span)).toEqual([
      { file: 'a.redis', line: 2, column: 1, length: 4 },
      { file: 'a.redis', line: 3, column: 1, length: 17 },
    ]);
  });
});

describe('problems', () => {
  it('lists every one, with its place, and keeps the good lines', () => {
    const { commands, problems } = parseCommands('SET a "b\nPING\n  SET é "b"c\nGET a\nSET a \'b\nECHO a', {
      file: 'f',
    });
    expect(commands.map(({ argv }) => argv)).toEqual([['PING'], ['GET', 'a'], ['ECHO', 'a']]);
    expect(problems.map(({ span }) => span)).toEqual([
      { file: 'f', line: 1, column: 7, length: 2 },
      { file: 'f', line: 3, column: 11, length: 1 },
      { file: 'f', line: 5, column: 7, length: 2 },
    ]);
    for (const problem of problems) expect(problem.fix).not.toBe('');
  });

  it.each([
    ['an open double quote', 'SET a "b', /double quote is not closed/],
    ['an open double quote behind an escape', 'SET a "b\\', /double quote is not closed/],
    ['an open double quote behind an escaped quote', 'SET a "b\\"', /double quote is not closed/],
    ['an open single quote', "SET a 'b\\'", /single quote is not closed/],
    ['text behind a closing quote', 'SET a "b"c', /closing quote/],
    ['a quote behind a closing quote', `SET a 'b'"c"`, /closing quote/],
    ['a continued word behind a closing quote', 'SET a "b"\\\nc', /closing quote/],
    ['a NUL in a word', 'SET a b\0c', /NUL/],
    ['a NUL in quotes', 'SET a "b\0c"', /NUL/],
    ['a NUL as a word', 'SET \0', /NUL/],
  ])('%s', (_name, source, message) => {
    expect(onlyProblem(source).message).toMatch(message);
  });

  it('skips the continued rest of a bad line', () => {
    const { commands, problems } = parseCommands('DEL "a \\\n FLUSHALL \\\r\n x\nPING');
    expect(problems).toHaveLength(1);
    expect(commands.map(({ argv }) => argv)).toEqual([['PING']]);
  });
});

describe('expressions', () => {
  const on = { expressions: true };

  it.each<[string, TextArgument[]]>([
    ['SET a {{ balance - 50 }}', ['SET', 'a', { expr: 'balance - 50' }]],
    ['SET {{a}} {{b}}', ['SET', { expr: 'a' }, { expr: 'b' }]],
    ['SET a {{ "}}" + \'}}\' + "\\"}}" }} b', ['SET', 'a', { expr: '"}}" + \'}}\' + "\\"}}"' }, 'b']],
    ['SET a "{{ x }}"', ['SET', 'a', '{{ x }}']],
    [`SET a '{{x}}'`, ['SET', 'a', '{{x}}']],
    ['SET a \\{{x}} b\\{{y', ['SET', 'a', '{{x}}', 'b{{y']],
    ['SET {user:1}:a {x {', ['SET', '{user:1}:a', '{x', '{']],
    ['SET a {{x}}\\\n b', ['SET', 'a', { expr: 'x' }, 'b']],
  ])('%j', (source, argv) => {
    expect(argvs(source, on)).toEqual([argv]);
  });

  it.each([
    ['a part of a word', 'SET user:{{id}} b', /whole argument/],
    ['text behind', 'SET {{id}}:a b', /whole argument/],
    ['a quote behind', 'SET {{id}}"a" b', /whole argument/],
    ['a third brace', 'SET {{id}}} b', /whole argument/],
    ['a continued word', 'SET {{id}}\\\na', /whole argument/],
    ['a quoted part before', 'SET a"b"{{id}}', /closing quote/],
    ['no end', 'SET a {{ b', /not closed/],
    ['an end inside a string', 'SET a {{ "b }}', /not closed/],
    ['an end on the next line', 'SET a {{ b \\', /not closed/],
    ['nothing inside', 'SET a {{ }}', /empty/],
    ['a NUL', 'SET a {{ b\0 }}', /not closed/],
  ])('refuses %s', (_name, source, message) => {
    expect(onlyProblem(source, on).message).toMatch(message);
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(onlyProblem(Buffer.from('SET a {{ "\xff" }}', 'latin1'), on).message).toMatch(/UTF-8/);
  });

  it('are literal text when they are not asked for', () => {
    expect(argvs('SET a {{ b }} c{{d}} \\{{')).toEqual([['SET', 'a', '{{', 'b', '}}', 'c{{d}}', '\\{{']]);
  });
});

describe('properties', () => {
  // plain words, quoting traps and arbitrary bytes
  const piece = fc.constantFrom(
    '{{',
    '}}',
    '#',
    '\\',
    '"',
    "'",
    ' ',
    '\n',
    '\r',
    '\t',
    '\v',
    '\f',
    '\0',
    'a',
    'é',
    '{',
    '\\\n',
  );
  const word: fc.Arbitrary<Bytes> = fc.oneof(
    fc.array(piece, { maxLength: 8 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => text.isWellFormed()),
    fc.uint8Array({ maxLength: 12 }).map((bytes) => fromBuffer(bytes)),
  );
  const argv = fc.array(word, { minLength: 1, maxLength: 6 });

  it('what printable and quoted write reads back byte for byte', () => {
    fc.assert(
      fc.property(fc.array(argv, { maxLength: 5 }), fc.boolean(), fc.boolean(), (list, always, expressions) => {
        const print = always ? quoted : printable;
        const text = list.map((one) => one.map(print).join(' ')).join('\n');
        expect(argvs(text, { expressions })).toEqual(list);
      }),
      { numRuns: 2000 },
    );
  });

  it('random text never throws, and its spans lie inside it', () => {
    const text = fc.oneof(
      fc.array(piece, { maxLength: 40 }).map((parts) => Buffer.from(parts.join(''))),
      fc.uint8Array({ maxLength: 60 }),
    );
    fc.assert(
      fc.property(text, fc.boolean(), (source, expressions) => {
        const { commands, problems } = parseCommands(source, { expressions });
        const lines = Buffer.from(source).toString('latin1').split('\n').length;
        for (const { span } of [...commands, ...problems]) {
          expect(span.line).toBeLessThanOrEqual(lines);
          expect(span.length).toBeGreaterThanOrEqual(0);
        }
        for (const command of commands) expect(command.argv.length).toBeGreaterThan(0);
      }),
      { numRuns: 3000 },
    );
  });

  it('takes time linear in the source, however hostile', () => {
    const size = 1_000_000;
    const hostile = ['\\\n', '"', '{{ ', '# ', "a'", '\\', '{', '"a\\', '{{a}} ', '\t'].map((part) =>
      part.repeat(size / part.length),
    );
    const began = performance.now();
    for (const source of hostile) parseCommands(source, { expressions: true });
    expect(performance.now() - began).toBeLessThan(5000); // 10 MB; quadratic work would take minutes
  });
});

describe('places of words', () => {
  it('are those of the words, their quotes included, over continued lines', () => {
    const source = 'SET  "a b" \\\n  é\\\nx end\n';
    const [command] = parseCommands(source, { places: true, file: 'f' }).commands;
    const places = wordPlaces(Buffer.from(source), command!);
    expect(places.map(({ line, column, length }) => [line, column, length])).toEqual([
      [1, 1, 3],
      [1, 6, 5],
      [2, 3, 4],
      [3, 3, 3],
    ]);
    expect(places[0]).toMatchObject({ file: 'f', from: 0, to: 3 });
  });

  it('the bytes of each place read back as that word, in any text that parses', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.uint8Array({ maxLength: 6 }), { minLength: 1, maxLength: 5 }), { maxLength: 4 }),
        (lines) => {
          const text = `\uFEFF# é\n${lines.map((words) => ` ${words.map((word) => quoted(fromBuffer(word))).join('  ')}\r\n`).join('')}`;
          const source = Buffer.from(text);
          const { commands } = parseCommands(source, { places: true });
          expect(commands).toHaveLength(lines.length);
          for (const command of commands) {
            const read = wordPlaces(source, command).map(({ from, to }) => parseCommands(source.subarray(from, to)));
            expect(read.map((one) => one.commands[0]?.argv[0])).toEqual(command.argv);
          }
        },
      ),
    );
  });
});
