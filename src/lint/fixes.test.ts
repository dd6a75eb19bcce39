/** Rewrites: what is changed, what is left alone, and that a second pass finds nothing more. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { key, target } from '../../test/support/lint.ts';
import { lintFiles } from '../lint-files.ts';
import { edited, editsOf, fixable } from './fixes.ts';

/** A server on which every key named big is a hash that blocks when it is freed. */
const facts = async () =>
  target({ keys: ['big', 'big2'].map((name) => key(name, { elements: 1_000_000 })).concat([key('small')]) });

async function fix(text: string | Buffer, name = 'app.redis'): Promise<string> {
  const source = Buffer.from(text as string);
  const { diagnostics } = await lintFiles([{ name, source }], undefined, facts);
  return edited(source, editsOf(source, name, diagnostics)).toString('latin1');
}

describe('DEL001: DEL becomes UNLINK', () => {
  test.each([
    ['DEL big', 'UNLINK big'],
    ['del big', 'unlink big'],
    ['Del big\r\n', 'UNLINK big\r\n'],
    ['  DEL   big   "big2" \n', '  UNLINK   big   "big2" \n'],
    ['DEL \\\n  big\n', 'UNLINK \\\n  big\n'],
    ['MULTI\nDEL big\nEXEC\n', 'MULTI\nUNLINK big\nEXEC\n'],
    ['DEL small\nDEL big\nDEL small', 'DEL small\nUNLINK big\nDEL small'],
    ['\uFEFFDEL big\n', '\u00ef\u00bb\u00bfUNLINK big\n'],
  ])('%j', async (before, after) => {
    expect(await fix(before)).toBe(after);
  });

  test.each([
    '"DEL" big',
    'D\\\nEL big',
    'SET big v',
    'RENAME small big',
    'EXPIRE big 0',
    'DEL small',
    'EVAL "redis.call(\'DEL\', KEYS[1])" 1 big',
  ])('%j is left alone', async (line) => {
    expect(await fix(line)).toBe(line);
  });
});

describe('IGN001: what suppresses nothing goes', () => {
  test.each([
    ['# redops-ignore KEY001: gone\nGET a\n', 'GET a\n'],
    ['GET a\r\n  #redops-ignore KEY001:gone\r\nGET b\r\n', 'GET a\r\nGET b\r\n'],
    ['# redops-ignore KEY001, TTL001: both\nKEYS *\n', '# redops-ignore KEY001: both\nKEYS *\n'],
    ['# redops-ignore TTL001  KEY001 KEY002 : both\nKEYS *\n', '# redops-ignore KEY001 : both\nKEYS *\n'],
    ['# redops-ignore KEY001: needed\nKEYS *\n', '# redops-ignore KEY001: needed\nKEYS *\n'],
    ['GET a\n# redops-ignore KEY001: last, without a line end', 'GET a\n'],
    ['\uFEFF# redops-ignore KEY001: é\nGET a\n', '\u00ef\u00bb\u00bfGET a\n'],
    ['# redops-ignore KEY999: no code\nGET a\n', '# redops-ignore KEY999: no code\nGET a\n'],
  ])('%j', async (before, after) => {
    expect(await fix(before)).toBe(after);
  });

  test('in a script, alone and behind code', async () => {
    const before =
      "local a = '-- redops-ignore LUA009: x' -- redops-ignore LUA009: x\n-- redops-ignore LUA002: y\r\nreturn a\n";
    expect(await fix(before, 'a.lua')).toBe("local a = '-- redops-ignore LUA009: x'\nreturn a\n");
  });
});

describe('edits', () => {
  const found = async (source: string) => {
    const bytes = Buffer.from(source);
    const { diagnostics } = await lintFiles([{ name: 'app.redis', source: bytes }], undefined, facts);
    return { bytes, diagnostics };
  };
  const both = '# redops-ignore KEY001: gone\nDEL big\n# redops-ignore TTL001, KEY001, DEL001: x\nKEYS *\ndel big2\n';

  test('stand in the order of the file, each with its code', async () => {
    const { bytes, diagnostics } = await found(both);
    const edits = editsOf(bytes, 'app.redis', diagnostics);
    expect(edits).toEqual([
      { from: 0, to: 29, text: '', code: 'IGN001' },
      { from: 29, to: 32, text: 'UNLINK', code: 'DEL001' },
      { from: 53, to: 75, text: 'KEY001, DEL001', code: 'IGN001' },
      { from: 86, to: 89, text: 'unlink', code: 'DEL001' },
    ]);
    expect(edited(bytes, edits).toString()).toBe(
      'UNLINK big\n# redops-ignore KEY001, DEL001: x\nKEYS *\nunlink big2\n',
    );
  });

  test('are those of the findings of this file', async () => {
    const { bytes, diagnostics } = await found(both);
    expect(editsOf(bytes, 'other.redis', diagnostics)).toEqual([]);
    expect(editsOf(bytes, 'app.redis', [])).toEqual([]);
    expect(
      editsOf(
        bytes,
        'app.redis',
        diagnostics.map(({ span: _, ...rest }) => rest),
      ),
    ).toEqual([]);
    const [first] = diagnostics.filter(({ code }) => code === 'DEL001');
    expect(editsOf(bytes, 'app.redis', [first!])).toEqual([{ from: 29, to: 32, text: 'UNLINK', code: 'DEL001' }]);
    expect(
      editsOf(
        bytes,
        'app.redis',
        diagnostics.map((one) => ({ ...one, code: 'KEY001' })),
      ),
    ).toEqual([]);
  });

  test('are none where findings and file do not belong together', async () => {
    const { diagnostics } = await found(both);
    for (const other of ['GET a\n', 'SET a 1\nSET b 1\nSET c 1\nGET d\nGET e\n', '\n'.repeat(9), '']) {
      expect(editsOf(Buffer.from(other), 'app.redis', diagnostics)).toEqual([]);
    }
  });

  test('of a name that only begins or ends with DEL are none', async () => {
    const { diagnostics } = await found('DEL big\n');
    for (const other of ['DELX big\n', 'XDEL big\n', 'GETDEL big\n', 'DEL2 big\n']) {
      expect(editsOf(Buffer.from(other), 'app.redis', diagnostics)).toEqual([]);
    }
  });

  test('a text is written byte for byte', () => {
    const edit = { from: 1, to: 2, text: '\xe9\xff', code: 'IGN001' };
    expect(edited(Buffer.from('abc'), [edit])).toEqual(Buffer.from([0x61, 0xe9, 0xff, 0x63]));
    expect(edited(Buffer.from('abc'), [])).toEqual(Buffer.from('abc'));
  });
});

const piece = fc.constantFrom(
  'DEL big',
  'del "big2" x',
  '"DEL" big',
  '# redops-ignore DEL001: r',
  '# redops-ignore KEY001, DEL001: r',
  '# redops-ignore KEY001: r',
  'KEYS *',
  'GET "open',
  'SET a \\',
  '  ',
  '# c \\',
  '\xff\x00',
  'DEL big \\',
  '#redops-ignore',
);
const text = fc
  .tuple(fc.array(piece, { maxLength: 10 }), fc.constantFrom('\n', '\r\n'), fc.boolean())
  .map(([lines, end, last]) => lines.join(end) + (last ? end : ''));

test('fixed twice is fixed once, whatever the file', async () => {
  await fc.assert(
    fc.asyncProperty(text, async (source) => {
      const once = await fix(Buffer.from(source, 'latin1'));
      expect(await fix(Buffer.from(once, 'latin1'))).toBe(once);
    }),
    { numRuns: 300 },
  );
});

test('only lines with a finding that has a rewrite are touched', async () => {
  await fc.assert(
    fc.asyncProperty(text, async (source) => {
      const bytes = Buffer.from(source, 'latin1');
      const { diagnostics } = await lintFiles([{ name: 'app.redis', source: bytes }], undefined, facts);
      const lines = new Set(diagnostics.filter(({ code }) => fixable.includes(code)).map(({ span }) => span?.line));
      const starts = source
        .split('\n')
        .map((_, index, all) => all.slice(0, index).join('\n').length + (index > 0 ? 1 : 0));
      for (const { from } of editsOf(bytes, 'app.redis', diagnostics)) {
        expect(lines).toContain(starts.filter((start) => start <= from).length);
      }
    }),
    { numRuns: 300 },
  );
});
