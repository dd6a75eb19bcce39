/**
 * What a cluster does to work in motion: slots move, a primary hands over, a primary dies. Nothing is lost silently and
 * nothing doubled; what cannot be known is told as unknown, what may have been missed as unproven.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '../../src/agent.ts';
import { slotOf } from '../../src/catalog/slots.ts';
import type { PipelineOutcome } from '../../src/pipeline.ts';
import type { Report } from '../../src/plan/report.ts';
import { connectCluster } from '../../src/redis/cluster.ts';
import type { Connection } from '../../src/redis/connection.ts';
import { replyText } from '../../src/redis/reply.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { applied, withAgent } from '../support/agent.ts';
import { startCluster, type TestCluster, type TestServer, waitFor } from '../support/servers.ts';

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
  await cluster.agreed();
  await direct.refresh();
  for (const node of direct.nodes()) await (await direct.lease({ address: node.address })).send(['FLUSHALL']);
});

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}:${index}`);
const serverAt = (address: string | undefined): TestServer =>
  cluster.nodes.find(({ port }) => address === `127.0.0.1:${port}`)!;
/** The primaries now, in the order of their slots. */
const primaries = async (): Promise<TestServer[]> => {
  await direct.refresh();
  return direct.nodes().map((node) => serverAt(node.address));
};
const values = async (keys: readonly string[]): Promise<number[]> => {
  await direct.refresh();
  return (await Promise.all(keys.map((key) => direct.send(['GET', key])))).map((reply) =>
    Number(replyText(reply) ?? 0),
  );
};
/** How many keys are left on all primaries. */
const left = async () => {
  const sizes = (await primaries()).map(async (node) => Number(await node.cli('dbsize')));
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
};

/** Moves one slot, keys and all, the way redis-cli does it; `open`: leaves it open, its keys moved as far as `keys` says. */
async function moveSlot(slot: number, from: TestServer, to: TestServer, open?: { keys: number }): Promise<void> {
  const [fromId, toId] = await Promise.all([from.cli('cluster', 'myid'), to.cli('cluster', 'myid')]);
  await to.cli('cluster', 'setslot', String(slot), 'importing', fromId);
  await from.cli('cluster', 'setslot', String(slot), 'migrating', toId);
  const keys = (await from.cli('cluster', 'getkeysinslot', String(slot), String(open?.keys ?? 100_000))).split('\n');
  if (keys[0] !== '') await from.cli('migrate', '127.0.0.1', String(to.port), '', '0', '5000', 'keys', ...keys);
  if (open) return;
  for (const node of [to, from]) await node.cli('cluster', 'setslot', String(slot), 'node', toId);
}

async function closeSlot(slot: number, owner: TestServer): Promise<void> {
  const id = await owner.cli('cluster', 'myid');
  for (const node of await primaries()) await node.cli('cluster', 'setslot', String(slot), 'node', id);
}

const COUNTERS = names('counter', 2_000);
const ROUNDS = 25;

/** 50,000 INCRs through the library's pipeline, `disturb` called when some of them are done. */
async function count(agent: Agent, disturb: () => Promise<void>): Promise<PipelineOutcome[]> {
  const outcomes: PipelineOutcome[] = [];
  let disturbed: Promise<void> | undefined;
  const commands = Array.from({ length: COUNTERS.length * ROUNDS }, (_, at) => [
    'INCR',
    COUNTERS[at % COUNTERS.length]!,
  ]);
  const options = { typedName: agent.target.name, rate: 25_000, max_retries: 8, base_ms: 200 };
  for await (const one of agent.pipeline(commands, options)) {
    outcomes.push(one);
    if (outcomes.length === 5_000) disturbed = disturb();
  }
  await disturbed;
  expect(outcomes.map((one) => one.index)).toEqual(commands.map((_, index) => index));
  return outcomes;
}

/** Of each counter: how many INCRs were applied for certain, and how many may have been. */
function tally(outcomes: readonly PipelineOutcome[]): { ok: number[]; unknown: number[] } {
  const ok = COUNTERS.map(() => 0);
  const unknown = COUNTERS.map(() => 0);
  for (const one of outcomes) {
    if (one.outcome === 'ok') ok[one.index % COUNTERS.length]! += 1;
    if (one.outcome === 'unknown') unknown[one.index % COUNTERS.length]! += 1;
  }
  return { ok, unknown };
}

describe('a stream of 50,000 INCRs', () => {
  it('loses and doubles nothing while slots move, and keeps the order of each key', async () => {
    const outcomes = await withAgent(cluster.url, (agent) =>
      count(agent, async () => {
        const [first, second] = await primaries();
        await cluster.reshard(first!, second!, 60);
      }),
    );
    expect(outcomes.filter((one) => one.outcome !== 'ok')).toEqual([]);
    // the n-th INCR of a counter answers n: nothing was sent twice, nothing overtook
    expect(outcomes.every((one) => one.reply === Math.floor(one.index / COUNTERS.length) + 1)).toBe(true);
    expect(new Set(await values(COUNTERS))).toEqual(new Set([ROUNDS]));
  }, 60_000);

  it('goes where slots have gone since the map was made', async () => {
    await withAgent(cluster.url, async (agent) => {
      const [first, second] = await primaries();
      await cluster.reshard(second!, first!, 60);
      const outcomes = await count(agent, async () => undefined);
      expect(outcomes.filter((one) => one.outcome !== 'ok')).toEqual([]);
    });
    expect(new Set(await values(COUNTERS))).toEqual(new Set([ROUNDS]));
  }, 60_000);

  it('follows a primary that hands over to its replica (CLUSTER FAILOVER)', async () => {
    const outcomes = await withAgent(cluster.url, (agent) =>
      count(agent, async () => {
        const replica = await replicaOf((await primaries())[0]!);
        await replica.cli('cluster', 'failover');
        await waitFor('the failover', async () => (await replica.cli('role')).startsWith('master'));
      }),
    );
    const { ok, unknown } = tally(outcomes);
    const now = await values(COUNTERS);
    now.forEach((value, at) => {
      expect(value).toBeGreaterThanOrEqual(ok[at]!); // a planned failover loses nothing that was acknowledged
      expect(value).toBeLessThanOrEqual(ok[at]! + unknown[at]!);
    });
    expect(outcomes.filter((one) => one.outcome === 'error' || one.outcome === 'not_sent')).toEqual([]);
  }, 60_000);
});

/** The replica that follows this primary now. */
async function replicaOf(primary: TestServer): Promise<TestServer> {
  const id = await primary.cli('cluster', 'myid');
  const lines = (await primary.cli('cluster', 'nodes')).split('\n');
  const address = lines
    .find((line) => line.includes(`slave ${id}`))
    ?.split(' ')[1]
    ?.split('@')[0];
  return serverAt(address);
}

describe('a stream over the nodes that ends early', () => {
  const incr = (at: number) => ['INCR', COUNTERS[at % COUNTERS.length]!];
  const applied = async () => (await values(COUNTERS)).reduce((sum, value) => sum + value, 0);
  const options = (agent: Agent) => ({ typedName: agent.target.name });

  it('sends what was taken before the source failed, all of it and nothing else', async () => {
    function* broken() {
      for (let at = 0; at < 30_000; at += 1) yield incr(at);
      yield ['SUBSCRIBE', 'x']; // refused
    }
    await withAgent(cluster.url, async (agent) => {
      const outcomes: string[] = [];
      const reading = async () => {
        for await (const one of agent.pipeline(broken(), options(agent))) outcomes.push(one.outcome);
      };
      await expect(reading()).rejects.toThrow('command 30000 was not sent');
      expect(outcomes).toEqual(Array(30_000).fill('ok'));
    });
    expect(await applied()).toBe(30_000);
  });

  it('at an interruption has sent nothing behind its last outcome, and names what was left out before it', async () => {
    await withAgent(cluster.url, async (agent) => {
      const stop = new AbortController();
      const outcomes: PipelineOutcome[] = [];
      const commands = Array.from({ length: 200_000 }, (_, at) => incr(at));
      for await (const one of agent.pipeline(commands, { ...options(agent), signal: stop.signal })) {
        expect(one.index).toBe(outcomes.length);
        outcomes.push(one);
        if (outcomes.length === 20_000) stop.abort();
      }
      expect(outcomes.length).toBeLessThan(commands.length);
      expect(outcomes.at(-1)?.outcome).toBe('ok');
      const ok = outcomes.filter((one) => one.outcome === 'ok');
      const left = outcomes.filter((one) => one.outcome === 'not_sent');
      expect(ok.length + left.length).toBe(outcomes.length);
      expect(await applied()).toBe(ok.length);
    });
  });

  it('stops when its reader breaks off: what was only queued is not sent', async () => {
    await withAgent(cluster.url, async (agent) => {
      const commands = Array.from({ length: 100_000 }, (_, at) => incr(at));
      for await (const one of agent.pipeline(commands, { ...options(agent), rate: 5_000 }))
        if (one.index === 100) break;
    });
    expect(await applied()).toBeLessThan(20_000);
  });
});

describe('a scan job', () => {
  const job = { operation_type: 'batch', select: { match: 'job:*' }, do: { action: 'unlink' } };
  const apply = (onPage: (page: number) => Promise<void>, request: unknown = job): Promise<Report> =>
    withAgent(cluster.url, async (agent) => {
      let pages = 0;
      const run = await agent.apply(request, { yes: true, typedName: agent.target.name });
      if (!('events' in run)) throw new Error('no run');
      for await (const event of run.events) {
        if (event.kind !== 'page') continue;
        pages += 1;
        await onPage(pages);
      }
      return run.report;
    });
  const fill = (count: number) => Promise.all(names('job', count).map((key) => direct.send(['SET', key, 'v'])));

  it('misses no key of slots that go to a node which it has already walked', async () => {
    const [first, , last] = await primaries();
    const on = (key: string) => serverAt(direct.nodeOf(slotOf(key))!.address);
    // the first node is done with its first page, while the others have many before them
    const keys = names('job', 9_000).filter((key) => on(key) !== first);
    await Promise.all(keys.map((key) => direct.send(['SET', key, 'v'])));
    const slots = [...new Set(keys.filter((key) => on(key) === last).map(slotOf))];
    let moved = 0;
    const slowly = { ...job, limits: { rate: 2_000 } };
    const report = await apply(async (page) => {
      if (page !== 2) return;
      for (const slot of slots) {
        if (moved > 10) break;
        const held = Number(await last!.cli('cluster', 'countkeysinslot', String(slot)));
        if (held === 0) continue; // the job was there before
        moved += held;
        await moveSlot(slot, last!, first!);
      }
    }, slowly);
    expect(moved).toBeGreaterThan(10);
    expect(report.verification).toEqual({ complete: true, unproven: [] });
    expect(report.totals).toMatchObject({ matched: keys.length, changed: keys.length, failed: 0, unknown: 0 });
    expect(await left()).toBe(0);
  }, 60_000);

  it('counts a key once when its slot is walked twice', async () => {
    await fill(6_000);
    const [first, , last] = await primaries();
    const slot = slotOf(names('job', 6_000).find((key) => serverAt(direct.nodeOf(slotOf(key))!.address) === first)!);
    const request = { operation_type: 'batch', select: { match: 'job:*' }, do: { action: 'expire', ttl: '1h' } };
    const report = await apply(async (page) => {
      if (page === 9) await moveSlot(slot, first!, last!);
    }, request);
    expect(report.verification.complete).toBe(true);
    expect(report.totals).toMatchObject({ matched: 6_000, changed: 6_000, unchanged: 0, failed: 0 });
  }, 60_000);

  it('goes over to the promoted replica when a primary hands over', async () => {
    await fill(9_000);
    const second = (await primaries())[1]!;
    const replica = await replicaOf(second);
    const report = await apply(async (page) => {
      if (page !== 3) return;
      await replica.cli('cluster', 'failover');
      await waitFor('the failover', async () => (await replica.cli('role')).startsWith('master'));
    });
    expect(report.totals).toMatchObject({ failed: 0, unknown: 0 });
    expect(report.verification.unproven).toEqual([expect.stringContaining(`127.0.0.1:${second.port} served slots`)]);
    expect(await left()).toBe(0);
  }, 60_000);

  it('acts on the keys of a slot that is stuck between two nodes, and does not vouch for it', async () => {
    const keys = names('{stuck}job', 40);
    for (const key of keys) await direct.send(['SET', key, 'v']);
    const slot = slotOf('{stuck}');
    const [owner, other] = [serverAt(direct.nodeOf(slot)!.address), (await primaries())[0]!];
    const target = owner === other ? (await primaries())[1]! : other;
    await moveSlot(slot, owner, target, { keys: 15 });
    expect(await target.cli('cluster', 'countkeysinslot', String(slot))).toBe('15');
    const request = { operation_type: 'batch', select: { match: '{stuck}job*' }, do: { action: 'unlink' } };
    const planned = await withAgent(cluster.url, (agent) => agent.plan(request));
    expect(planned.plan?.target.server.open_slots).toEqual([slot]);
    expect(planned.plan?.target.selections[0]).toMatchObject({ basis: 'bound', keys: 40, low: 0 });
    const report = await apply(async () => undefined, request);
    expect(report.totals).toMatchObject({ changed: 40, failed: 0, unknown: 0 });
    expect(report.verification.complete).toBe(false);
    expect(report.verification.unproven).toEqual([expect.stringContaining(`slot ${slot}:`)]);
    await closeSlot(slot, target);
    expect(await left()).toBe(0);
  }, 60_000);
});

describe('a transaction', () => {
  it('is applied exactly as often as it is reported committed, while its slot goes to and fro', async () => {
    const slot = slotOf('{t}');
    let moving = true;
    const mover = (async () => {
      while (moving) {
        await direct.refresh();
        const from = serverAt(direct.nodeOf(slot)!.address);
        const to = (await primaries()).find((node) => node !== from)!;
        await moveSlot(slot, from, to);
        await cluster.agreed(); // before that, another move of it can cost the cluster its keys
      }
    })();
    const reports: Report[] = [];
    try {
      await withAgent(cluster.url, async (agent) => {
        const request = {
          operation_type: 'transaction',
          let: { n: 'GET {t}n' },
          commands: ['INCR {t}n', 'RPUSH {t}log {{ n }}'],
          retry: { max_retries: 8, base_ms: 20 },
        };
        await direct.send(['SET', '{t}n', '0']);
        for (let round = 0; round < 30; round += 1) {
          reports.push(await applied(agent, request, { yes: true, typedName: agent.target.name }));
        }
      });
    } finally {
      moving = false;
      await mover;
    }
    const committed = reports.filter((report) => report.transaction?.outcome === 'committed').length;
    expect(committed).toBeGreaterThan(0);
    expect(reports.every((report) => ['committed', 'redirected'].includes(report.transaction?.outcome ?? ''))).toBe(
      true,
    );
    expect(await values(['{t}n'])).toEqual([committed]);
    const logged = Array.from({ length: committed }, (_, n) => Buffer.from(String(n)));
    expect(await direct.send(['LRANGE', '{t}log', '0', '-1'])).toEqual(logged);
  }, 60_000);
});

describe('a primary that dies (kill -9)', () => {
  it('leaves no INCR doubled, and every command with an outcome', async () => {
    const victim = (await primaries())[2]!;
    const outcomes = await withAgent(cluster.url, (agent) =>
      count(agent, async () => {
        process.kill(victim.pid, 'SIGKILL');
      }),
    );
    const { ok, unknown } = tally(outcomes);
    const now = await values(COUNTERS);
    now.forEach((value, at) => {
      expect(value).toBeLessThanOrEqual(ok[at]! + unknown[at]!);
    });
    const total = outcomes.filter((one) => one.outcome === 'ok').length;
    expect(total).toBeGreaterThan(40_000);
    // every command whose outcome is not known was on its way to the node that died
    const lost = outcomes.filter((one) => one.outcome === 'unknown');
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.length + total + outcomes.filter((one) => one.outcome === 'error').length).toBe(outcomes.length);
  }, 60_000);
});
