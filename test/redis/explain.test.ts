/**
 * What explain says, held against the server: elements are exact where the sizes of keys are, keys are shown as they are,
 * and nothing is written.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Agent, explainWithoutServer, openAgent } from '../../src/agent.ts';
import { Explanation } from '../../src/plan/explanation.ts';
import { explanationText } from '../../src/report/explanation-text.ts';
import { startServer, type TestServer } from '../support/servers.ts';
import { validOn7, wordsOf } from './command-corpus.ts';
import { openWire, type Wire } from './wire.ts';

let server: TestServer;
let wire: Wire;
let agent: Agent;
beforeAll(async () => {
  server = await startServer({ version: 'redis-7.0' });
  wire = await openWire(server.port);
  agent = await openAgent({ url: server.url });
});
afterAll(async () => {
  await agent?.close();
  wire?.close();
  await server?.stop();
});

/** Keys of every type, each with so many elements; none where it is 0. */
async function keysOf(sizes: Readonly<Record<string, number>>): Promise<void> {
  await wire.ask('FLUSHALL');
  for (const [key, size] of Object.entries(sizes)) {
    for (let n = 0; n < size; n += 1) {
      const type = key[0]!;
      if (type === 'h') await wire.ask('HSET', key, `f${n}`, 'v');
      if (type === 's') await wire.ask('SADD', key, `m${n}`);
      if (type === 'z') await wire.ask('ZADD', key, String(n), `m${n}`);
      if (type === 'l') await wire.ask('RPUSH', key, `i${n}`);
      if (type === 'x') await wire.ask('XADD', key, `${n + 1}-1`, 'f', 'v');
    }
  }
}

const elementsOf = async (...argv: string[]) => {
  const { explanation, estimated_ops } = await agent.explain({ operation_type: 'pipelining', commands: [argv] });
  const { elements } = explanation!.steps[0]!.commands[0]!;
  expect(estimated_ops).toBe(elements.count);
  return elements;
};

describe('estimated_ops', () => {
  it('is what the server gives back or takes away, where the sizes of keys say it', async () => {
    const size = fc.nat(40);
    const index = fc.integer({ min: -50, max: 50 });
    await fc.assert(
      fc.asyncProperty(
        size,
        size,
        size,
        index,
        index,
        fc.integer({ min: 1, max: 60 }),
        async (a, b, c, from, to, n) => {
          await keysOf({ h1: a, s1: a, s2: b, z1: b, l1: c, x1: a });
          const [f, t] = [String(from), String(to)];
          const length = async (...argv: string[]) => ((await wire.ask(...argv)) as unknown[]).length;
          const reads: readonly (readonly [argv: string[], elements: number])[] = [
            [['HGETALL', 'h1'], (await length('HGETALL', 'h1')) / 2],
            [['HKEYS', 'h1'], a],
            [['SMEMBERS', 's1'], a],
            [['LRANGE', 'l1', f, t], await length('LRANGE', 'l1', f, t)],
            [['ZRANGE', 'z1', f, t], await length('ZRANGE', 'z1', f, t)],
            [['ZREVRANGE', 'z1', f, t], await length('ZREVRANGE', 'z1', f, t)],
            [['XRANGE', 'x1', '-', '+'], await length('XRANGE', 'x1', '-', '+')],
            [['SRANDMEMBER', 's2', String(-n)], await length('SRANDMEMBER', 's2', String(-n))],
            [['SRANDMEMBER', 's2', String(n)], await length('SRANDMEMBER', 's2', String(n))],
            [['SUNION', 's1', 's2'], a + b],
            [['HMGET', 'h1', 'f0', 'f1', 'f99'], await length('HMGET', 'h1', 'f0', 'f1', 'f99')],
            [['MGET', 'h1', 'nokey'], 2],
          ];
          for (const [argv, elements] of reads) {
            const said = await elementsOf(...argv);
            expect(said, argv.join(' ')).toEqual({ count: Math.max(1, elements), exact: true });
          }
          const takes: readonly (readonly [argv: string[], card: string[]])[] = [
            [
              ['LTRIM', 'l1', f, t],
              ['LLEN', 'l1'],
            ],
            [
              ['ZREMRANGEBYRANK', 'z1', f, t],
              ['ZCARD', 'z1'],
            ],
            [
              ['SPOP', 's1', String(n)],
              ['SCARD', 's1'],
            ],
            [
              ['DEL', 'h1'],
              ['HLEN', 'h1'],
            ],
          ];
          for (const [argv, card] of takes) {
            const said = await elementsOf(...argv);
            const before = Number(await wire.ask(...card));
            await wire.ask(...argv);
            const gone = before - Number(await wire.ask(...card));
            expect(said, argv.join(' ')).toEqual({ count: Math.max(1, gone), exact: true });
          }
        },
      ),
      { numRuns: 25 },
    );
  }, 60_000);

  it('is a bound, and says so, where the data decides', async () => {
    await keysOf({ s1: 10, s2: 3, z1: 20, l1: 30 });
    expect(await elementsOf('SINTER', 's1', 's2')).toEqual({ count: 6, exact: false });
    expect(await elementsOf('SDIFF', 's1', 's2')).toEqual({ count: 13, exact: false });
    expect(await elementsOf('ZRANGEBYSCORE', 'z1', '3', '5')).toEqual({ count: 20, exact: false });
    expect(await elementsOf('ZRANGEBYSCORE', 'z1', '3', '5', 'LIMIT', '0', '2')).toEqual({ count: 2, exact: false });
    expect(await elementsOf('LPOS', 'l1', 'i5')).toEqual({ count: 30, exact: false });
    expect(await elementsOf('LINDEX', 'l1', '-3')).toEqual({ count: 3, exact: true });
  });
});

describe('an explanation', () => {
  it('can be made of every command that can be planned, is a valid document, and writes nothing', async () => {
    await keysOf({ h1: 5, s1: 5 });
    const digest = async () => String(await wire.ask('DEBUG', 'DIGEST'));
    await wire.ask('CONFIG', 'SET', 'appendonly', 'no');
    const before = await digest();
    let explained = 0;
    for (const line of validOn7) {
      for (const one of [
        await agent.explain({ operation_type: 'pipelining', commands: [wordsOf(line)] }),
        await explainWithoutServer({ operation_type: 'pipelining', commands: [wordsOf(line)] }),
      ]) {
        if (one.explanation === undefined) continue;
        expect(Explanation.safeParse(JSON.parse(JSON.stringify(one.explanation))).error, line).toBeUndefined();
        expect(
          explanationText(one.explanation)
            .split('\n')
            .every((text) => text.length <= 80),
          line,
        ).toBe(true);
        explained += 1;
      }
    }
    expect(explained).toBeGreaterThan(400);
    expect(await digest()).toBe(before);
  }, 60_000);

  it('shows the keys as they are, and what is done with them', async () => {
    await keysOf({ z1: 20, z2: 600 });
    await wire.ask('PEXPIRE', 'z2', '60000');
    const { explanation } = await agent.explain('ZUNIONSTORE out 2 z1 z2');
    const [command] = explanation!.steps[0]!.commands;
    expect(command).toMatchObject({
      elements: { count: 620, exact: true },
      writes: true,
      idempotent: true,
      destructive: true,
      crossslot: true,
      allowed: true,
    });
    expect(command!.keys).toMatchObject([
      { key: 'out', access: 'overwrites', facts: { exists: false } },
      { key: 'z1', access: 'reads', facts: { type: 'zset', encoding: 'listpack', elements: 20, ttl_ms: -1 } },
      { key: 'z2', access: 'reads', facts: { type: 'zset', encoding: 'skiplist', elements: 600 } },
    ]);
    expect(command!.memory_bytes!.high).toBeGreaterThan(10_000);
    expect(explanation!.replication).toEqual({ replicas: 0, bytes: command!.bytes_out });
    expect(explanationText(explanation!)).toContain('z2: zset (skiplist), 600 elements');
  });

  it('names a safer way for what is large', async () => {
    await keysOf({ h1: 1_500 });
    const instead = async (line: string) => (await agent.explain(line)).explanation!.steps[0]!.commands[0]!.instead;
    expect(await instead('HGETALL h1')).toContain('HSCAN h1 0');
    expect(await instead('DEL h1')).toContain('UNLINK h1');
    expect(await instead('HGET h1 f1')).toBeUndefined();
    expect(await instead('HMSET h1 a b')).toContain('HSET');
  });

  it('of a plan is a tree of its commands', async () => {
    await keysOf({ h1: 3, h2: 4, s1: 2 });
    const request = {
      operation_type: 'batch',
      select: { match: 'h*', ttl: 'none' },
      do: { action: 'expire', ttl: '1h' },
    };
    const { explanation } = await agent.explain(request);
    const [step] = explanation!.steps;
    expect(step).toMatchObject({ kind: 'for_each', atomic: false, more: 0 });
    expect(step!.commands.map(({ argv, times }) => [argv[0], times])).toEqual([
      ['SCAN', 1],
      ['PTTL', 2],
      ['PEXPIREAT', 2],
    ]);
    const text = explanationText(explanation!);
    expect(text).toContain('for_each');
    expect(text).toContain('longest');
  });

  it('of a transaction is as long as all of it: nobody comes in between', async () => {
    await keysOf({ h1: 800 });
    const { explanation } = await agent.explain({
      operation_type: 'transaction',
      commands: ['HGETALL h1', 'HGETALL h1'],
    });
    const [step] = explanation!.steps;
    const each = step!.commands.find(({ argv }) => argv[0] === 'HGETALL')!.server_ms.expected;
    expect(step!.atomic).toBe(true);
    expect(explanation!.longest_ms.expected).toBeGreaterThan(each * 1.9);
  });

  it('without a server claims nothing of data', async () => {
    const { explanation, plan, acl } = await explainWithoutServer('DEL big');
    expect([plan, acl]).toEqual([undefined, undefined]);
    expect(explanation).toMatchObject({
      facts: 'none',
      steps: [{ commands: [{ destructive: true, idempotent: true }] }],
    });
    expect(explanation!.steps[0]!.commands[0]).not.toHaveProperty('memory_bytes');
    const text = explanationText(explanation!);
    expect(text).toContain('not asked');
    expect(text).toContain('No server was asked');
    await expect(explainWithoutServer({ operation_type: 'pipelining', file: 'a.redis' })).rejects.toMatchObject({
      code: 'usage',
    });
  });
});
