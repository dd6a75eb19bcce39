import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from './json-place.ts';

describe('parseJson', () => {
  it('gives what JSON.parse gives', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 2), (text, indent) => {
        const written = JSON.stringify(JSON.parse(text), null, indent);
        expect(parseJson(written)).toEqual({ value: JSON.parse(written) });
      }),
    );
    expect(parseJson('\ufeff{}')).toEqual({ value: {} });
  });

  it('agrees with JSON.parse on what is JSON, whatever is cut or put in', () => {
    const base = '{"a": [1, -2.5e3, true, null, "x\\u00e9\\n"], "b": {}}';
    fc.assert(
      fc.property(
        fc.nat(base.length),
        fc.nat(3),
        fc.constantFrom('', ',', '"', '}', '0', '\\', ' ', '\n'),
        (at, cut, put) => {
          const text = base.slice(0, at) + put + base.slice(at + cut);
          let valid = true;
          try {
            JSON.parse(text);
          } catch {
            valid = false;
          }
          const parsed = parseJson(text);
          if ('value' in parsed) expect(valid).toBe(true);
          else expect(valid && !parsed.problem.message.includes('twice')).toBe(false);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['', 1, 1, 'the text ends'],
    ['{\n  "a": 1,\n}', 3, 1, "a ',' before '}'"],
    ['{"a" 1}', 1, 6, "expected ':'"],
    ['[1 2]', 1, 4, "expected ',' or ']'"],
    ['{a: 1}', 1, 2, 'name of a member'],
    ['{"a": \'b\'}', 1, 7, 'double quotes'],
    ['{"a": "b\n"}', 1, 9, 'does not end'],
    ['{"a": "\\x"}', 1, 8, 'no such escape'],
    ['{"é漢": 01}', 1, 8, 'cannot begin a value'],
    ['{} x', 1, 4, 'more text'],
    ['{"a":1,"\\u0061":2}', 1, 8, 'stands twice'],
    ['['.repeat(600), 1, 502, 'nested deeper'],
  ])('%j: line %i, column %i', (text, line, column, message) => {
    const parsed = parseJson(text);
    expect(parsed).toMatchObject({ problem: { line, column, message: expect.stringContaining(message) } });
  });
});
