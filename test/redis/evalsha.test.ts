/** EVALSHA among other commands: its script is given with the request, and is there when they run, whatever became of the cache. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '../../src/agent.ts';
import { scriptSha1 } from '../../src/plan/script-sources.ts';
import { applied, planOf, withAgent } from '../support/agent.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { startServer, type TestServer } from '../support/servers.ts';

const count = "return redis.call('INCR', KEYS[1])";
const sha1 = scriptSha1(count);
const liar = "redis.call('INCR', KEYS[1]) return redis.error_reply('NOSCRIPT ' .. ARGV[1])";
const kinds = ['pipelining', 'transaction'] as const;
const request = (operation_type: (typeof kinds)[number], more: object = {}) => ({
  operation_type,
  commands: ['SET {n}:a 1', `EVALSHA ${sha1} 1 {n}:n`, 'SET {n}:b 2'],
  ...more,
});
const given = { scripts: [{ script: count }] };

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await server.cli('flushall');
  await server.cli('script', 'flush');
});
const on = <T>(use: (agent: Agent) => Promise<T>, url = server.url): Promise<T> => withAgent(url, use, { tag: 'dev' });

describe.each(kinds)('in a %s', (kind) => {
  it('runs where its script is given, also when the cache was emptied after planning', async () => {
    await on(async (agent) => {
      const plan = await planOf(agent, request(kind, given));
      expect(plan.execution_plan.permissions).toContain('+script|load');
      await server.cli('script', 'load', count);
      await server.cli('script', 'flush');
      const report = await applied(agent, plan);
      expect(report).toMatchObject({ status: 'succeeded', results: [{ reply: 'OK' }, { reply: 1 }, { reply: 'OK' }] });
    });
    expect(await server.cli('get', '{n}:n')).toBe('1');
  });

  it('is refused where nobody has its script, and warned of where only the server has it', async () => {
    await on(async (agent) => {
      const missing = await agent.plan(request(kind));
      expect(missing.plan!.warnings[0]).toMatchObject({ code: 'LUA004', severity: 'error' });
      expect((await applied(agent, request(kind))).status).toBe('refused');
      await server.cli('script', 'load', count);
      const plan = await planOf(agent, request(kind));
      expect(plan.warnings.find(({ code }) => code === 'LUA004')?.severity).toBe('warning');
      // it can vanish: what its call did not do is told, and what the others did
      await server.cli('script', 'flush');
      const report = await applied(agent, plan);
      expect(report.results.map(({ outcome }) => outcome)).toEqual(['ok', 'error', 'ok']);
      expect(report.results[1]!.error?.name).toBe('NOSCRIPT');
    });
    expect(await server.cli('exists', '{n}:n')).toBe('0');
  });

  it('sends nothing in a dry run', async () => {
    await on(async (agent) => applied(agent, request(kind, given), { yes: true, dryRun: true }));
    expect([await server.cli('dbsize'), await server.cli('script', 'exists', sha1)]).toEqual(['0', '0']);
  });

  it('has no plan with a script that nothing calls, or that does not compile', async () => {
    await on(async (agent) => {
      const codes = async (scripts: object[]) =>
        (await agent.plan(request(kind, { scripts }))).diagnostics.map(({ code, at }) => `${code} ${at}`);
      expect(await codes([...given.scripts, { script: 'return 1' }])).toEqual(['REQ002 scripts[1]']);
      expect(await codes([...given.scripts, { script: 'return (' }])).toEqual(['LUA000 scripts[1]']);
      expect(await codes([{}])).toEqual(['REQ002 scripts[0].script']);
    });
  });
});

it('that answers NOSCRIPT by itself after it wrote is unknown, and ran once', async () => {
  const words = 'No matching script. Please use EVAL.';
  const commands = [['EVALSHA', scriptSha1(liar), '1', 'n', words]];
  const report = await on((agent) =>
    applied(agent, { operation_type: 'pipelining', commands, scripts: [{ script: liar }], retry: { base_ms: 1 } }),
  );
  expect(report.results[0]).toMatchObject({ outcome: 'unknown' });
  expect(await server.cli('get', 'n')).toBe('1');
});

describe('in a cluster', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  }, 60_000);
  afterAll(() => cluster.stop());

  it('runs on every node, of which none or one had the script', async () => {
    const keys = Array.from({ length: 60 }, (_, index) => `n:${index}`);
    await cluster.primaries[0]!.cli('script', 'load', count);
    const commands = keys.map((key) => `EVALSHA ${sha1} 1 ${key}`);
    await on(async (agent) => {
      const plan = await planOf(agent, { operation_type: 'pipelining', commands, ...given });
      const report = await applied(agent, plan);
      expect(report).toMatchObject({ status: 'succeeded', totals: { changed: 60 } });
      for (const node of cluster.primaries) await node.cli('script', 'flush');
      expect((await applied(agent, await planOf(agent, request('transaction', given)))).status).toBe('succeeded');
    }, cluster.url);
    for (const key of keys) expect(await cluster.cli('get', key)).toBe('1');
  });
});
