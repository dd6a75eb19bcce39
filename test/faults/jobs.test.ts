/** Scan jobs when the world misbehaves: they go on where that is safe, stop where it is not, and count what is true. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Agent, ApplyOptions } from '../../src/agent.ts';
import { systemClock } from '../../src/base/clock.ts';
import { OpsError } from '../../src/base/ops-error.ts';
import { execute } from '../../src/execute/execute.ts';
import type { Event } from '../../src/plan/event.ts';
import type { Report } from '../../src/plan/report.ts';
import { connectServer } from '../../src/redis/server-connection.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { createFold } from '../../src/report/fold.ts';
import { planOf, withAgent } from '../support/agent.ts';
import { startServer, type TestServer } from '../support/servers.ts';

const KEYS = 20_000;
const unlink = {
  operation_type: 'batch',
  select: { match: 'job:*' },
  do: { action: 'unlink' },
  retry: { max_retries: 4, base_ms: 5 },
};

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await fill(server);
});

async function fill(one: TestServer): Promise<void> {
  await one.cli('flushall');
  await one.cli(
    'eval',
    `for i = 1, ${KEYS} do redis.call('set', 'job:' .. i, i) end redis.call('set', 'keep', 1)`,
    '0',
  );
}

/** Applies and does something at the n-th page. */
async function disturbed(
  agent: Agent,
  document: unknown,
  at: number,
  disturb: () => Promise<void> | void,
  options: ApplyOptions = { yes: true },
): Promise<Report> {
  const run = await agent.apply(document, options);
  if (!('events' in run)) throw new Error('no run');
  let pages = 0;
  for await (const event of run.events) {
    if (event.kind !== 'page') continue;
    pages += 1;
    if (pages === at) await disturb();
  }
  expect(pages).toBeGreaterThanOrEqual(at);
  return run.report;
}

describe('a scan job', () => {
  it('goes on when its connections are cut again and again, and misses nothing', async () => {
    await withAgent(server.url, async (agent) => {
      let cutting = true;
      let cuts = 0;
      let cutter: Promise<void> | undefined;
      const request = { ...unlink, limits: { rate: 10_000 }, retry: { max_retries: 50, base_ms: 5 } };
      const report = await disturbed(agent, request, 1, () => {
        cutter = (async () => {
          while (cutting) cuts += Number(await server.cli('client', 'kill', 'type', 'normal').catch(() => '0'));
        })();
      }).finally(() => {
        cutting = false;
      });
      await cutter;
      expect(report).toMatchObject({
        status: 'succeeded',
        totals: { failed: 0, unknown: 0 },
        verification: { complete: true },
      });
      // the counts of a chunk whose reply was lost are lost with it, and the report says so
      const lost = report.warnings.some(({ code, severity }) => code === 'E231' && severity === 'info');
      if (!lost) expect(report.totals.matched).toBeGreaterThanOrEqual(KEYS);
      expect(report.totals.changed + report.totals.unchanged).toBe(report.totals.matched);
      // whether one hit a command in flight is chance: a job that keeps to a rate mostly waits
      expect(cuts).toBeGreaterThan(5);
    });
    expect(await server.cli('keys', '*')).toBe('keep');
  });

  it('stops when the server was restarted under it: its cursor and its data are gone', async () => {
    const own = await startServer();
    await fill(own);
    await withAgent(own.url, async (agent) => {
      const report = await disturbed(agent, unlink, 3, async () => {
        await own.stop();
        const again = await startServer({ port: own.port });
        await fill(again);
      });
      expect(report.status).toBe('failed');
      expect(report.verification.complete).toBe(false);
      expect(report.warnings.map((warning) => warning.code)).toContain('E233');
      expect(report.totals.changed).toBeLessThan(KEYS);
    });
  });

  it('stops when the server is gone, and says how far it came', async () => {
    const own = await startServer();
    await fill(own);
    await withAgent(own.url, async (agent) => {
      const report = await disturbed(agent, unlink, 3, () => own.stop());
      expect(report.status).toBe('failed');
      expect(report.verification.unproven.join()).toContain('stopped early');
      expect(report.totals.changed).toBeGreaterThan(0);
    });
  });

  it('stops cleanly when it is interrupted', async () => {
    const stop = new AbortController();
    await withAgent(server.url, async (agent) => {
      const report = await disturbed(
        agent,
        unlink,
        2,
        () => stop.abort(new OpsError('interrupted', 'the caller has had enough')),
        { yes: true, signal: stop.signal },
      );
      expect(report.status).toBe('interrupted');
      expect(report.totals.unknown).toBe(0);
      expect(Number(await server.cli('dbsize'))).toBe(KEYS + 1 - report.totals.changed);
    });
  });

  it('names its connections after the run', async () => {
    const names = new Set<string>();
    await withAgent(server.url, async (agent) => {
      const report = await disturbed(agent, { ...unlink, limits: { rate: 40_000 } }, 3, async () => {
        for (const [, name] of (await server.cli('client', 'list')).matchAll(/ name=(\S+)/g)) names.add(name!);
      });
      expect(names).toContain(`redops:${report.run_id}`);
    });
  });

  it('stops before acting on keys that the plan did not foresee', async () => {
    await withAgent(server.url, async (agent) => {
      const report = await disturbed(agent, { ...unlink, performance_mode: 'latency_optimized' }, 1, async () => {
        await server.cli('eval', `for i = 1, ${KEYS} do redis.call('set', 'job:new:' .. i, i) end`, '0');
      });
      expect(report.status).toBe('failed');
      expect(report.totals.changed).toBeLessThanOrEqual(KEYS * 1.1);
      expect(report.warnings.map((warning) => warning.code)).toContain('E233');
    });
  });

  it('counts a TTL from when each chunk is sent: a slow job deletes nothing', async () => {
    await server.cli('flushall');
    await server.cli('eval', "for i = 1, 100 do redis.call('set', 'slow:' .. i, i) end", '0');
    const request = {
      operation_type: 'expiration',
      action: 'set',
      match: 'slow:*',
      ttl: '3s',
      jitter: 0,
      limits: { rate: 25 },
    };
    await withAgent(server.url, async (agent) => {
      const run = await agent.apply(request, { yes: true });
      if (!('events' in run)) throw new Error('no run');
      for await (const event of run.events) void event;
      expect((await run.report).totals).toMatchObject({ matched: 100, changed: 100, failed: 0 });
    });
    // the run took 4 s: what was sent last has its whole TTL before it, and no key went before its time
    const ttls = (
      await server.cli(
        'eval',
        "local t = {} for _, k in ipairs(redis.call('keys', 'slow:*')) do t[#t + 1] = redis.call('pttl', k) end return t",
        '0',
      )
    )
      .split('\n')
      .map(Number);
    expect(Math.max(...ttls)).toBeGreaterThan(2_000);
    expect(Number(/expired_keys:(\d+)/.exec(await server.cli('info', 'stats'))?.[1])).toBeLessThan(60);
  });

  it('sends nothing of a chunk whose deadline could not be made durable', async () => {
    const events: Event[] = [];
    const plan = await withAgent(server.url, (agent) =>
      planOf(agent, { operation_type: 'expiration', action: 'set', match: 'job:*', ttl: '1h' }),
    );
    const connection = await connectServer(parseUrl(server.url));
    const journal = () => Promise.reject(new OpsError('state', 'no space left on the device that holds the journal'));
    const context = {
      plan,
      runId: 'full',
      connection,
      clock: systemClock,
      signal: new AbortController().signal,
      journal,
    };
    const fold = createFold(plan, 'full');
    for await (const event of execute(context)) {
      events.push(event);
      fold.add(event);
    }
    await connection.close();
    expect(fold.report()).toMatchObject({ status: 'failed', totals: { changed: 0 } });
    expect(await server.cli('info', 'keyspace')).toContain('expires=0');
  });
});

describe('a server that is busy with a script', () => {
  it('lets SCRIPT KILL be planned and applied, asks because it ends whoever’s script runs, and refuses the rest with BUSY', async () => {
    await server.cli('config', 'set', 'lua-time-limit', '20');
    const script = server.cli('eval', 'while true do end', '0').catch(() => '');
    await new Promise((resolve) => setTimeout(resolve, 200));
    await withAgent(server.url, async (agent) => {
      const other = await agent
        .plan({ operation_type: 'key_management', action: 'delete', keys: ['k'] })
        .catch((error: unknown) => error);
      expect(other).toBeInstanceOf(OpsError);
      expect((other as OpsError).reply).toBe('BUSY');
      const run = await agent.apply(
        { operation_type: 'lua_script', action: 'kill' },
        { yes: true, typedName: agent.target.name },
      );
      if (!('events' in run)) throw new Error('no run');
      for await (const event of run.events) void event;
      const report = await run.report;
      expect(report.results[0]).toMatchObject({ argv: ['SCRIPT', 'KILL'], outcome: 'ok', reply: 'OK' });
    });
    await script;
    expect(await server.cli('ping')).toBe('PONG');
  });

  it('explains UNKILLABLE', async () => {
    const own = await startServer({ args: ['--lua-time-limit', '20'] });
    const script = own.cli('eval', "redis.call('set', 'k', 1) while true do end", '0').catch(() => '');
    await new Promise((resolve) => setTimeout(resolve, 200));
    await withAgent(own.url, async (agent) => {
      const run = await agent.apply(
        { operation_type: 'lua_script', action: 'kill' },
        { yes: true, typedName: agent.target.name },
      );
      if (!('events' in run)) throw new Error('no run');
      for await (const event of run.events) void event;
      const report = await run.report;
      expect(report.results[0]?.error?.name).toBe('UNKILLABLE');
      expect(report.errors[0]?.recovery).toBeTruthy();
    });
    await own.stop();
    await script;
  });
});
