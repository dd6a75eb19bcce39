/** A scan job from here and on the server: the same keys, the same deadlines, the same counts. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Agent } from '../../src/agent.ts';
import { systemClock } from '../../src/base/clock.ts';
import { runChunk } from '../../src/execute/server-chunk.ts';
import { Session } from '../../src/execute/session.ts';
import { bind } from '../../src/execute/wire.ts';
import type { ForEachStep } from '../../src/plan/step.ts';
import { toReplyValue } from '../../src/redis/reply.ts';
import { connectServer } from '../../src/redis/server-connection.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { applied, planOf, withAgent } from '../support/agent.ts';
import { startProxy, startServer, type TestServer } from '../support/servers.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ user: { name: 'noscript', password: 'p', rules: ['~*', '+@all', '-evalsha'] } });
});
afterAll(() => server.stop());

/** Every key with its type and deadline (-1: none), by DEBUG-free means. */
async function state(at: TestServer): Promise<string> {
  const lua =
    "local t = {} for _, k in ipairs(redis.call('keys', '*')) do t[#t + 1] = k .. ' ' .. redis.call('type', k).ok .. ' ' .. redis.call('pexpiretime', k) end table.sort(t) return table.concat(t, '\\n')";
  return at.cli('eval', lua, '0');
}

/** Applies on filled data until the engine is the wanted one: from a measured round trip of 10 ms on, also of a busy machine, the other may be chosen. */
const run = async (agent: Agent, fill: () => Promise<void>, request: object, engine: 'client' | 'server') => {
  const mode = engine === 'client' ? 'latency_optimized' : 'throughput_optimized'; // the former never goes on the server
  for (let attempt = 0; ; attempt += 1) {
    await fill();
    const report = await applied(agent, { ...request, performance_mode: mode });
    if (report.engine === engine || attempt === 20) {
      expect(report.engine).toBe(engine);
      return report;
    }
  }
};

describe('the two engines of a scan job', () => {
  const actions = [
    { action: 'unlink' },
    { action: 'persist' },
    { action: 'touch' },
    { action: 'expire', at: 4_000_000_000 },
    { action: 'expire', at: 4_000_000_000, condition: 'nx' },
    { action: 'expire', at: 4_000_000_000, condition: 'gt' },
  ];

  it.each(actions)(
    'have the same effect and count the same: %o',
    async (action) => {
      await withAgent(server.url, (agent) =>
        fc.assert(
          fc.asyncProperty(
            fc.uniqueArray(
              fc.record({ name: fc.nat(200), kind: fc.constantFrom('a', 'b'), ttl: fc.boolean(), list: fc.boolean() }),
              {
                maxLength: 60,
                selector: ({ name, kind }) => `${kind}:${name}`,
              },
            ),
            fc.constantFrom<object>(
              { match: 'a:*' },
              { match: '?:*' },
              { match: '*:1?' },
              { match: 'a:*', type: 'list' },
            ),
            async (keys, select) => {
              const outcomes: unknown[] = [];
              for (const engine of ['client', 'server'] as const) {
                const fill = async () => {
                  await server.cli('flushall');
                  for (const { name, kind, ttl, list } of keys) {
                    const key = `${kind}:${name}`;
                    await server.cli(...(list ? ['rpush', key, 'x'] : ['set', key, 'x']));
                    if (ttl) await server.cli('pexpireat', key, '3900000000000');
                  }
                };
                const report = await run(agent, fill, { operation_type: 'batch', select, do: action }, engine);
                const { matched, changed, unchanged, failed, unknown } = report.totals;
                outcomes.push({ matched, changed, unchanged, failed, unknown, left: await state(server) });
              }
              expect(outcomes[1]).toEqual(outcomes[0]);
            },
          ),
          { numRuns: 5 },
        ),
      );
    },
    60_000,
  );

  it('give a key the same deadline in the same run at the same time, whatever its bytes', async () => {
    const argv: ForEachStep['do']['argv'] = [
      'PEXPIREAT',
      { param: 'key' },
      { deadline: { after_ms: 3_600_000, jitter_ms: 600_000 } },
    ];
    const step: ForEachStep = {
      kind: 'for_each',
      selection: { match: '*' },
      count: 1_000,
      batch_size: 100,
      do: { kind: 'command', argv },
    };
    await server.cli('flushall');
    const keys = ['plain', 'ключ', 'with space', 'a:b:c', ...Array.from({ length: 200 }, (_, at) => `n:${at}`)];
    for (const key of keys) await server.cli('set', key, 'x');
    const plan = await withAgent(server.url, (agent) =>
      planOf(agent, { operation_type: 'batch', select: { match: '*' }, do: { action: 'unlink' } }),
    );
    const connection = await connectServer(parseUrl(server.url));
    const signal = new AbortController().signal;
    const session = new Session({ plan, runId: 'r1', connection, clock: systemClock, signal, journal: undefined });
    const timeMs = Number((await server.cli('time')).split('\n')[0]) * 1000;
    expect(await server.cli('dbsize')).toBe(String(keys.length));
    const done = await runChunk(session, step, { cursor: '0', count: 10_000, most: 10_000, timeMs });
    expect(done).toMatchObject({ next: '0', totals: { matched: keys.length, changed: keys.length, failed: 0 } });
    for (const key of keys) {
      const deadline = toReplyValue(await connection.send(['PEXPIRETIME', key]), () => ({
        code: '',
        name: '',
        message: '',
      }));
      expect([key, String(deadline)]).toEqual([key, bind(argv, { runId: 'r1', key, timeMs })[2]]);
    }
    // what was not foreseen is not touched
    const bounded = await runChunk(session, step, { cursor: '0', count: 10_000, most: 7, timeMs });
    expect(bounded).toMatchObject({ over: true, totals: { matched: 7 } });
    // a deadline in the past would delete
    const late = runChunk(session, step, { cursor: '0', count: 10_000, most: 500, timeMs: timeMs - 3_700_000 });
    await expect(late).rejects.toThrow('would delete');
    expect(await server.cli('dbsize')).toBe(String(keys.length));
    await session.close();
    await connection.close();
  });
});

describe('the engine on the server', () => {
  const unlink = { operation_type: 'batch', select: { match: 'job:*' }, do: { action: 'unlink' } };
  const fill = (count: number) =>
    server.cli(
      'eval',
      `redis.call('flushall') for i = 1, ${count} do redis.call('set', 'job:' .. i, i) end redis.call('set', 'keep', 1)`,
      '0',
    );

  it('is left for the other one by a user who may not run scripts', async () => {
    await fill(3_000);
    const report = await withAgent(server.userUrl!, (agent) => applied(agent, unlink));
    expect(report).toMatchObject({ status: 'succeeded', engine: 'client', totals: { changed: 3_000 } });
    expect(await server.cli('dbsize')).toBe('1');
  });

  it('names the keys that were refused, and goes on', async () => {
    const limited = await startServer({ user: { name: 'app', password: 'p', rules: ['~job:1*', '~job:2*', '+@all'] } });
    await limited.cli('eval', "for i = 1, 999 do redis.call('set', 'job:' .. i, i) end", '0');
    const report = await withAgent(limited.userUrl!, (agent) => applied(agent, unlink));
    expect(report).toMatchObject({
      status: 'partial',
      engine: 'server',
      totals: { matched: 999, changed: 222, failed: 777 },
    });
    expect(JSON.stringify(report.results[0])).toContain('access');
    expect(await limited.cli('dbsize')).toBe('777');
    await limited.stop();
  });

  it('stops before it acts on more keys than the request allows', async () => {
    await fill(5_000);
    const request = { ...unlink, limits: { max_keys: 4_000 }, accept: [] };
    const report = await withAgent(server.url, (agent) => applied(agent, request));
    expect(report.status).toBe('refused');
    await withAgent(server.url, async (agent) => {
      const plan = await planOf(agent, { ...unlink, limits: { max_keys: 6_000, rate: 20_000 } });
      const run = await agent.apply(plan, { yes: true });
      if (!('events' in run)) throw new Error('no run');
      let more = true;
      for await (const event of run.events) {
        if (event.kind !== 'page' || !more) continue;
        more = false;
        await server.cli('eval', "for i = 1, 20000 do redis.call('set', 'job:new:' .. i, i) end", '0');
      }
      const report = await run.report;
      expect(report).toMatchObject({ status: 'failed', engine: 'server' });
      expect(report.totals.changed).toBeLessThanOrEqual(6_000);
      expect(Number(await server.cli('dbsize'))).toBe(25_001 - report.totals.changed);
    });
  });

  it('counts what a lost reply hides against what the request allows', async () => {
    await fill(20_000);
    const proxy = await startProxy(server.port);
    await withAgent(
      `redis://127.0.0.1:${proxy.port}`,
      async (agent) => {
        const limits = { max_keys: 20_100, rate: 50_000 };
        const run = await agent.apply({ ...unlink, retry: { max_retries: 5, base_ms: 5 }, limits }, { yes: true });
        if (!('events' in run)) throw new Error('no run');
        let pages = 0;
        for await (const event of run.events) {
          if (event.kind !== 'page') continue;
          pages += 1;
          if (pages !== 3) continue;
          proxy.swallowReplies();
          await server.cli('eval', "for i = 1, 30000 do redis.call('set', 'job:new:' .. i, i) end", '0');
          setTimeout(() => void proxy.restore(), 600);
        }
        const report = await run.report;
        expect(report).toMatchObject({ status: 'failed', engine: 'server' });
        expect(report.totals.retried).toBeGreaterThan(0);
        const deleted = 50_001 - Number(await server.cli('dbsize'));
        expect(deleted).toBeGreaterThan(report.totals.changed);
        expect(deleted).toBeLessThanOrEqual(20_100);
      },
      { timeoutMs: 400 },
    );
    await proxy.stop();
  });

  it('is not used in a dry run, which sends no script', async () => {
    await fill(3_000);
    const report = await withAgent(server.url, (agent) => applied(agent, unlink, { dryRun: true }));
    expect(report).toMatchObject({ dry_run: true, engine: 'client' });
    expect(await server.cli('dbsize')).toBe('3001');
  });

  it('runs a chunk again whose reply was lost, after the lost connection was ended', async () => {
    await fill(20_000);
    const proxy = await startProxy(server.port);
    await withAgent(
      `redis://127.0.0.1:${proxy.port}`,
      async (agent) => {
        const run = await agent.apply(
          { ...unlink, retry: { max_retries: 5, base_ms: 5 }, limits: { rate: 50_000 } },
          { yes: true },
        );
        if (!('events' in run)) throw new Error('no run');
        let pages = 0;
        for await (const event of run.events) {
          if (event.kind !== 'page') continue;
          pages += 1;
          if (pages === 3) {
            proxy.swallowReplies();
            setTimeout(() => void proxy.restore(), 600);
          }
        }
        const report = await run.report;
        expect(report).toMatchObject({ status: 'succeeded', engine: 'server', totals: { failed: 0, unknown: 0 } });
        expect(report.totals.retried).toBeGreaterThan(0);
        expect(report.warnings).toContainEqual(expect.objectContaining({ code: 'E231', severity: 'info' }));
      },
      { timeoutMs: 400 },
    );
    expect(await server.cli('dbsize')).toBe('1');
    await proxy.stop();
  });
});
