import { expect, test } from 'vitest';
import { file, found, target, unchecked } from '../../../test/support/lint.ts';
import { lua015 } from './lua015-unknown-function.ts';

const shop = {
  library: 'shop',
  functions: [
    { name: 'left', flags: ['no-writes'] },
    { name: 'reserve', flags: [] },
  ],
};

test.each(['FCALL reserve 1 stock 3', 'FCALL left 1 stock', 'FCALL_RO left 1 stock', 'GET stock'])(
  '%s is fine',
  (line) => {
    expect(found(lua015, file(line, { libraries: [shop] }))).toEqual([]);
  },
);

test.each([
  ['FCALL reservee 1 stock 3', 'Did you mean reserve?'],
  ['FCALL_RO nothing 0', 'Load its library first'],
  ['FCALL_RO reserve 1 stock 3', 'Call it by FCALL'],
])('%s', (line, fix) => {
  const { findings } = lua015.check(file(line, { libraries: [shop] }));
  expect(findings).toHaveLength(1);
  expect(findings[0]!.fix).toContain(fix);
});

test('a library that one node lacks', () => {
  const { findings } = lua015.check(
    file('FCALL left 1 stock', { libraries: [{ ...shop, missing_on: ['127.0.0.1:7001'] }], server: { cluster: true } }),
  );
  expect(findings[0]?.message).toContain('127.0.0.1:7001');
});

test('without the libraries, and behind a load, nothing is claimed', () => {
  expect(unchecked(lua015, file('FCALL left 1 stock'))).toContain('--url');
  expect(unchecked(lua015, file('GET stock'))).toBeUndefined();
  const loaded = `FUNCTION LOAD "#!lua name=a\\nredis.register_function('f', function() end)"\nFCALL f 0`;
  expect(unchecked(lua015, file(loaded, { libraries: [] }))).toContain('loaded in between');
  expect(target().libraries).toBeUndefined();
});
