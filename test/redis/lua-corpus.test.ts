/** A script that lint accepts loads on the server, and what does not compile is refused there too, also when its bytes were damaged. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fromBuffer, quoted } from '../../src/base/bytes.ts';
import { luaFacts } from '../../src/formats/lua.ts';
import { ReplyError } from '../../src/formats/resp.ts';
import { lint } from '../../src/lint/lint.ts';
import { subjectOfFile } from '../../src/lint/subject.ts';
import { luaCorpus } from '../support/lua-corpus.ts';
import { startServer } from '../support/servers.ts';
import { openWire, type Wire } from './wire.ts';

const corpus = [...luaCorpus('good'), ...luaCorpus('bad')];
let wire: Wire;

beforeAll(async () => {
  wire = await openWire((await startServer()).port);
});

afterAll(() => wire.close());

async function loads(source: Buffer): Promise<boolean> {
  const isLibrary = /^#!lua name=/.test(source.toString('latin1'));
  const reply = await (isLibrary
    ? wire.ask('FUNCTION', 'LOAD', 'REPLACE', source)
    : wire.ask('SCRIPT', 'LOAD', source));
  return !(reply instanceof ReplyError);
}

test.each(corpus.map((script) => ({ ...script })))('$name', async ({ name, source }) => {
  const { subject, diagnostics } = subjectOfFile(source, name);
  const refused = [...diagnostics, ...lint(subject).diagnostics].filter(({ severity }) => severity === 'error');
  const loaded = await loads(source);
  if (refused.length === 0) expect(loaded).toBe(true);
  if (refused.some(({ code }) => code === 'LUA000')) expect(loaded).toBe(false);
});

test('damaged scripts: the same verdict as SCRIPT LOAD', async () => {
  const scripts = corpus.map(({ source }) => source).filter((source) => source[0] !== 0x23);
  const pieces = ['', ' ', '\n', '"', "'", '(', ')', '[', ']', '=', '.', '..', 'end', 'x', '1', '\\', '::', '//', '-'];
  const edit = fc.record({ at: fc.nat(), piece: fc.constantFrom(...pieces), remove: fc.nat(3) });
  const mutation = fc.record({
    script: fc.constantFrom(...scripts),
    edits: fc.array(edit, { minLength: 1, maxLength: 3 }),
  });
  const damaged = fc.sample(mutation, { numRuns: 3000, seed: 7 }).map(({ script, edits }) =>
    edits.reduce<Buffer>((bytes, { at, piece, remove }) => {
      const place = at % (bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, place), Buffer.from(piece), bytes.subarray(place + remove)]);
    }, script),
  );
  const verdicts = await Promise.all(damaged.map(loads));
  const differ = damaged.filter((source, index) => {
    const { problem } = luaFacts({ base64: source.toString('base64') });
    return (problem === undefined) !== verdicts[index];
  });
  expect(differ.map((source) => quoted(fromBuffer(source)))).toEqual([]);
  expect(verdicts.filter((good) => good).length).toBeGreaterThan(300);
  expect(verdicts.filter((good) => !good).length).toBeGreaterThan(300);
});

// its lexer searches a character with strchr, which finds NUL in every set: 90, NUL, 199 is read as 90 with an exponent
test('the one known difference: a NUL right after a number or a dot', async () => {
  const nul = String.fromCharCode(0);
  for (const source of [`return 90${nul}199`, `return 'a' .${nul} 'b'`]) {
    expect(luaFacts(source).problem).toBeDefined();
    expect(await loads(Buffer.from(source))).toBe(true);
  }
});
