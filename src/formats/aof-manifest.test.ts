/** Manifests as Redis 7 writes them, and what is refused. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readManifest } from './aof-manifest.ts';

const of = (text: string) => readManifest(Buffer.from(text));

test('base, then increments in their order, then history', () => {
  expect(
    of(
      'file a.aof.3.incr.aof seq 3 type i\nfile a.aof.2.incr.aof seq 2 type i\nfile "a b.1.base.rdb" seq 1 type b\nfile h seq 1 type h\n',
    ),
  ).toEqual([
    { name: 'a b.1.base.rdb', sequence: 1, type: 'base' },
    { name: 'a.aof.2.incr.aof', sequence: 2, type: 'increment' },
    { name: 'a.aof.3.incr.aof', sequence: 3, type: 'increment' },
    { name: 'h', sequence: 1, type: 'history' },
  ]);
});

test.each([
  '',
  'file a seq 1',
  'file a seq 0 type b',
  'file a seq x type b',
  'file a seq 1 type x',
  'file ../a seq 1 type b',
  'file .. seq 1 type i',
  'file a seq 1 type b\nfile b seq 2 type b',
  'file "a seq 1 type b',
])('%j is none', (text) => {
  expect(of(text)).toHaveProperty('problem');
});

test('never throws', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void readManifest(bytes)));
});
