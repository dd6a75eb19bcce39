/** Every operation on a real cluster, from request to report: each key goes to its own node, and nothing is pretended. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { slotOf } from '../../src/catalog/slots.ts';
import { connectCluster } from '../../src/redis/cluster.ts';
import type { Connection } from '../../src/redis/connection.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { applied, planOf, withAgent } from '../support/agent.ts';
import { startCluster, type TestCluster, waitFor } from '../support/servers.ts';

let cluster: TestCluster;
let direct: Connection;
beforeAll(async () => {
  cluster = await startCluster();
  direct = await connectCluster(parseUrl(cluster.url));
}, 60_000);
afterAll(async () => {
  await direct.close();
  await cluster.stop();
});
beforeEach(async () => {
  for (const node of direct.nodes()) await (await direct.lease({ address: node.address })).send(['FLUSHALL']);
});

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}:${index}`);
const fill = (keys: readonly string[]) => Promise.all(keys.map((key) => direct.send(['SET', key, 'v'])));
const dbsize = async () => {
  const sizes = direct.nodes().map(async ({ address }) => (await direct.lease({ address })).send(['DBSIZE']));
  return (await Promise.all(sizes)).reduce((sum: number, size) => sum + Number(size), 0);
};
/** As a person who typed the target's name: a cluster counts as production. */
const run = (request: unknown, url = cluster.url) =>
  withAgent(url, (agent) => applied(agent, request, { yes: true, typedName: agent.target.name }));

describe('planning', () => {
  it('tells what the cluster is: its nodes, versions, and the keys of all primaries', async () => {
    await fill(names('user', 30));
    await withAgent(cluster.url, async (agent) => {
      expect(agent.target).toMatchObject({ tag: 'production', name: cluster.url });
      expect(agent.target.reason).toContain('cluster');
      const keys = ['user:1', 'user:2', 'none'];
      const plan = await planOf(agent, { operation_type: 'key_management', action: 'inspect', keys });
      const { identity, server, keys: facts } = plan.target;
      expect(identity.topology).toBe('cluster');
      expect(identity.id).toMatch(/^cluster:[0-9a-f]{40}$/);
      expect(server).toMatchObject({
        cluster: true,
        role: 'master',
        keys: 30,
        replicas: 3,
        loopback: true,
        run_id: '',
      });
      const addresses = cluster.primaries.map(({ port }) => `127.0.0.1:${port}`);
      expect(server.nodes?.map((node) => node.address).sort()).toEqual(addresses.sort());
      expect(server.open_slots).toBeUndefined();
      expect(facts.map((fact) => [fact.key, fact.exists, fact.type])).toEqual([
        ['user:1', true, 'string'],
        ['user:2', true, 'string'],
        ['none', false, 'none'],
      ]);
      expect(plan.commands[0]?.slot).toBe(slotOf('user:1'));
    });
  });

  it('counts a selection over all primaries, also when one node of the cluster is named', async () => {
    await fill([...names('odd', 20), ...names('even', 25)]);
    await withAgent(cluster.nodes[4]!.url, async (agent) => {
      const request = { operation_type: 'batch', select: { match: 'odd:*' }, do: { action: 'persist' } };
      const plan = await planOf(agent, request);
      expect(plan.target.selections[0]).toMatchObject({ basis: 'counted', keys: 20, low: 20, high: 20 });
    });
  });

  it('names the same data set whichever node is asked', async () => {
    const ids = [];
    for (const node of [cluster.primaries[0]!, cluster.replicas[0]!]) {
      const find = { operation_type: 'key_management', action: 'find' };
      ids.push(await withAgent(node.url, async (agent) => (await planOf(agent, find)).target.identity.id));
    }
    expect(ids[0]).toBe(ids[1]);
  });

  it('refuses keys of several slots in one command, before anything is sent', async () => {
    await fill(['a', 'b']);
    const request = { operation_type: 'pipelining', commands: ['MSET a 1 b 2'] };
    const report = await run(request);
    expect(report.status).toBe('refused');
    expect(report.warnings.find((warning) => warning.code === 'CLU001')?.error).toBe('E204');
    const transaction = await run({ operation_type: 'transaction', commands: ['SET a 1', 'SET b 2'] });
    expect(transaction.warnings.map((warning) => warning.code)).toContain('TX005');
    expect(await direct.send(['GET', 'a'])).toEqual(Buffer.from('v'));
  });
});

describe('each operation', () => {
  it('deletes named keys and by pattern, on every node', async () => {
    await fill([...names('session', 3000), ...names('keep', 100)]);
    const named = await run({ operation_type: 'key_management', action: 'delete', keys: names('session', 40) });
    expect(named.totals).toMatchObject({ changed: 40, failed: 0, unknown: 0 });
    const report = await run({ operation_type: 'key_management', action: 'delete', match: 'session:*' });
    expect(report).toMatchObject({ status: 'succeeded', verification: { complete: true, unproven: [] } });
    expect(report.totals).toMatchObject({ matched: 2960, changed: 2960, failed: 0, unknown: 0 });
    expect(await dbsize()).toBe(100);
  });

  it('finds and audits over all nodes, each key once', async () => {
    await fill(names('a', 300));
    const found = await run({ operation_type: 'key_management', action: 'find', match: 'a:*' });
    expect([...(found.found?.keys ?? [])].sort()).toEqual(names('a', 300).sort());
    expect([found.found?.more, found.verification.complete]).toEqual([false, true]);
    const some = await run({ operation_type: 'key_management', action: 'find', match: 'a:*', limit: 7 });
    expect([some.found?.keys.length, some.found?.more]).toEqual([7, true]);
    const audit = await run({ operation_type: 'expiration', action: 'audit' });
    expect(audit.audit).toEqual([{ prefix: 'a:', keys: 300, without_ttl: 300 }]);
  });

  it('sets TTLs by the clock that is furthest ahead, persists and gets them', async () => {
    await fill(names('k', 50));
    const set = await run({ operation_type: 'expiration', action: 'set', keys: names('k', 50), ttl: '30m' });
    expect(set.totals.changed).toBe(50);
    const got = await run({ operation_type: 'expiration', action: 'get', keys: names('k', 50) });
    expect(got.results.every((result) => Number(result.reply) > 1_790_000)).toBe(true);
    const job = await run({ operation_type: 'batch', select: { match: 'k:*' }, do: { action: 'persist' } });
    expect(job.totals).toMatchObject({ matched: 50, changed: 50 });
  });

  it('sends a pipeline to all nodes at once and reports in order', async () => {
    const commands = names('p', 2000).flatMap((key) => [`SET ${key} 1`, `INCR ${key}`]);
    const report = await run({ operation_type: 'pipelining', commands });
    expect(report.status).toBe('succeeded');
    expect(report.results.map((result) => result.reply)).toEqual(names('p', 2000).flatMap(() => ['OK', 2]));
  });

  it('runs a transaction and a WATCH on the node of their slot', async () => {
    await direct.send(['SET', '{u:1}balance', '100']);
    const report = await run({
      operation_type: 'transaction',
      let: { balance: 'GET {u:1}balance' },
      when: 'balance >= 50',
      commands: ['SET {u:1}balance {{ balance - 50 }}', 'RPUSH {u:1}log spent'],
    });
    expect(report.transaction).toMatchObject({ outcome: 'committed', attempts: 1 });
    expect(await direct.send(['GET', '{u:1}balance'])).toEqual(Buffer.from('50'));
  });

  it('runs a script on the node of its keys, and loads, finds and flushes scripts on all of them', async () => {
    const script = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
    for (const key of ['s:1', 's:2', 's:3', 's:4']) {
      const report = await run({ operation_type: 'lua_script', action: 'run', script, keys: [key], args: ['5'] });
      expect(report.results[0]).toMatchObject({ outcome: 'ok', reply: 5 });
    }
    const other = 'return 7';
    const load = await run({ operation_type: 'lua_script', action: 'load', script: other });
    expect(load.results[0]?.reply).toMatch(/^[0-9a-f]{40}$/);
    const exists = () => run({ operation_type: 'lua_script', action: 'exists', script: other });
    expect((await exists()).results[0]?.reply).toEqual([1]);
    await cluster.primaries[1]!.cli('script', 'flush');
    const address = (port: number) => `127.0.0.1:${port}`;
    const perNode = (await exists()).results[0]?.reply as [string, number[]][];
    expect(Object.fromEntries(perNode)).toEqual(
      Object.fromEntries(cluster.primaries.map(({ port }, at) => [address(port), [at === 1 ? 0 : 1]])),
    );
    await run({ operation_type: 'lua_script', action: 'load', script: other });
    const flush = await run({ operation_type: 'lua_script', action: 'flush', accept: ['SEC001'] });
    expect(flush.results[0]).toMatchObject({ outcome: 'ok', reply: 'OK' });
    expect((await exists()).results[0]?.reply).toEqual([0]);
  });

  it('kills the script that runs, and tells node by node where none did', async () => {
    const kill = () => run({ operation_type: 'lua_script', action: 'kill' });
    const idle = await kill();
    expect(idle.results[0]).toMatchObject({ outcome: 'ok', reply: 'no script is running' });
    expect(idle.totals).toMatchObject({ changed: 0, unchanged: 1, failed: 0 });
    const busy = cluster.primaries[1]!;
    const limit = (ms: string) => busy.cli('config', 'set', 'lua-time-limit', ms);
    await limit('20');
    const script = busy.cli('eval', 'while true do end', '0').catch(() => '');
    await waitFor('a server that is busy', async () => (await busy.cli('ping').catch(String)).includes('BUSY'));
    const killed = await kill();
    await script;
    await limit('5000');
    expect(killed.results[0]?.outcome).toBe('ok');
    expect(Object.fromEntries(killed.results[0]?.reply as [string, string][])).toEqual(
      Object.fromEntries(
        cluster.primaries.map((node) => [`127.0.0.1:${node.port}`, node === busy ? 'OK' : 'no script is running']),
      ),
    );
    expect(killed.totals).toMatchObject({ changed: 1, unchanged: 0, failed: 0 });
  });

  it('sends what means the whole data set to every primary, in its place among the others', async () => {
    await fill(names('x', 60));
    const report = await run({
      operation_type: 'pipelining',
      commands: ['SET x:new 1', 'DBSIZE', 'DEL x:new', 'DBSIZE'],
    });
    expect(report.results.map((result) => result.reply)).toEqual(['OK', 61, 1, 60]);
    const one = await run({ operation_type: 'pipelining', commands: ['LASTSAVE'] });
    expect(one.verification.unproven).toEqual([expect.stringContaining('LASTSAVE was answered by one node')]);
  });

  it('sends nothing in a dry run', async () => {
    await fill(names('d', 20));
    const job = { operation_type: 'batch', select: { match: 'd:*' }, do: { action: 'unlink' } };
    const report = await withAgent(cluster.url, (agent) =>
      applied(agent, job, { yes: true, typedName: agent.target.name, dryRun: true }),
    );
    expect([report.dry_run, report.totals.changed, report.totals.matched]).toEqual([true, 0, 20]);
    expect(await dbsize()).toBe(20);
  });

  it('streams the commands of the library to all nodes, outcomes in order, refusals in place', async () => {
    const outcomes = await withAgent(cluster.url, async (agent) => {
      const all = [];
      const commands = names('q', 5000).flatMap((key) => [
        ['SET', key, '1'],
        ['INCR', key],
      ]);
      commands.splice(3000, 0, ['MGET', 'q:1', 'q:2'], ['DBSIZE']);
      for await (const one of agent.pipeline(commands, { typedName: agent.target.name })) all.push(one);
      return all;
    });
    expect(outcomes.map((one) => one.index)).toEqual(Array.from({ length: 10_002 }, (_, index) => index));
    expect(outcomes[3000]).toMatchObject({ outcome: 'not_sent', error: { name: 'CROSSSLOT' } });
    expect(outcomes[3001]).toMatchObject({ outcome: 'ok', reply: 1500 });
    expect(outcomes.filter((one) => one.outcome === 'ok').length).toBe(10_001);
    expect(await dbsize()).toBe(5000);
  });
});
