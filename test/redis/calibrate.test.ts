/** Calibration on real servers: what it measures, what it leaves behind (nothing), where it refuses, and what plans make of it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { obtainServer } from '../../scripts/servers.mjs';
import { calibrate } from '../../src/calibrate/calibrate.ts';
import type { Costs } from '../../src/plan/costs.ts';
import { openSocket } from '../../src/redis/socket.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { loadCosts, saveCosts } from '../../src/state/costs.ts';
import { applied, faultOf, withAgent } from '../support/agent.ts';
import { startReplica, startServer, type TestServer } from '../support/servers.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redops-calibrate-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const options = { program: undefined, yes: false };

describe.each(['redis-6.0', 'redis-7.0', 'valkey-9'])('the measurements on %s', (version) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ version });
  });
  afterAll(() => server.stop());

  it('are curves of each command and form, of keys of its own that are gone afterwards', async () => {
    await server.cli('MSET', 'mine', '1', 'redops:calibration', '2');
    const socket = await openSocket(parseUrl(server.url));
    try {
      const steps: string[] = [];
      const curves = await calibrate(socket, {
        largest: 4_000,
        kinds: ['hash', 'keys'],
        onStep: (what) => steps.push(what),
      });
      expect(steps[0]).toBe('hash of 1');
      for (const name of [
        'hgetall/hash/compact',
        'hgetall/hash/table',
        'del/hash/table',
        'hscan/hash/table',
        'scan/keys',
      ])
        expect(Object.keys(curves)).toContain(name);
      // COPY came with 6.2: what the server does not have is left out
      expect('copy/hash/table' in curves).toBe(version !== 'redis-6.0');
      for (const { points, spread } of Object.values(curves)) {
        expect(spread).toBeGreaterThan(1);
        expect(points.map(([units]) => units)).toEqual(points.map(([units]) => units).sort((a, b) => a - b));
        for (const [, micros] of points) expect(micros).toBeLessThan(1_000_000);
      }
      const { points } = curves['hgetall/hash/table']!;
      const [small, large] = [points[0]!, points.at(-1)!];
      expect(large[0] / small[0]).toBeGreaterThan(100);
      expect(large[1]).toBeGreaterThan(small[1]);
    } finally {
      await socket.close();
    }
    expect((await server.cli('KEYS', '*')).split('\n').sort()).toEqual(['mine', 'redops:calibration']);
  }, 60_000);
});

describe('a target', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ version: 'redis-7.0' });
    await server.cli('EVAL', "for i = 1, 2000 do redis.call('HSET', 'h', i, i) end", '0');
  });
  afterAll(() => server.stop());

  const measured = (change: Partial<Costs> = {}): Costs => ({
    server: 'redis 7.0.15',
    basis: 'target',
    measured_ms: 1_790_000_000_000,
    curves: {
      'hgetall/hash/table': { points: [[2_000, 123_000]], spread: 1.2 },
      'sort/set/table': { points: [[1, 1]], spread: 2 },
    },
    ...change,
  });
  const explained = () => withAgent(server.url, (agent) => agent.explain('HGETALL h'), { stateDir: dir, name: 'mine' });

  it('is priced by what was measured on it, and its plans carry no more than they need', async () => {
    const before = await explained();
    expect(before.estimate).toMatchObject({ costs: 'default' });
    expect(before.estimate!.server_ms).toBeLessThan(20);
    await saveCosts(dir, 'mine', measured());
    const { estimate, plan, explanation } = await explained();
    expect(estimate!.costs).toBe('target');
    expect(estimate!.server_ms).toBeCloseTo(123, 1);
    expect(explanation?.costs).toEqual({ server: 'redis 7.0.15', basis: 'target', measured_ms: 1_790_000_000_000 });
    expect(Object.keys(plan!.target.costs!.curves)).toEqual(['hgetall/hash/table']);
  });

  it('can be planned on one day and applied on another, whatever was measured since', async () => {
    await saveCosts(dir, 'mine', measured());
    const { plan } = await explained();
    await saveCosts(dir, 'mine', measured({ curves: {} }));
    const document = JSON.parse(JSON.stringify(plan));
    const run = await withAgent(server.url, (agent) => applied(agent, document), { stateDir: dir, name: 'mine' });
    expect(run.status).toBe('succeeded');
  });

  it('of another version than was measured goes by what redops brings along', async () => {
    await saveCosts(dir, 'mine', measured({ server: 'redis 7.0.14' }));
    expect((await explained()).estimate).toMatchObject({ costs: 'default' });
  });

  it('under another name is another target', async () => {
    await saveCosts(dir, 'other', measured());
    await saveCosts(dir, 'mine', measured({ server: 'redis 7.0.14' }));
    expect((await explained()).estimate).toMatchObject({ costs: 'default' });
    expect(await loadCosts(dir, 'nobody')).toBeUndefined();
  });

  it('that counts as production takes no calibration without --yes', async () => {
    const fault = await withAgent(server.url, (agent) => faultOf(agent.calibrate(options)), {
      stateDir: dir,
      tag: 'production',
    });
    expect(fault).toMatchObject({ code: 'refused', message: expect.stringContaining('counts as production') });
  });

  it('of another version than the throwaway server is refused, and nothing is left running', async () => {
    const { server: program } = await obtainServer('redis-6.0');
    const fault = await withAgent(server.url, (agent) => faultOf(agent.calibrate({ program, yes: false })), {
      stateDir: dir,
    });
    expect(fault.code).toBe('refused');
    expect(fault.message).toContain('is redis 6.0.16, and the target is redis 7.0.15');
  });

  it('near its maxmemory is refused', async () => {
    await server.cli('CONFIG', 'SET', 'maxmemory', '64mb');
    const fault = await withAgent(server.url, (agent) => faultOf(agent.calibrate({ ...options, yes: true })), {
      stateDir: dir,
    });
    await server.cli('CONFIG', 'SET', 'maxmemory', '0');
    expect(fault).toMatchObject({ code: 'refused', message: expect.stringContaining('maxmemory') });
  });

  it('that is a replica is refused', async () => {
    const replica = await startReplica(server);
    const fault = await withAgent(replica.url, (agent) => faultOf(agent.calibrate({ ...options, yes: true })), {
      stateDir: dir,
    });
    expect(fault).toMatchObject({ code: 'refused', message: expect.stringContaining('replica') });
    await replica.stop();
  });

  it('can be told to stop, and has no keys of ours then', async () => {
    const stop = new AbortController();
    const fault = await withAgent(
      server.url,
      (agent) =>
        faultOf(
          agent.calibrate({
            ...options,
            yes: true,
            signal: stop.signal,
            onStep: (what) => what.startsWith('hash') && stop.abort(),
          }),
        ),
      { stateDir: dir, name: 'stopped' },
    );
    expect(fault.code).toBe('interrupted');
    expect(await server.cli('KEYS', '*')).toBe('h');
    expect(await loadCosts(dir, 'stopped')).toBeUndefined();
  }, 30_000);
});
