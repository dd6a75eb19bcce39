import { describe, expect, it } from 'vitest';
import { isQuiet, madeIn } from './quiet.ts';

const stats = (...fields: readonly string[]) => ['# Commandstats', ...fields, ''].join('\r\n');
const calls = (name: string, count: number) =>
  `cmdstat_${name}:calls=${count},usec=9,usec_per_call=1.00,rejected_calls=0,failed_calls=0`;
const harmless = new Set(['unlink', 'evalsha']);

describe('the calls that could make a key', () => {
  it('are those of writes, but for the harmless ones; what is not known may write', () => {
    const text = stats(calls('set', 3), calls('get', 100), calls('unlink', 50), calls('evalsha', 7), calls('ping', 1));
    expect(madeIn(text, harmless)).toBe(3);
    expect(madeIn(stats(calls('unlink', 1), calls('mymodule.add', 2)), harmless)).toBe(2);
    expect(madeIn(stats(calls('xgroup|create', 2), calls('client|setname', 9), calls('info', 5)), harmless)).toBe(2);
  });

  it('count CONFIG RESETSTAT, which forgets the others, and before 7.0 every CONFIG', () => {
    expect(madeIn(stats(calls('config|resetstat', 1), calls('config|get', 5)), harmless)).toBe(1);
    expect(madeIn(stats(calls('config', 4)), harmless)).toBe(4);
  });

  it('count REPLICAOF, which brings other data, and DEBUG, which makes some', () => {
    expect(madeIn(stats(calls('replicaof', 1), calls('slaveof', 1), calls('debug', 1)), harmless)).toBe(3);
  });

  it('are not known where nothing is told', () => {
    expect(madeIn(undefined, harmless)).toBeUndefined();
    expect(madeIn('# Commandstats\r\n', harmless)).toBeUndefined();
  });
});

describe('a keyspace is quiet', () => {
  it('only when the same processes have counted nothing more, and nothing less', () => {
    const before = new Map([
      ['a', 5],
      ['b', 0],
    ]);
    expect(isQuiet(before, new Map(before))).toBe(true);
    expect(isQuiet(before, new Map([...before, ['a', 6]]))).toBe(false);
    expect(isQuiet(before, new Map([...before, ['a', 4]]))).toBe(false);
    expect(isQuiet(before, new Map([...before, ['c', 0]]))).toBe(false);
    expect(isQuiet(before, new Map([['a', 5]]))).toBe(false);
    expect([isQuiet(undefined, before), isQuiet(before, undefined)]).toEqual([false, false]);
  });
});
