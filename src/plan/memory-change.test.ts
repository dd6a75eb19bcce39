/** One model: the bytes of these tables are those that real servers were held against (test/redis/memory-change.test.ts). */

import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { keyFacts } from '../../test/support/target.ts';
import { isRefusedWhenFull, memoryChange, mostOfTables, mostOfWords, takesItsWords } from './memory-change.ts';
import type { KeyFacts } from './target.ts';

const table = { encoding: 'hashtable' };
const keys: readonly KeyFacts[] = [
  keyFacts('none', 'none', 0, { exists: false, bytes: 0 }),
  keyFacts('text', 'string', 10, { bytes: 64, encoding: 'embstr' }),
  keyFacts('long', 'string', 5000, { bytes: 5200, encoding: 'raw', ttl_ms: 60_000 }),
  keyFacts('big', 'hash', 1000, { bytes: 64_000, ...table }),
  keyFacts('full', 'hash', 1024, { bytes: 64_000, ...table }),
  keyFacts('small', 'hash', 128, { bytes: 1200, encoding: 'listpack' }),
  keyFacts('few', 'hash', 5, { bytes: 100, encoding: 'listpack' }),
  keyFacts('ints', 'set', 500, { bytes: 1072, encoding: 'intset' }),
  keyFacts('z', 'zset', 10, { bytes: 900, encoding: 'listpack' }),
  keyFacts('list', 'list', 1000, { bytes: 12_000, encoding: 'quicklist' }),
  keyFacts('stream', 'stream', 100, { bytes: 5000 }),
  { key: 'bare', exists: true, type: 'string' },
];
const now = Date.UTC(2026, 0, 2);
const of = (name: unknown) => keys.find(({ key }) => key === name);
const change = (line: string) => memoryChange(line.split(' '), { of, now });
const net = (line: string) => change(line)?.net;
const long = 'v'.repeat(1000);

describe('what is known to the byte', () => {
  it.each([
    ['GET big', 0, 0],
    ['DEL big', -64_000, -64_000],
    ['DEL long', -5248, -5200],
    ['UNLINK big none z', -64_900, -64_900],
    ['DEL none', 0, 0],
    ['DELEX big', -64_000, 0],
    ['SPOP ints 5', -1072, 0],
    ['HDEL big f', -64_000, 0],
    ['SORT z', 0, 0],
    ['SETNX text v', 0, 0],
    [`SET text ${long} NX`, 0, 0],
    [`SET none ${long} XX`, 0, 0],
    ['COPY big text', 0, 0],
    ['COPY none text REPLACE', 0, 0],
    ['RESTORE text 0 payload', 0, 0],
    ['MSETNX text a none b', 0, 0],
    ['LPUSHX none v', 0, 0],
    ['RENAMENX big text', 0, 0],
    ['SETRANGE none 100 ', 0, 0],
    ['EXPIRE big 10', 0, 48],
    ['EXPIRE long 10', 0, 0],
    ['EXPIRE none 10', 0, 0],
    ['EXPIRE big 0', -64_000, 48],
    ['EXPIREAT big 1767312001', 0, 48],
    ['EXPIREAT big 1767311999', -64_000, 48],
    ['PEXPIREAT big 1767312000001', 0, 48],
    ['GETEX text', 0, 0],
    ['GETEX text EX 5', 0, 48],
    ['GETEX text PXAT 1', -64, 48],
    ['PERSIST big', 0, 0],
    ['PERSIST long', -48, 0],
  ])('%s: %i to %i', (line, low, high) => {
    expect(net(line)).toEqual({ low, high });
  });
});

describe('at least', () => {
  it.each([
    [`SET none ${long}`, 1004],
    [`SETEX none 60 ${long}`, 1004],
    [`GETSET none ${long}`, 1004],
    [`SET none ${'v'.repeat(20)}`, 0],
    [`SET text ${long}`, 1004 - 64],
    [`SET text ${long} IFEQ x`, 0],
    ['SET big v', -64_000],
    [`MSET none ${long} text ${long}`, 1004 + 1004 - 64],
    [`APPEND none ${long}`, 1004],
    [`APPEND text ${long}`, 1010 - 64],
    ['SETRANGE none 100 abc', 107],
    ['SETRANGE text 100 abc', 103 - 64],
    ['SETBIT none 800 1', 105],
    [`RESTORE none 0 ${long}`, 988],
    [`RESTORE text 0 ${long} REPLACE`, 988 - 64],
    ['COPY big none', 24_000],
    ['COPY small none', 600],
    ['COPY long none', 5000],
    ['COPY big text REPLACE', 24_000 - 64],
    ['RENAME z big', -64_000 - 18],
    ['ZUNIONSTORE big 1 z', -64_000],
    ['HSET big f v', -64_000],
    ['HSETNX big f v', 0],
    ['SADD ints 1', 0],
    ['XADD stream * f v', 0],
    ['XADD stream MAXLEN 5 * f v', -5000],
    ['PFADD text a', 0],
    ['LMOVE list none LEFT LEFT', -12_000],
  ])('%.50s: %i', (line, low) => {
    expect(net(line)!.low).toBe(low);
  });
});

describe('at most', () => {
  it.each([
    [`SET none ${long}`, 1000, 1500],
    [`SET long ${long}`, -4200, -3500],
    ['APPEND long v', 5000, 7600],
    ['SETRANGE long 3 v', 0, 0],
    ['SETRANGE text 3 v', 48, 128],
    [`HSET few f ${long}`, 1000, 2300],
    ['HSET few f v', 3, 250],
    ['HSET small f v', 8000, 17_000],
    ['HSET big f v', 40, 200],
    ['HSET full f v', 16_424, 34_000],
    ['SADD ints 501', 2, 13_000],
    ['SADD ints a', 27_000, 65_000],
    ['SADD none a', 168, 300],
    ['RPUSH list v', 32, 2500],
    ['XADD none * f v', 4728, 7000],
    ['PFADD none a', 14_384, 16_000],
    ['ZUNIONSTORE none 1 ints', 48_000, 82_000],
    ['SORT z STORE none', 900, 3000],
    ['COPY big none', 64_000, 81_000],
    ['INCR none', 48, 200],
    ['BITOP OR none text long', 5000, 6600],
    ['SMOVE ints none 5', 48, 250],
    ['XGROUP CREATE stream g 0', 284, 7000],
  ])('%.50s: between %i and %i', (line, least, most) => {
    const { high } = net(line)!;
    expect(high).toBeGreaterThanOrEqual(least);
    expect(high).toBeLessThanOrEqual(most);
  });
});

describe('a key that was not looked at', () => {
  it.each([
    'DEL other',
    'SET other v',
    'HSET other f v',
    'EXPIRE other 5',
    'COPY big other',
    'RENAME big other',
    'INCR other',
    'APPEND bare v',
  ])('leaves the change of %s open, and bounds what it takes', (line) => {
    expect(net(line)).toBeUndefined();
    expect(change(line)!.takes).toBeGreaterThanOrEqual(0);
  });

  it('counts as a new one', () => {
    for (const line of [`SET other ${long}`, `HSET other f ${long}`, `APPEND other ${long}`, 'SETRANGE other 999 v'])
      expect(change(line)!.takes).toBe(change(line.replace('other', 'none'))!.takes + 2);
  });
});

it('knows nothing of scripts, flushes, copies of what was not looked at, and commands that are not in the table', () => {
  for (const line of [
    'EVAL x 1 big',
    'FLUSHDB',
    'NOSUCH big',
    'COPY other none',
    'SORT z GET x* STORE none',
    'FUNCTION LOAD x',
    'ZUNIONSTORE big x z',
    'SET none',
  ])
    expect(change(line)).toBeUndefined();
});

describe('once more to the same key', () => {
  test.each([
    'HSET full f v',
    'HSET small f v',
    'APPEND long v',
    'PFADD none a',
    'XADD none * f v',
    'SETBIT none 80000 1',
  ])('%s takes less: what doubles does so once', (line) => {
    const { takes, again } = change(line)!;
    expect(again).toBeLessThan(takes / 3);
  });
  test('SET takes as much', () => expect(change(`SET none ${long}`)!.again).toBeUndefined());
});

describe('a payload of RESTORE', () => {
  const restore = (...bytes: readonly number[]) => {
    const payload = Buffer.concat([Buffer.from(bytes), Buffer.alloc(200)]);
    return memoryChange(['RESTORE', 'none', '0', { base64: payload.toString('base64') }], { of })!.net!;
  };
  it.each([
    ['6 bits', [0, 0xc3, 5, 40], 0, 250],
    ['14 bits', [0, 0xc3, 5, 0x43, 0xe8], 988, 1450],
    ['32 bits', [16, 0xc3, 0x80, 0, 0, 0, 5, 0x80, 0, 1, 0x86, 0xa0], 99_988, 125_250],
    ['a form that no length has', [0, 0xc3, 0xc0, 5], 188, 450],
    ['not compressed', [0, 0x43, 0xe8], 187, 450],
    ['of many strings', [4, 0xc3, 5, 0x43, 0xe8], 189, 3500],
  ] as const)('that is one string says its length: %s', (_, bytes, low, most) => {
    const net = restore(...bytes);
    expect(Math.abs(net.low - low)).toBeLessThan(8);
    expect(net.high).toBeLessThanOrEqual(most);
    expect(net.high).toBeGreaterThan(low);
  });
  it('that ends too early is no matter', () => {
    for (const length of [0, 1, 2, 3, 5, 7]) {
      const payload = Buffer.from([0, 0xc3, 0x80, 0, 0, 0, 5]).subarray(0, length);
      expect(memoryChange(['RESTORE', 'none', '0', { base64: payload.toString('base64') }], { of })!.net!.low).toBe(0);
    }
  });
});

test('an argument that is known in the run only counts as a number', () => {
  const { takes } = memoryChange(['SET', 'none', undefined], { of })!;
  expect(takes).toBe(change(`SET none ${'v'.repeat(20)}`)!.takes);
  expect(memoryChange(['SET', undefined, 'v'], { of })).toEqual({ takes: expect.any(Number) });
});

test('the quick bound is above the other, for every command that takes its words', () => {
  const names = 'SET SETNX MSET HSET HSETNX HINCRBY SADD ZADD GEOADD RPUSH LSET EXPIRE DEL'.split(' ');
  const words = fc.array(fc.constantFrom('v', '5', 'EX', 'x'.repeat(70), long), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.constantFrom(...keys), words, (name, facts, rest) => {
      const argv = [name, String(facts.key), ...rest];
      expect(takesItsWords(argv)).toBe(true);
      const bytes = argv.reduce((sum, word) => sum + word.length + 8, 8);
      const most = mostOfWords({ bytes, sent: 1 }) + mostOfTables(facts);
      expect(memoryChange(argv, { of })?.takes ?? 0).toBeLessThanOrEqual(most);
    }),
  );
  const more = [
    'COPY a b',
    'SETRANGE k 1 v',
    'SETBIT k 1 1',
    'APPEND k v',
    'RESTORE k 0 v',
    'XADD k * f v',
    'PFADD k v',
    'SORT a STORE b',
  ];
  expect(more.filter((line) => takesItsWords(line.split(' ')))).toEqual([]);
});

test('a full server refuses what may need memory', () => {
  const refused = ['SET k v', 'DEL k', 'GET k', 'NOSUCH k'].map((line) => isRefusedWhenFull(line.split(' ')));
  expect(refused).toEqual([true, false, false, false]);
});
