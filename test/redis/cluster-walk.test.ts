/** The walk over a cluster: all primaries at the same time, every key once, few pages held. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { type RunContext, Session } from '../../src/execute/session.ts';
import { walk } from '../../src/execute/walk.ts';
import { connectCluster } from '../../src/redis/cluster.ts';
import type { Connection } from '../../src/redis/connection.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { planOf, withAgent } from '../support/agent.ts';
import { startCluster, type TestCluster } from '../support/servers.ts';

const KEYS = Array.from({ length: 6_000 }, (_, at) => `key:${at}`);
let cluster: TestCluster;
let connection: Connection;
beforeAll(async () => {
  cluster = await startCluster();
  connection = await connectCluster(parseUrl(cluster.url));
  await Promise.all(KEYS.map((key) => connection.send(['SET', key, 'v'])));
}, 60_000);
afterAll(async () => {
  await connection.close();
  await cluster.stop();
});

async function opened() {
  const request = { operation_type: 'batch', select: { match: 'key:*' }, do: { action: 'touch' } };
  const plan = await withAgent(cluster.url, (agent) => planOf(agent, request));
  const context: RunContext = {
    plan,
    runId: 'walk',
    connection,
    clock: systemClock,
    signal: new AbortController().signal,
    journal: undefined,
  };
  const session = new Session(context);
  return { session, pages: walk(session, { selection: { match: 'key:*' }, count: 100, deletes: false }) };
}

it('gives pages of all primaries by turns, those of each in order, and every key once', async () => {
  const { session, pages } = await opened();
  const shards: string[] = [];
  const keys: string[] = [];
  const over = new Set<string>();
  for (let next = await pages.next(); ; next = await pages.next()) {
    if (next.done) {
      expect(next.value).toEqual([]);
      break;
    }
    expect(over).not.toContain(next.value.shard);
    if (next.value.last) over.add(next.value.shard);
    // nobody has come to an end before everybody has begun
    if (over.size > 0) expect(new Set(shards).size).toBe(3);
    shards.push(next.value.shard);
    keys.push(...next.value.keys.map(String));
  }
  const ids = await Promise.all(cluster.primaries.map((node) => node.cli('cluster', 'myid')));
  expect(new Set(shards)).toEqual(new Set(ids));
  const turns = shards.filter((shard, at) => at > 0 && shard !== shards[at - 1]).length;
  expect(turns).toBeGreaterThan(shards.length / 2);
  expect(keys.sort()).toEqual([...KEYS].sort());
  await session.close();
});

it('asks a node for two pages ahead at most, however long nobody takes them', async () => {
  const { session, pages } = await opened();
  const calls = async () =>
    Promise.all(
      cluster.primaries.map(async (node) =>
        Number(/cmdstat_scan:calls=(\d+)/.exec(await node.cli('info', 'commandstats'))?.[1] ?? 0),
      ),
    );
  for (const node of cluster.primaries) await node.cli('config', 'resetstat');
  await pages.next();
  await new Promise((resolve) => setTimeout(resolve, 300));
  for (const asked of await calls()) expect(asked).toBeLessThanOrEqual(3);
  await pages.return([]);
  await session.close();
});
