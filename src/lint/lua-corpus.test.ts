/** Scripts as people write them: the good ones are left in peace, the bad ones get exactly what they say of themselves. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { luaCorpus } from '../../test/support/lua-corpus.ts';
import { lint } from './lint.ts';
import { subjectOfFile } from './subject.ts';

const good = luaCorpus('good');
const bad = luaCorpus('bad');

function diagnose(source: Uint8Array) {
  const { subject, diagnostics } = subjectOfFile(source, 'corpus.lua');
  return [...diagnostics, ...lint(subject).diagnostics];
}

test('the corpus is as large as it should be', () => {
  expect(good.length).toBeGreaterThanOrEqual(25);
  expect(good.length + bad.length).toBeGreaterThanOrEqual(40);
});

describe('good scripts', () => {
  test.each(good.map(({ name, source }) => ({ name, source })))('$name', ({ source }) => {
    expect(diagnose(source).filter(({ severity }) => severity !== 'info')).toEqual([]);
  });
});

describe('bad scripts', () => {
  test.each(bad.map((script) => ({ ...script })))('$name', ({ source, expected }) => {
    expect(expected.length).toBeGreaterThan(0);
    const found = diagnose(source).map(({ code, span }) => `${code} line ${span?.line}`);
    expect(found.sort()).toEqual([...expected].sort());
  });
});

test('every LUA rule that judges a script by itself has a bad one', () => {
  const codes = new Set(bad.flatMap(({ expected }) => expected.map((one) => one.split(' ')[0])));
  const judged = ['000', '001', '002', '003', '005', '006', '007', '009', '010', '011', '012', '013', '014', '017'];
  expect([...codes].sort()).toEqual(judged.map((number) => `LUA${number}`));
});

test('no bytes make it throw, and every place is in the file', () => {
  const scripts = [...good, ...bad].map(({ source }) => source);
  const mutation = fc.record({
    script: fc.constantFrom(...scripts),
    edits: fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255), remove: fc.nat(3) }), { minLength: 1, maxLength: 4 }),
  });
  fc.assert(
    fc.property(mutation, ({ script, edits }) => {
      const mutated = edits.reduce<Buffer>((bytes, { at, byte, remove }) => {
        const place = at % (bytes.length + 1);
        return Buffer.concat([bytes.subarray(0, place), Buffer.of(byte), bytes.subarray(place + remove)]);
      }, script);
      const lines = mutated.toString('latin1').split(/\r\n|\n\r|\n|\r/).length;
      for (const { span } of diagnose(mutated)) {
        expect(span?.line).toBeLessThanOrEqual(lines);
        expect(span?.column).toBeGreaterThan(0);
      }
    }),
    { numRuns: 300 },
  );
});
