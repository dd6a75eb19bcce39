/** What was sent and not answered: never doubled, never overwritten late, always told. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { runBatch } from '../../src/execute/batch.ts';
import { Session } from '../../src/execute/session.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Connection } from '../../src/redis/connection.ts';
import { connectServer } from '../../src/redis/server-connection.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { planOf, withAgent } from '../support/agent.ts';
import { applyWithLostReply } from '../support/lost-replies.ts';
import { startProxy, startServer, type TestProxy, type TestServer } from '../support/servers.ts';

let server: TestServer;
let proxy: TestProxy;
let url: string;
beforeAll(async () => {
  server = await startServer();
  proxy = await startProxy(server.port);
  url = `redis://127.0.0.1:${proxy.port}`;
});
afterAll(async () => {
  await proxy.stop();
  await server.stop();
});
beforeEach(async () => {
  await proxy.restore();
  await server.cli('flushall');
});

describe('a lost reply', () => {
  it('of INCR, 100 times: the counter is never doubled, each outcome is unknown', async () => {
    await server.cli('set', 'counter', '0');
    const outcomes: string[] = [];
    await withAgent(url, async (agent) => {
      for (let round = 0; round < 100; round += 1) {
        const report = await applyWithLostReply(
          agent,
          proxy,
          url,
          { operation_type: 'pipelining', commands: ['INCR counter'], retry: { max_retries: 3, base_ms: 1 } },
          2,
        );
        expect(report.totals).toMatchObject({ changed: 0, unknown: 1, failed: 0 });
        expect(report.status).toBe('partial');
        expect(report.errors).toMatchObject([{ code: 'E232', count: 1 }]);
        outcomes.push(report.results[0]!.outcome);
      }
    });
    expect(outcomes).toEqual(Array.from({ length: 100 }, () => 'unknown'));
    expect(await server.cli('get', 'counter')).toBe('100');
  }, 60_000);

  it('of SET is repeated, since it is idempotent with its arguments, after the lost connection was ended', async () => {
    await withAgent(url, async (agent) => {
      const commands = ['SET a 1', 'SET b 2', 'INCR n', 'SET n 5', 'APPEND x y', 'GET a'];
      const report = await applyWithLostReply(
        agent,
        proxy,
        url,
        { operation_type: 'pipelining', commands, retry: { max_retries: 3, base_ms: 1 } },
        2,
      );
      expect(report.results.map((result) => result.outcome)).toEqual(['ok', 'ok', 'unknown', 'ok', 'unknown', 'ok']);
      expect(report.totals.retried).toBe(1);
    });
    expect(await server.cli('mget', 'a', 'b', 'n', 'x')).toBe('1\n2\n5\ny');
  });

  it('of EXEC is unknown, and the transaction ran once', async () => {
    await withAgent(url, async (agent) => {
      const report = await applyWithLostReply(
        agent,
        proxy,
        url,
        { operation_type: 'transaction', commands: ['INCR n', 'INCR n'] },
        12,
      );
      expect(report.transaction).toMatchObject({ outcome: 'unknown', attempts: 1 });
      expect(report.results.map((result) => result.outcome)).toEqual(['unknown', 'unknown']);
    });
    expect(await server.cli('get', 'n')).toBe('2');
  });

  it('of a script that writes is unknown, and it ran once; of one that only reads it is called again', async () => {
    await withAgent(url, async (agent) => {
      const write = "return redis.call('INCR', KEYS[1])";
      const read = "return redis.call('GET', KEYS[1])";
      for (const script of [write, read])
        await agent.apply({ operation_type: 'lua_script', action: 'load', script }, { yes: true }).then(drain);
      const request = {
        operation_type: 'lua_script',
        action: 'run',
        keys: ['n'],
        retry: { max_retries: 3, base_ms: 1 },
      };
      const written = await applyWithLostReply(agent, proxy, url, { ...request, script: write }, 2);
      expect(written.results[0]?.outcome).toBe('unknown');
      const got = await applyWithLostReply(agent, proxy, url, { ...request, script: read }, 2);
      expect(got.results[0]).toMatchObject({ outcome: 'ok', reply: '1' });
    });
  });

  it('of a stalled SET: it never arrives late over a newer one, because its connection was ended first', async () => {
    const plan = await planFor(['SET k v1']);
    const { session, close } = await firstThroughProxy(plan);
    proxy.stall(); // SET v1 stays in the middle; the way to the server is open for everybody else
    const result = await runBatch(session, [['SET', 'k', 'v1']]);
    expect(result.settled).toMatchObject([{ outcome: 'ok' }]);
    expect(result.retries).toMatchObject([{ reason: 'connection_timeout' }]);
    await server.cli('set', 'k', 'v2');
    await proxy.restore(); // the first SET v1 now reaches the server's side of a connection that is no more
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await server.cli('get', 'k')).toBe('v2');
    await close();
  });

  it('of a write that is then refused leaves it unknown: the first sending may have run, and here it did', async () => {
    const plan = await planFor(['SET k v1', 'GET k']);
    const full = () => server.cli('config', 'set', 'maxmemory', '1');
    const { session, close } = await firstThroughProxy(plan, full);
    proxy.swallowReplies();
    const result = await runBatch(session, [
      ['SET', 'k', 'v1'],
      ['GET', 'k'],
    ]);
    await server.cli('config', 'set', 'maxmemory', '0');
    expect(result.settled).toMatchObject([
      { outcome: 'unknown', error: { code: 'E232', message: expect.stringContaining('OOM') } },
      { outcome: 'ok', reply: 'v1' },
    ]);
    await close();
  });

  it('of UNLINK: its second answer, 0, is marked as such and counted as not sure', async () => {
    await server.cli('mset', 'k', '1', 'l', '1');
    const plan = await planFor(['UNLINK k']);
    const { session, close } = await firstThroughProxy(plan);
    proxy.swallowReplies();
    const result = await runBatch(session, [
      ['UNLINK', 'k'],
      ['UNLINK', 'none'],
      ['GET', 'l'],
    ]);
    expect(result.settled).toEqual([
      { outcome: 'ok', reply: 0, repeated: true },
      { outcome: 'ok', reply: 0, repeated: true },
      { outcome: 'ok', reply: '1' },
    ]);
    expect(session.unsureOfChange).toBe(2);
    await close();
  });
});

describe('a user who may not CLIENT KILL', () => {
  it('gets no write repeated, and is told that it may execute late', async () => {
    const limited = await startServer({ user: { name: 'app', password: 'p', rules: ['~*', '+@all', '-client|kill'] } });
    const own = await startProxy(limited.port);
    const userUrl = limited.userUrl!.replace(String(limited.port), String(own.port));
    await withAgent(userUrl, async (agent) => {
      const report = await applyWithLostReply(
        agent,
        own,
        userUrl,
        { operation_type: 'pipelining', commands: ['SET a 1', 'GET a'], retry: { max_retries: 3, base_ms: 1 } },
        2,
      );
      expect(report.results[0]).toMatchObject({
        outcome: 'unknown',
        error: { message: expect.stringContaining('may still execute late') },
      });
    });
    await own.stop();
    await limited.stop();
  });
});

function planFor(commands: readonly string[]) {
  const request = { operation_type: 'pipelining', commands, retry: { max_retries: 3, base_ms: 1 } };
  return withAgent(server.url, (agent) => planOf(agent, request));
}

/** A session whose first pipe leads through the proxy and times out soon; all others lead straight to the server. `onLoss` runs before the lost connection is ended. */
async function firstThroughProxy(plan: Plan, onLoss?: () => Promise<unknown>) {
  const slow = await connectServer({ ...parseUrl(url), commandTimeoutMs: 300 });
  const direct = await connectServer(parseUrl(server.url));
  const pipes = [slow];
  const connection: Connection = {
    ...direct,
    pipe: () => (pipes.shift() ?? direct).pipe(),
    lease: () => direct.lease(),
    end: async (lost) => {
      await onLoss?.();
      return direct.end(lost);
    },
    nodes: () => direct.nodes(),
    nodeOf: (slot) => direct.nodeOf(slot),
    refresh: () => direct.refresh(),
    send: (argv) => direct.send(argv),
    close: () => direct.close(),
  };
  const session = new Session({
    plan,
    runId: 'lost',
    connection,
    clock: systemClock,
    signal: new AbortController().signal,
    journal: undefined,
  });
  await session.bulk();
  const close = async () => {
    await session.close();
    await slow.close();
    await direct.close();
  };
  return { session, close };
}

async function drain(run: Awaited<ReturnType<import('../../src/agent.ts').Agent['apply']>>): Promise<void> {
  if (!('events' in run)) throw new Error('no run');
  for await (const event of run.events) void event;
}
