import { describe, expect, it } from 'vitest';
import { nearest } from './nearest.ts';

describe('nearest', () => {
  const words = ['delete', 'touch', 'rename'];
  it.each([
    ['delte', 'delete'],
    ['DELETE', 'delete'],
    ['renmae', 'rename'],
    ['tuch', 'touch'],
    ['flush', undefined],
    ['', undefined],
    ['d'.repeat(100), undefined],
  ])('%s -> %s', (word, meant) => {
    expect(nearest(word, words)).toBe(meant);
  });
});
