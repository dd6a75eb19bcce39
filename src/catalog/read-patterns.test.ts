import { expect, it } from 'vitest';
import { readPrefixes } from './read-patterns.ts';

const of = (line: string) => readPrefixes(line.split(' '));

it.each<[string, string[]]>([
  ['SORT a BY x_* GET secret:*->field', ['x_', 'secret:']],
  ['sort_ro a get * limit 0 5', ['']],
  ['SORT a BY nosort GET # ALPHA', []],
  ['SORT by', []],
  ['SORT a LIMIT 0 5 STORE get', []],
  ['GET secret:*', []],
])('%s', (line, prefixes) => {
  expect(of(line)).toEqual(prefixes);
});

it('a pattern that is not known may be any', () => {
  expect(readPrefixes(['SORT', 'a', 'GET', undefined])).toEqual([undefined]);
});
