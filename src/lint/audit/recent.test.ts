/** When an entry leaves a map of two generations, and that whoever wants to know is told. */
import { describe, expect, test } from 'vitest';
import { type Recent, recent } from './recent.ts';

/** A map of generations of two, and what was dropped from it. */
function ofTwo(...ids: readonly string[]): { readonly map: Recent<string>; readonly dropped: string[] } {
  const dropped: string[] = [];
  const map = recent<string>(2, (value) => dropped.push(value));
  for (const id of ids) map.set(id, id.toUpperCase());
  return { map, dropped };
}

describe('a map of two generations of two', () => {
  test.each<[string[], string[], string[]]>([
    [['a', 'b'], ['A', 'B'], []],
    [['a', 'b', 'c', 'd'], ['A', 'B', 'C', 'D'], []],
    [
      ['a', 'b', 'c', 'd', 'e'],
      ['C', 'D', 'E'],
      ['A', 'B'],
    ],
    [
      ['a', 'b', 'c', 'd', 'e', 'f', 'g'],
      ['E', 'F', 'G'],
      ['A', 'B', 'C', 'D'],
    ],
  ])('%j: the older first, the oldest dropped', (ids, values, gone) => {
    const { map, dropped } = ofTwo(...ids);
    expect([...map.values()]).toEqual(values);
    expect(dropped).toEqual(gone);
  });

  test('what is set again is young again, and there once', () => {
    const { map, dropped } = ofTwo('a', 'b', 'c', 'a');
    expect([...map.values()]).toEqual(['B', 'C', 'A']);
    map.set('d', 'D');
    expect(dropped).toEqual(['B']);
    expect([...map.values()]).toEqual(['C', 'A', 'D']);
  });

  test('both generations are read, and the newer value counts', () => {
    const { map } = ofTwo('a', 'b', 'c');
    map.set('a', 'again');
    expect(['a', 'b', 'c', 'd'].map((id) => map.get(id))).toEqual(['again', 'B', 'C', undefined]);
  });

  test('what is deleted or cleared is gone from both, and was not dropped', () => {
    const { map, dropped } = ofTwo('a', 'b', 'c');
    map.delete('a');
    map.delete('c');
    map.delete('never');
    expect([...map.values()]).toEqual(['B']);
    map.set('d', 'D');
    map.clear();
    expect([...map.values()]).toEqual([]);
    map.rotate();
    map.rotate();
    expect(dropped).toEqual([]);
  });

  test('rotate ages what is there, and drops what was old', () => {
    const { map, dropped } = ofTwo('a');
    map.rotate();
    expect(map.get('a')).toBe('A');
    map.rotate();
    expect([map.get('a'), dropped]).toEqual([undefined, ['A']]);
  });
});

test('nobody needs to be told', () => {
  const map = recent<number>(1);
  for (const id of [1, 2, 3]) map.set(String(id), id);
  expect([...map.values()]).toEqual([2, 3]);
});
