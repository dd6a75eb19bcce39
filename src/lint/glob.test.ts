import fc from 'fast-check';
import { expect, test } from 'vitest';
import { beginsWith, fromBuffer, toBuffer } from '../base/bytes.ts';
import { literalPrefix } from './glob.ts';

const prefix = (pattern: string) => literalPrefix(pattern).toString();

test.each([
  ['session:*', 'session:'],
  ['session:1', 'session:1'],
  ['*', ''],
  ['', ''],
  ['a?c', 'a'],
  ['a[bc]', 'a'],
  ['\\*a*', '*a'],
  ['a\\', 'a\\'],
  ['\\a\\b*', 'ab'],
  ['a]b', 'a]b'],
])('%j begins with %j', (pattern, literal) => {
  expect(prefix(pattern)).toBe(literal);
});

test('bytes that are not UTF-8 are kept', () => {
  expect(literalPrefix(fromBuffer(Buffer.from([0xff, 0x2a])))).toEqual(Buffer.from([0xff]));
});

test('an escaped key is its own prefix, whatever its bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), fc.constantFrom('', '*', '?x', '[a]'), (key, tail) => {
      const escaped = Buffer.concat([...key].map((byte) => Buffer.from([0x5c, byte])));
      const pattern = fromBuffer(Buffer.concat([escaped, Buffer.from(tail)]));
      expect(literalPrefix(pattern)).toEqual(Buffer.from(key));
    }),
  );
});

test('beginsWith compares bytes', () => {
  expect(beginsWith(toBuffer('session:1'), toBuffer('session:'))).toBe(true);
  expect(beginsWith(toBuffer('sess'), toBuffer('session:'))).toBe(false);
  expect(beginsWith(toBuffer('a'), toBuffer(''))).toBe(true);
});
