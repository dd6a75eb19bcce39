import fc from 'fast-check';
import { expect, test } from 'vitest';
import { beginsWith, fromBuffer, toBuffer } from '../base/bytes.ts';
import { globTest, literalPrefix } from './glob.ts';

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

// What redis/src/util.c, stringmatchlen, answers; test/redis/ holds globTest against the server itself.
test.each([
  ['session:*', ['session:', 'session:1', 'session:*'], ['session', 'xsession:1', 'Session:1']],
  ['*', ['a', '\n', 'é'], []],
  ['***b', ['b', 'ab', 'a\nb'], ['bc', '']],
  ['a*b*c', ['abc', 'a-b-c', 'abcbc'], ['abcd', 'xabc', 'acb']],
  ['a?c', ['abc', 'a?c', 'a\nc'], ['ac', 'abbc', 'abc ']],
  ['a.c', ['a.c'], ['abc']],
  ['a', ['a'], ['aa', 'ba', 'A', '']],
  ['k[ab]', ['ka', 'kb'], ['kc', 'k', 'kab', 'k[ab]']],
  ['k[ab]x', ['kax', 'kbx'], ['ka', 'kxx']],
  ['k[^ab]', ['kc', 'k^', 'k\n'], ['ka', 'kb', 'k']],
  ['k[b-d]', ['kb', 'kc', 'kd'], ['ka', 'ke', 'k-']],
  ['k[d-b]', ['kb', 'kc', 'kd'], ['ka', 'ke', 'k-']],
  ['k[b-dx]', ['kc', 'kx'], ['ky', 'k-']],
  ['k[-a]', ['k-', 'ka'], ['kb']],
  ['k[a-', ['ka', 'k-'], ['kb', 'k']],
  ['k[a-c', ['kb'], ['k-', 'kd']],
  ['k[a-]]', ['k]', 'k^', 'ka'], ['k-', 'kb', 'ka]']],
  ['k[\\]a]', ['k]', 'ka'], ['k\\', 'ka]']],
  ['k[\\-b]', ['k-', 'kb'], ['k\\', 'ka']],
  ['k[a\\', ['ka', 'k\\'], ['kb', 'k']],
  ['k[ab', ['ka', 'kb'], ['k', 'k[ab']],
  ['k[]', [], ['k', 'k[]', 'k]']],
  ['k[]x', [], ['k', 'kx']],
  ['k[^]', ['ka', 'k\n'], ['k', 'kab']],
  ['k[.]', ['k.'], ['ka']],
  ['k]', ['k]'], ['k']],
  ['k\\*', ['k*'], ['kx', 'k\\*', 'k\\x']],
  ['k\\a*', ['ka', 'kab'], ['k\\a']],
  ['k\\', ['k\\'], ['k']],
  ['', [''], ['a']],
  ['?', ['a', '\x00'], ['', 'ab', 'é']],
  ['é?', ['éa'], ['é', 'e?']],
  ['é*', ['é', 'éa'], ['e', 'è']],
])('%j matches %j and not %j', (pattern, matching, others) => {
  const matches = globTest(pattern);
  expect(matching.filter((key) => !matches(key))).toEqual([]);
  expect(others.filter(matches)).toEqual([]);
});

test('keys of any bytes are matched byte by byte', () => {
  const bytes = fromBuffer(Buffer.from([0x6b, 0xff, 0x0a]));
  expect(['k*', 'k??', '*\n', 'k[^a]?'].filter((pattern) => !globTest(pattern)(bytes))).toEqual([]);
  expect(['k?', 'k???', '*k'].filter((pattern) => globTest(pattern)(bytes))).toEqual([]);
});
