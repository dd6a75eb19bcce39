/** The governor on a real server: what it feels, what it makes of it, and what it says when it cannot feel. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { type Governor, type GovernorOptions, startGovernor } from '../../src/execute/governor.ts';
import { Session, type SessionContext } from '../../src/execute/session.ts';
import { connectTarget } from '../../src/redis/connect.ts';
import type { Lease } from '../../src/redis/connection.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { applied, withAgent } from '../support/agent.ts';
import { startCluster } from '../support/cluster.ts';
import { startReplica, startServer } from '../support/servers.ts';
import { targetWith } from '../support/target.ts';
import { waitFor } from '../support/wait.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A governor, and two connections of its run: to work on, and of somebody else. */
async function governed(url: string, options: Partial<GovernorOptions> = {}, signal = new AbortController().signal) {
  const connection = await connectTarget(parseUrl(url));
  closing.push(() => connection.close());
  const session = new Session<SessionContext>({
    plan: {
      request: { retry: { max_retries: 3, base_ms: 1 }, limits: {} },
      target: targetWith({ server: { run_id: '' } }),
    },
    runId: 'test',
    connection,
    clock: systemClock,
    signal,
    journal: undefined,
  });
  const governor = await startGovernor(session, { mode: 'balanced', sloMs: 20, ...options });
  closing.push(() => governor.close());
  return { governor, connection, worker: await connection.lease(), other: await connection.lease() };
}

/** Works in chunks of PINGs until told to stop. */
function work(governor: Governor, worker: Lease, planned = 100): { stop(): Promise<void> } {
  let going = true;
  const run = async () => {
    while (going) {
      const size = governor.chunk(planned);
      const done = await governor.pace(size);
      await Promise.all(Array.from({ length: size }, () => worker.send(['PING'])));
      done();
    }
  };
  const ended = run();
  return {
    stop: () => {
      going = false;
      return ended;
    },
  };
}

const shareOf = (governor: Governor) => governor.facts().share.last;

describe('a governor', () => {
  it('lets the share fall while somebody stalls the server, lets it recover, and says so', async () => {
    const server = await startServer();
    const { governor, worker, other } = await governed(server.url);
    const job = work(governor, worker);
    for (let stall = 0; stall < 8; stall += 1) {
      await other.send(['DEBUG', 'SLEEP', '0.08']);
      await sleep(60);
    }
    const during = governor.facts();
    expect(during.share.lowest).toBeLessThanOrEqual(0.75);
    expect(during.p99_added_ms).toBeGreaterThan(20);
    expect(during.rested).toMatchObject([{ reason: 'latency' }]);
    await waitFor('the share to recover', () => shareOf(governor) === 1, 20_000);
    await job.stop();
    expect(governor.facts()).toMatchObject({ slo_p99_ms: 20, unmeasured: [] });
  });

  it('makes chunks smaller until one is no long wait for others', async () => {
    const server = await startServer();
    const { governor, worker } = await governed(server.url);
    const sizes: number[] = [];
    for (const end = performance.now() + 1500; performance.now() < end; ) {
      const size = governor.chunk(400);
      sizes.push(size);
      const done = await governor.pace(size);
      await worker.send(['DEBUG', 'SLEEP', String(size * 0.0002)]); // 80 ms for all of it
      done();
    }
    expect(sizes[0]).toBe(400);
    // 10 ms, half of what others may wait
    expect(Math.max(...sizes.slice(-3))).toBeLessThan(150);
    expect(governor.facts().smallest_chunk).toBeLessThan(150);
  });

  // the rest of the machine may be busy, too: one quiet second out of four is proof
  it('does not take for a wait of others that this process is busy', { retry: 3 }, async () => {
    const server = await startServer();
    const { governor } = await governed(server.url, { sloMs: undefined, mode: 'throughput_optimized' });
    for (let turn = 0; turn < 20; turn += 1) {
      await sleep(10);
      for (const end = performance.now() + 40; performance.now() < end; );
    }
    const { probes, p99_added_ms } = governor.facts();
    expect(probes).toBeGreaterThan(20);
    expect(p99_added_ms).toBeLessThan(30);
  });

  it('pauses while a replica does not keep up, and goes on when it does', async () => {
    const server = await startServer();
    const replica = await startReplica(server);
    const { governor, worker } = await governed(server.url);
    let writing = true;
    let longestMs = 0;
    const write = async () => {
      while (writing) {
        const start = performance.now();
        const done = await governor.pace(1);
        longestMs = Math.max(longestMs, performance.now() - start);
        await worker.send(['INCR', 'n']);
        done();
        await sleep(5);
      }
    };
    const ended = write();
    process.kill(replica.pid, 'SIGSTOP');
    try {
      await waitFor('the pause', () => governor.facts().share.lowest === 0, 15_000);
      const before = await server.cli('GET', 'n');
      await sleep(600);
      expect(await server.cli('GET', 'n')).toBe(before);
    } finally {
      process.kill(replica.pid, 'SIGCONT');
    }
    await waitFor('the end of the pause', () => longestMs > 500);
    writing = false;
    await ended;
    expect(governor.facts().rested[0]).toMatchObject({ reason: 'replica_lag' });
    expect(governor.facts().rested[0]!.ms).toBeGreaterThan(500);
  });

  it('ends a rest when the run is interrupted', async () => {
    const server = await startServer();
    const stop = new AbortController();
    const { governor } = await governed(server.url, { mode: 'latency_optimized', sloMs: 1000 }, stop.signal);
    const done = await governor.pace(1);
    await sleep(600);
    done();
    const start = performance.now();
    setTimeout(() => stop.abort(new Error('enough')), 50);
    await expect(governor.pace(1)).rejects.toThrow('enough');
    expect(performance.now() - start).toBeLessThan(250);
  });

  it('is a named connection of its own, and none when it is closed', async () => {
    const server = await startServer();
    const { governor } = await governed(server.url);
    expect(await server.cli('CLIENT', 'LIST')).toContain(':probe ');
    await governor.close();
    expect(await server.cli('CLIENT', 'LIST')).not.toContain(':probe ');
  });

  it('feels by PING where TIME is refused, and says what INFO does not tell it', async () => {
    const server = await startServer({
      user: { name: 'few', password: 'p', rules: ['+hello', '+select', '+ping', '+client', '+info', '-time', '-info'] },
    });
    const { governor } = await governed(server.userUrl!);
    await waitFor('INFO to be refused', () => governor.facts().unmeasured.length > 0);
    const { probes, idle_p99_ms, unmeasured } = governor.facts();
    expect(probes).toBeGreaterThan(0);
    expect(idle_p99_ms).toBeGreaterThan(0);
    expect(unmeasured).toEqual([expect.stringMatching(/^INFO was refused \(NOPERM .*replicas, memory and forks/)]);
  });

  it('keeps to fixed slices without a probe, and says so', async () => {
    const server = await startServer();
    const { connection } = await governed(server.url);
    await server.cli('CONFIG', 'SET', 'maxclients', '1');
    const session = new Session<SessionContext>({
      plan: { request: { retry: { max_retries: 0, base_ms: 1 }, limits: {} }, target: targetWith() },
      runId: 'test',
      connection,
      clock: systemClock,
      signal: new AbortController().signal,
      journal: undefined,
    });
    const governor = await startGovernor(session, { mode: 'latency_optimized', sloMs: undefined });
    closing.push(() => governor.close());
    const start = performance.now();
    for (let chunk = 0; chunk < 20; chunk += 1) {
      const done = await governor.pace(100);
      await sleep(5);
      done();
    }
    // as long at rest as at work
    expect(performance.now() - start).toBeGreaterThan(150);
    expect(governor.facts()).toMatchObject({ probes: 0, share: { lowest: 0.5, highest: 0.5, last: 0.5 } });
    expect(governor.facts().unmeasured).toEqual([expect.stringMatching(/^no probe: /)]);
  });

  it('opens a lost probe again', async () => {
    const server = await startServer();
    const { governor } = await governed(server.url);
    await server.cli('CLIENT', 'KILL', 'TYPE', 'normal');
    const { probes } = governor.facts();
    await waitFor('another probe', () => governor.facts().probes > probes + 20);
    expect(await server.cli('CLIENT', 'LIST')).toContain(':probe ');
  });

  it('holds a stream that shall be gentle, and reports it', async () => {
    const server = await startServer();
    const dir = await mkdtemp(join(tmpdir(), 'redops-governor-'));
    closing.push(() => rm(dir, { recursive: true, force: true }));
    await writeFile(
      join(dir, 'sets.redis'),
      Array.from({ length: 60_000 }, (_, index) => `SET key:${index} v\n`).join(''),
    );
    const request = { operation_type: 'pipelining', file: 'sets.redis' };
    const run = (members: object, options?: { dryRun: true }) =>
      withAgent(server.url, (agent) => applied(agent, { ...request, ...members }, options), {
        filePath: (path) => join(dir, path),
      });
    const gentle = await run({ performance_mode: 'latency_optimized' });
    expect(gentle).toMatchObject({ status: 'succeeded', stream: { commands: 60_000 }, governor: { slo_p99_ms: 1 } });
    expect(gentle.governor!.probes).toBeGreaterThan(0);
    expect((await run({ limits: { slo_p99_ms: 50 } })).governor).toMatchObject({ slo_p99_ms: 50 });
    expect(await run({})).not.toHaveProperty('governor');
    const dry = await run({ performance_mode: 'latency_optimized' }, { dryRun: true });
    expect(dry).toMatchObject({ would_send: 60_000 });
    expect(dry).not.toHaveProperty('governor');
    expect(await server.cli('CLIENT', 'LIST')).not.toContain(':probe ');
  });

  it('does not make a stream wait for its rest because its source was slow', async () => {
    const server = await startServer();
    const { governor } = await governed(server.url, { mode: 'latency_optimized', sloMs: 1000 });
    await governor.pace(1);
    await sleep(500);
    const start = performance.now();
    await governor.pace(1);
    expect(performance.now() - start).toBeLessThan(200);
  });

  it('feels every primary of a cluster', async () => {
    const cluster = await startCluster();
    const { governor } = await governed(cluster.url);
    for (const node of cluster.primaries) {
      const list = await node.cli('CLIENT', 'LIST');
      expect(list).toContain(':probe ');
    }
    expect(governor.facts().unmeasured).toEqual([]);
  });
});
