/** What a command takes, to the byte: 80 for an entry, 40 for a deadline, and its words. */
import { describe, expect, test } from 'vitest';
import { key, missing } from '../../test/support/lint.ts';
import { exceedsItsWords, growthOf, isRefusedWhenFull, mostOf } from './growth.ts';

const known = [
  missing('new'),
  key('text', { type: 'string', elements: 10, bytes: 64, ttl_ms: -1 }),
  key('hash', { bytes: 5000, ttl_ms: 60_000 }),
  { key: 'bare', exists: true, type: 'string' as const },
];
const grows = (line: string) => growthOf(line.split(' '), (name) => known.find((facts) => facts.key === String(name)));
const long = 'v'.repeat(21);
const short = 'v'.repeat(20);

describe('a value that is written', () => {
  test.each([
    [`SET new ${long}`, { least: 24, most: 104 }],
    [`SET new ${short}`, { least: 0, most: 103 }],
    [`SET new ${long} XX`, { least: 0, most: 104 }],
    [`SET new ${long} IFEQ x`, { least: 0, most: 104 }],
    [`SET new ${long} NX`, { least: 24, most: 104 }],
    [`SET text ${long}`, { least: 0, most: 105 }],
    [`SET other ${long}`, { least: 0, most: 106 }],
    [`SETNX new ${long}`, { least: 24, most: 104 }],
    [`GETSET new ${long}`, { least: 24, most: 104 }],
    [`SETEX new 60 ${long}`, { least: 24, most: 104 }],
    [`PSETEX new 60 ${long}`, { least: 24, most: 104 }],
    [`RESTORE new 0 ${long}`, { least: 24, most: 104 }],
    [`APPEND new ${long}`, { least: 24, most: 104 }],
    [`APPEND text ${long}`, { least: 21, most: 101 }],
    [`APPEND other ${long}`, { least: 0, most: 101 }],
    [`HSET text f ${long}`, { least: 0, most: 106 }],
    ['SET new', { least: 0, most: 83 }],
    ['SET', { least: 0, most: 80 }],
  ])('%s', (line, growth) => {
    expect(grows(line)).toEqual(growth);
  });
});

describe('a string that is filled up', () => {
  test.each([
    ['SETRANGE new 100 abc', { least: 103, most: 103 }],
    ['SETRANGE text 100 abc', { least: 93, most: 93 }],
    ['SETRANGE text 5 abc', { least: 0, most: 0 }],
    ['SETRANGE other 100 abc', { least: 0, most: 103 }],
    ['SETRANGE bare 100 abc', { least: 0, most: 103 }],
    ['SETRANGE new 100', { least: 0, most: 0 }],
    ['SETRANGE new x abc', { least: 0, most: 0 }],
    ['SETBIT new 800 1', { least: 101, most: 101 }],
    ['SETBIT text 800 1', { least: 91, most: 91 }],
    ['SETBIT text x 1', { least: 0, most: 0 }],
  ])('%s', (line, growth) => {
    expect(grows(line)).toEqual(growth);
  });
});

describe('a copy, a deadline, and what takes nothing', () => {
  test.each([
    ['COPY hash new', { least: 5000, most: 5000 }],
    ['COPY hash text', { least: 0, most: 5000 }],
    ['COPY hash other', { least: 0, most: 5000 }],
    ['COPY other new', { least: 0, most: 0 }],
    ['COPY hash', { least: 0, most: 5000 }],
    ['EXPIRE text 60', { least: 0, most: 40 }],
    ['EXPIRE hash 60', { least: 0, most: 0 }],
    ['EXPIRE other 60', { least: 0, most: 40 }],
    ['GET text', { least: 0, most: 0 }],
    ['UNLINK text', { least: 0, most: 0 }],
    ['NOSUCH text', { least: 0, most: 0 }],
  ])('%s', (line, growth) => {
    expect(grows(line)).toEqual(growth);
  });
});

test('commands that nobody looked at take at most their bytes, an entry and a deadline each', () => {
  expect(mostOf({ bytes: 1000, sent: 3 })).toBe(1360);
});

test('only a copy and what fills up take more than their words', () => {
  const more = ['COPY a b', 'setrange k 1 v', 'SETBIT k 1 1', 'SETRANGES k', 'XCOPY k', 'SET k v'];
  expect(more.filter((line) => exceedsItsWords(line.split(' ')))).toEqual(more.slice(0, 3));
  expect(exceedsItsWords([undefined])).toBe(false);
});

test('a full server refuses what may need memory', () => {
  expect(['SET k v', 'DEL k', 'GET k', 'NOSUCH k'].map((line) => isRefusedWhenFull(line.split(' ')))).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
