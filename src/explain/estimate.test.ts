import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyFacts, targetWith } from '../../test/support/target.ts';
import { Estimate } from '../plan/estimate.ts';
import type { Draft } from '../plan/plan.ts';
import { Request } from '../plan/request.ts';
import type { Step } from '../plan/step.ts';
import type { KeyFacts, SelectionFacts, Target } from '../plan/target.ts';
import type { Argument } from '../plan/values.ts';
import { estimate } from './estimate.ts';

function draftOf(step: Step, limits: { rate?: number } = {}): Draft {
  const request = Request.parse({ operation_type: 'pipelining', commands: ['PING'], limits });
  return { request, strategy: 'pipeline', steps: [step], batch_size: 10, reasons: [] };
}
function pipeline(...commands: Argument[][]): Step {
  return { kind: 'pipeline', batch_size: 10, steps: commands.map((argv) => ({ kind: 'command', argv })) };
}
const key: Argument = { param: 'key' };
function job(...argv: Argument[]): Step {
  return { kind: 'for_each', selection: { match: 's:*' }, count: 500, batch_size: 300, do: { kind: 'command', argv } };
}
function found(keys: number, change: Partial<SelectionFacts> = {}): SelectionFacts {
  const common = { selection: { match: 's:*' }, basis: 'counted', keys, low: keys, high: keys } as const;
  return { ...common, visited: keys, samples: [], with_ttl: 0, largest: 0, ...change };
}

const collections: readonly KeyFacts[] = [
  keyFacts('h', 'hash', 1_000_000),
  keyFacts('z', 'zset', 5000),
  keyFacts('l', 'list', 300),
  keyFacts('s', 'set', 40),
  keyFacts('x', 'stream', 700),
  keyFacts('str', 'string', 100),
  keyFacts('gone', 'none', 0, { exists: false }),
];
const target = targetWith({ server: { keys: 100_000 }, keys: collections });

describe('estimated_ops', () => {
  it.each<[Argument[], number]>([
    [['GET', 'str'], 1],
    [['SET', 'str', 'v'], 1],
    [['HGETALL', 'h'], 1_000_000],
    [['HGET', 'h', 'f'], 1],
    [['HSET', 'h', 'a', '1', 'b', '2'], 2],
    [['DEL', 'h'], 1_000_000],
    [['DEL', 's', 'str', 'gone'], 42],
    [['UNLINK', 'h'], 1],
    [['UNLINK', 'h', 'z', 'gone'], 3],
    [['SMEMBERS', 's'], 40],
    [['LRANGE', 'l', '0', '-1'], 300],
    [['LRANGE', 'l', '0', '9'], 10],
    [['LRANGE', 'l', '-5', '-1'], 5],
    [['LRANGE', 'l', '500', '600'], 1],
    [['ZRANGE', 'z', '0', '-1'], 5000],
    [['ZRANGE', 'z', '0', '99', 'REV'], 100],
    [['ZRANGE', 'z', '-inf', '+inf', 'BYSCORE'], 5000],
    [['ZRANGEBYSCORE', 'z', '-inf', '+inf', 'LIMIT', '10', '20'], 30],
    [['ZADD', 'z', '1', 'a', '2', 'b'], 2],
    [['LTRIM', 'l', '0', '99'], 200],
    [['SPOP', 's', '10'], 10],
    [['SUNIONSTORE', 'd', 's', 's'], 80],
    [['SET', 'h', 'v'], 1_000_001],
    [['RENAME', 'str', 'z'], 5001],
    [['MGET', 'a', 'b', 'c'], 3],
    [['KEYS', '*'], 100_000],
    [['SCAN', '0', 'COUNT', '1000'], 1000],
    [['FLUSHDB'], 100_000],
    [['FLUSHDB', 'ASYNC'], 1],
    [['XREAD', 'COUNT', '10', 'STREAMS', 'x', '0'], 10],
    [['XREAD', 'STREAMS', 'x', '0'], 700],
    [['PING'], 1],
    [['NOSUCH', 'x'], 1],
  ])('%j touches %i', (argv, elements) => {
    expect(estimate(draftOf(pipeline(argv)), target).estimated_ops).toBe(elements);
  });

  it('lazyfree settings make deletes cheap, large or small', () => {
    const lazyfree = { del: true, expire: true, server_del: true, flush: true };
    const lazy = targetWith({ server: { keys: 100_000, lazyfree }, keys: collections });
    const ops = (...argv: Argument[]) => estimate(draftOf(pipeline(argv)), lazy).estimated_ops;
    expect(ops('DEL', 'h')).toBe(1);
    expect(ops('DEL', 's')).toBe(40); // 64 elements or fewer are freed at once
    expect(ops('FLUSHALL')).toBe(1);
  });

  it('where the setting is not told, the engine’s default holds', () => {
    const del = (engine: 'redis' | 'valkey', version: string) =>
      estimate(
        draftOf(pipeline(['DEL', 'h'])),
        targetWith({ server: { engine, version, lazyfree: {} }, keys: collections }),
      ).estimated_ops;
    expect(del('redis', '8.0.2')).toBe(1_000_000);
    expect(del('valkey', '7.2.5')).toBe(1_000_000);
    expect(del('valkey', '8.1.1')).toBe(1);
  });
});

describe('estimate', () => {
  it('a pipeline: distinct keys, batches, bytes as they go over the wire', () => {
    const draft = draftOf(pipeline(...Array.from({ length: 25 }, (_, index): Argument[] => ['GET', `k${index % 5}`])));
    const { estimate: price, round_trips } = estimate(draft, target);
    expect(price).toMatchObject({ keys: 5, low: 5, high: 5, basis: 'counted' });
    expect(round_trips).toBe(3);
    // *2\r\n$3\r\nGET\r\n$2\r\nk0\r\n is 21 bytes
    expect(price.bytes_out).toBe(25 * 21);
    expect(price.server_ms).toBeGreaterThan(0);
    expect(price.server_ms_low).toBeLessThan(price.server_ms);
    expect(price.server_ms_high).toBeGreaterThan(price.server_ms);
    expect(price.duration_ms).toBeCloseTo(3 * 0.1 + price.server_ms, 3);
  });

  it('DEL of a hash of a million fields holds the server for hundreds of milliseconds, UNLINK for none', () => {
    const price = (name: string) => estimate(draftOf(pipeline([name, 'h'])), target).estimate;
    // measured on 7.0.15: 400 to 600 ms
    expect(price('DEL').server_ms_low).toBeLessThan(400);
    expect(price('DEL').server_ms_high).toBeGreaterThan(600);
    expect(price('DEL').server_ms).toBeGreaterThan(100);
    expect(price('UNLINK').server_ms).toBeLessThan(1.1);
  });

  it('a job visits the whole keyspace and acts on what matches', () => {
    const sampled = found(20_000, { basis: 'sampled', low: 19_000, high: 21_000 });
    const known = targetWith({ server: { keys: 100_000 }, selections: [sampled] });
    const { estimate: price, estimated_ops, round_trips } = estimate(draftOf(job('UNLINK', key)), known);
    expect(price).toMatchObject({ keys: 20_000, low: 19_000, high: 21_000, basis: 'sampled' });
    expect(estimated_ops).toBe(120_000);
    expect(round_trips).toBe(200 + 200); // 200 pages, each with 100 keys in one batch
    expect(price.server_ms).toBeGreaterThan(30); // 0.7 to 0.9 us a visited key
  });

  it('a job is priced by the keys that were sampled', () => {
    const samples = [keyFacts('s:1', 'hash', 1000), keyFacts('s:2', 'string', 10)];
    const known = targetWith({ server: { keys: 100 }, selections: [found(10, { samples })] });
    expect(estimate(draftOf(job('DEL', key)), known).estimated_ops).toBe(100 + (10 * 1001) / 2);
  });

  it('without facts of the selection only the keyspace bounds it', () => {
    const { estimate: price } = estimate(draftOf(job('UNLINK', key)), targetWith({ server: { keys: 77 } }));
    expect(price).toMatchObject({ basis: 'bound', low: 0, high: 77, keys: 77 });
  });

  it('a listing with a limit visits a part', () => {
    const known = targetWith({ server: { keys: 10_000 }, selections: [found(1000)] });
    const scan = { kind: 'scan', selection: { match: 's:*' }, count: 100, limit: 10, collect: 'keys' } as const;
    const { estimate: price, estimated_ops, round_trips } = estimate(draftOf(scan), known);
    expect(price).toMatchObject({ keys: 10, low: 10, high: 10 });
    expect(estimated_ops).toBe(100);
    expect(round_trips).toBe(1);
  });

  it('an audit reads the TTL of each key', () => {
    const known = targetWith({ server: { keys: 1000 }, selections: [found(400)] });
    const scan = { kind: 'scan', selection: { match: 's:*' }, count: 500, collect: 'ttl' } as const;
    expect(estimate(draftOf(scan), known)).toMatchObject({ estimated_ops: 1400, round_trips: 4 });
  });

  it('a rate limit sets the duration', () => {
    const known = targetWith({ server: { keys: 1000 }, selections: [found(1000)] });
    const { estimate: price } = estimate(draftOf(job('UNLINK', key), { rate: 100 }), known);
    expect(price.duration_ms).toBeGreaterThanOrEqual(10_000);
  });

  it('a transaction is two round trips when it reads first, else one', () => {
    const step: Step = {
      kind: 'transaction',
      watch: [],
      reads: [],
      steps: [{ kind: 'command', argv: ['SET', 'a', '1'] }],
    };
    expect(estimate(draftOf(step), target).round_trips).toBe(1);
    expect(estimate(draftOf({ ...step, watch: ['a'] }), target).round_trips).toBe(2);
  });

  it('a script is one round trip once the server has it', () => {
    const sha1 = 'a'.repeat(40);
    const step: Step = { kind: 'script', sha1, source: 'return 1', keys: ['a', 'a', 'b'], args: [], read_only: true };
    expect(estimate(draftOf(step), target)).toMatchObject({ round_trips: 3, estimate: { keys: 2 } });
    expect(estimate(draftOf(step), targetWith({ scripts: [sha1] })).round_trips).toBe(1);
  });

  it('a draft without steps costs nothing', () => {
    const draft: Draft = { ...draftOf(pipeline(['PING'])), steps: [] };
    expect(estimate(draft, target)).toMatchObject({ estimated_ops: 0, round_trips: 0, estimate: { duration_ms: 0 } });
  });

  it('gives a valid estimate whatever the facts and the commands are', () => {
    const nat = fc.maxSafeNat();
    const facts = fc
      .record({
        type: fc.constantFrom('hash', 'set', 'zset', 'list', 'string', 'stream', 'none'),
        elements: nat,
        bytes: nat,
      })
      .map(({ type, elements, bytes }) => keyFacts('k', type, elements, { bytes, exists: type !== 'none' }));
    const word = fc.constantFrom(
      'k',
      'k2',
      '0',
      '-1',
      '9007199254740993',
      'nope',
      'LIMIT',
      'BYSCORE',
      'COUNT',
      'STORE',
    );
    const name = fc.constantFrom(
      'DEL',
      'UNLINK',
      'HGETALL',
      'ZRANGE',
      'LRANGE',
      'LTRIM',
      'SORT',
      'SPOP',
      'KEYS',
      'SCAN',
      'SET',
      'X',
    );
    const argv = fc.tuple(name, fc.array(fc.oneof(word, fc.constant({ expr: 'a' })), { maxLength: 6 }));
    const step = fc.oneof(
      fc
        .array(argv, { minLength: 1, maxLength: 3 })
        .map((all) => pipeline(...all.map(([first, rest]): Argument[] => [first, ...rest]))),
      argv.map(([first, rest]) => job(first, key, ...rest)),
      fc.constant<Step>({ kind: 'scan', selection: { match: 's:*' }, count: 1, limit: 3, collect: 'ttl' }),
    );
    const selection = fc
      .tuple(nat, fc.array(facts, { maxLength: 2 }))
      .map(([keys, samples]) => found(keys, { samples }));
    const targets: fc.Arbitrary<Target> = fc
      .tuple(nat, fc.array(facts, { maxLength: 1 }), fc.array(selection, { maxLength: 1 }))
      .map(([keys, known, selections]) => targetWith({ server: { keys }, keys: known, selections }));
    fc.assert(
      fc.property(step, targets, (one, on) => {
        const priced = estimate(draftOf(one), on);
        expect(Estimate.parse(priced.estimate)).toEqual(priced.estimate);
        expect(Number.isSafeInteger(priced.estimated_ops) && priced.estimated_ops >= 1).toBe(true);
        expect(Number.isSafeInteger(priced.round_trips) && priced.round_trips >= 1).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
