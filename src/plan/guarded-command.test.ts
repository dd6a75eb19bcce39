import { describe, expect, it } from 'vitest';
import { luaFacts } from '../formats/lua.ts';
import { guardedCommand, guardSha1, guardSource, isGuarded, unguarded } from './guarded-command.ts';

const now = { redis_version: '7.0.15' };
const old = { redis_version: '6.2.14' };
const file = { path: 'k.txt', gzip: false, bytes: 1, sha256: 'a'.repeat(64) };
const deadline = '4102444800000';

describe('guardedCommand', () => {
  it.each([
    [['UNLINK', 'k'], undefined],
    [['UNLINK', 'k'], { type: 'hash' }],
    [['TOUCH', 'k'], { type: 'hash', keys_file: file }],
    [['UNLINK', 'k'], { keys_file: file }],
    [['PERSIST', 'k'], { ttl: 'any' }],
    [['PEXPIREAT', 'k', deadline, 'NX'], { ttl: 'none' }],
    [['PEXPIREAT', 'k', deadline, 'XX'], { ttl: 'any' }],
    [['PEXPIREAT', 'k', deadline, 'GT'], { ttl: 'any' }],
    [['TOUCH', 'k'], { ttl: 'none', size: { min: 1 } }],
  ] as const)('%j on %j is sent as it is: nothing can go wrong in between', (argv, selection) => {
    expect(guardedCommand(argv, selection, now)).toEqual(argv);
  });

  it.each([
    [['UNLINK', 'k'], { type: 'hash', keys_file: file }],
    [['PERSIST', 'k'], { type: 'hash', ttl: 'any', keys_file: file }],
    [['UNLINK', 'k'], { ttl: 'none' }],
    [['UNLINK', 'k'], { size: { max: 3 } }],
    [['PERSIST', 'k'], { ttl: { max_ms: 5 } }],
    [['PERSIST', 'k'], { ttl: 'any', bytes: { min: 5 } }],
    [['PEXPIREAT', 'k', deadline, 'LT'], { ttl: 'none' }],
    [['PEXPIREAT', 'k', deadline, 'LT'], { ttl: 'any' }],
    [['PEXPIREAT', 'k', deadline], { size: { min: 5 } }],
  ] as const)('%j on %j looks again, with the key declared', (argv, selection) => {
    const sent = guardedCommand(argv, selection, now);
    expect(sent.slice(0, 4)).toEqual(['EVALSHA', guardSha1, '1', 'k']);
    expect(isGuarded(sent)).toBe(true);
    expect(unguarded(sent)).toEqual(argv);
  });

  it('gives a server before 7.0 its conditions by the script, and no others', () => {
    for (const condition of ['NX', 'XX', 'GT', 'LT']) {
      const argv = ['PEXPIREAT', 'k', deadline, condition];
      expect(guardedCommand(argv, undefined, now)).toEqual(argv);
      const sent = guardedCommand(argv, undefined, old);
      expect(sent.slice(12)).toEqual([condition, 'PEXPIREAT', deadline]);
      expect(unguarded(sent)).toEqual(argv);
    }
    expect(guardedCommand(['PEXPIREAT', 'k', deadline], undefined, old)).toHaveLength(3);
  });

  it('keeps the key of a job and its deadline to be filled in later', () => {
    const argv = ['PEXPIREAT', { param: 'key' }, { deadline: { after_ms: 1, jitter_ms: 0 } }] as const;
    expect(unguarded(guardedCommand([...argv], { size: { min: 1 } }, now))).toEqual(argv);
  });

  it('is Lua that compiles, and names its one key', () => {
    expect(luaFacts(guardSource).problem).toBeUndefined();
    expect(guardSource.match(/KEYS\[/g)).toHaveLength(1);
  });
});
