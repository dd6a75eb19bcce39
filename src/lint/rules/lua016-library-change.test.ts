import { expect, test } from 'vitest';
import { file, found, unchecked } from '../../../test/support/lint.ts';
import { lua016 } from './lua016-library-change.ts';

const libraries = [{ library: 'shop', functions: [{ name: 'reserve', flags: [] }] }];
const load = (name: string, ...options: string[]) =>
  `FUNCTION LOAD ${options.join(' ')} "#!lua name=${name}\\nredis.register_function('f', function() end)"`;

test.each([
  [load('shop'), 'error'],
  [load('shop', 'REPLACE'), 'warning'],
  ['FUNCTION DELETE shops', 'error'],
])('%s', (line, severity) => {
  expect(found(lua016, file(line, { libraries })).map((one) => one.split(' ')[0])).toEqual([severity]);
});

test.each([load('other'), load('other', 'REPLACE'), 'FUNCTION DELETE shop', 'FUNCTION LIST'])('%s is fine', (line) => {
  expect(found(lua016, file(line, { libraries }))).toEqual([]);
});

test('without the libraries, and over several changes, nothing is claimed', () => {
  expect(unchecked(lua016, file(load('shop')))).toContain('--url');
  expect(unchecked(lua016, file(`FUNCTION DELETE shop\n${load('shop')}`, { libraries }))).toContain('not followed');
});
