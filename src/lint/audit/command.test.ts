/** Arguments as rules read them and as keys of maps, whatever form their source gives them in. */
import { expect, test } from 'vitest';
import { argvOf, idOf, kept } from './command.ts';

const bytes = Buffer.from([0x6b, 0xff]);

test('buffers become text where they are text, and all else stays', () => {
  expect(argvOf({ argv: [Buffer.from('SET'), bytes, undefined, 'v'], line: 1 })).toEqual([
    'SET',
    { base64: 'a/8=' },
    undefined,
    'v',
  ]);
  expect(argvOf({ argv: ['GET', { base64: 'a/8=' }], line: 1 })).toEqual(['GET', { base64: 'a/8=' }]);
});

test('what is text already is not copied', () => {
  for (const argv of [['GET', 'k'], ['GET', undefined], []]) expect(argvOf({ argv, line: 1 })).toBe(argv);
});

test('two arguments have one id exactly when they are the same bytes', () => {
  expect(idOf('k')).toBe('k');
  expect(idOf(Buffer.from('k'))).toBe('k');
  expect(idOf(bytes)).toBe('\ud800a/8=');
  expect(idOf({ base64: 'a/8=' })).toBe(idOf(bytes));
  expect(idOf('a/8=')).not.toBe(idOf(bytes));
  expect(idOf(Buffer.from([0xfe]))).not.toBe(idOf(bytes));
});

test.each(['', 'cache:1', 'grün 😀', idOf(bytes)])('%j is kept as it is', (text) => {
  expect(kept(text)).toBe(text);
});
