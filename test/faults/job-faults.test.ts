/**
 * A scan job on a server that misbehaves while it runs, on both engines: connections that are cut every few hundred keys, a
 * memory that is full, a primary that becomes a replica, data that are loaded again under it.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectServer } from '../../src/redis/server-connection.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { applied, withAgent } from '../support/agent.ts';
import { engineOf, engines, fill, jobOf, openRuns, type Runs, startBed, undone, urlOf } from '../support/job-bed.ts';
import { startProxy, type TestServer } from '../support/servers.ts';
import { count, counted } from './counts.ts';

const KEYS = 10_000;
const verbs = ['unlink', 'expire'] as const;
const kinds = engines.flatMap((engine) => verbs.map((verb) => ({ engine, verb })));

let server: TestServer;
let runs: Runs;
beforeAll(async () => {
  server = await startBed();
});
afterAll(() => server.stop());
beforeEach(async () => {
  runs = await openRuns();
  return () => runs.remove();
});

describe('a job whose connections are all cut, every few hundred keys to its end', () => {
  const many = count(100_000);
  const EVERY = 400;
  let cuts = 0;
  afterAll(() => counted(`${cuts} times all connections of a job cut, over ${kinds.length} jobs of ${many} keys`));

  /** Cuts until told to end; gives how often. */
  async function cutting(cut: () => void, over: () => boolean): Promise<number> {
    const watching = await connectServer(parseUrl(server.url));
    const done = async () => {
      const info = String(await watching.send(['INFO', 'keyspace']));
      const [, keys, expires] = /keys=(\d+),expires=(\d+)/.exec(info) ?? [];
      return many - Number(keys ?? 0) + Number(expires ?? 0);
    };
    let times = 0;
    for (let last = await done(); !over(); await sleep(1)) {
      const now = await done();
      if (now - last < EVERY) continue;
      last = now;
      cut();
      times += 1;
    }
    await watching.close();
    return times;
  }

  it.each(kinds)('misses nothing: $engine, $verb', async ({ engine, verb }) => {
    await fill(server, many);
    const proxy = await startProxy(server.port);
    let over = false;
    const cutter = cutting(
      () => proxy.reset(),
      () => over,
    );
    const request = jobOf(verb, { limits: { rate: 30_000 }, retry: { max_retries: 100, base_ms: 2 } });
    const done = await runs.apply(urlOf(server, engine, proxy.port), request).finally(() => {
      over = true;
    });
    const times = await cutter;
    await proxy.stop();
    expect(times).toBeGreaterThan(many / EVERY / 4);
    expect(done).toMatchObject({ status: 'succeeded', ...engineOf(engine, verb), totals: { failed: 0, unknown: 0 } });
    expect(done.verification.complete).toBe(true);
    expect(done.totals.changed + done.totals.unchanged).toBe(done.totals.matched);
    // what a lost reply would have told is counted as unchanged or not at all, never twice
    if (verb === 'unlink') expect(done.totals.changed).toBeLessThanOrEqual(many);
    expect(await undone(server, verb, many)).toBe(0);
    cuts += times;
  });
});

describe('a job on a server whose memory is full', () => {
  it.each(kinds)('goes on, since no action of a job needs any: $engine, $verb', async ({ engine, verb }) => {
    await fill(server, KEYS);
    let pages = 0;
    let refused: Promise<string> | undefined;
    const request = jobOf(verb, { limits: { rate: 40_000 } });
    try {
      const done = await runs.apply(urlOf(server, engine), request, ({ kind }) => {
        if (kind === 'page') pages += 1;
        if (kind !== 'page' || pages !== 2) return;
        refused = server.cli('config', 'set', 'maxmemory', '1').then(() => server.cli('set', 'more', 'v'));
      });
      expect(await refused).toContain('OOM');
      expect(done).toMatchObject({
        status: 'succeeded',
        ...engineOf(engine, verb),
        totals: { changed: KEYS, failed: 0, unknown: 0 },
      });
      expect(await undone(server, verb, KEYS)).toBe(0);
      // what does need some is told, and not repeated for ever
      const write = { operation_type: 'pipelining', commands: ['SET more v', 'GET keep:1'], accept: ['OPS002'] };
      const report = await withAgent(urlOf(server, engine), (agent) => applied(agent, write));
      expect(report).toMatchObject({
        status: 'partial',
        totals: { failed: 1 },
        errors: [{ code: 'E206', name: 'OOM' }],
      });
    } finally {
      await server.cli('config', 'set', 'maxmemory', '0');
    }
  });
});

describe('a job whose server becomes a replica (READONLY)', () => {
  it.each(kinds)(
    'changes nothing there, says so, and is resumed when it is a primary again: $engine, $verb',
    async ({ engine, verb }) => {
      await fill(server, KEYS);
      let pages = 0;
      let turned: Promise<string> | undefined;
      try {
        const request = jobOf(verb, { limits: { rate: 40_000 }, retry: { max_retries: 2, base_ms: 5 } });
        const first = await runs.apply(urlOf(server, engine), request, ({ kind }) => {
          if (kind === 'page') pages += 1;
          // of a primary that is not there: it keeps what it has
          if (kind === 'page' && pages === 5) turned = server.cli('replicaof', '127.0.0.1', '1');
        });
        await turned;
        const before = await undone(server, verb, KEYS);
        expect(KEYS - before).toBe(first.totals.changed);
        expect(first.status).toBe('failed');
        expect(JSON.stringify(first.warnings)).toContain('the server is a replica now');
        expect(first.totals.failed).toBeLessThanOrEqual(engine === 'client' ? 4 * 500 : 0);
        await server.cli('replicaof', 'no', 'one');
        const done = await runs.resume(urlOf(server, engine), first.run_id, { yes: true, sameData: true });
        expect(done).toMatchObject({
          status: 'succeeded',
          ...engineOf(engine, verb),
          totals: { failed: 0, unknown: 0 },
        });
        expect(await undone(server, verb, KEYS)).toBe(0);
      } finally {
        await server.cli('replicaof', 'no', 'one');
      }
    },
  );
});

describe('a job whose server loads its data again (LOADING)', () => {
  it.each(kinds)('waits, and misses nothing: $engine, $verb', async ({ engine, verb }) => {
    await fill(server, KEYS);
    // they take a quarter of a second to load, and it answers LOADING on the way
    await server.cli('config', 'set', 'key-load-delay', '25');
    await server.cli('config', 'set', 'loading-process-events-interval-bytes', '4096');
    let pages = 0;
    let loaded: Promise<string> | undefined;
    const request = jobOf(verb, { limits: { rate: 40_000 }, retry: { max_retries: 100, base_ms: 2 } });
    const reasons = new Set<string>();
    const done = await runs.apply(urlOf(server, engine), request, (event) => {
      if (event.kind === 'retried') reasons.add(event.reason);
      if (event.kind === 'page') pages += 1;
      if (event.kind === 'page' && pages === 5) loaded = server.cli('debug', 'reload');
    });
    expect(await loaded).toBe('OK');
    expect(done).toMatchObject({ status: 'succeeded', ...engineOf(engine, verb), totals: { failed: 0, unknown: 0 } });
    expect(reasons).toContain('LOADING');
    if (verb === 'unlink') expect(done.totals.changed).toBe(KEYS);
    expect(await undone(server, verb, KEYS)).toBe(0);
  });
});

describe('a job that loses its network for longer than its retries last', () => {
  let lost = 0;
  afterAll(() => counted(`${lost} times the network lost for longer than the retries last`));
  const cases = Array.from({ length: count(10) }, (_, at) => ({ number: at + 1, ...kinds[at % kinds.length]! }));

  it.each(cases)('stops, and is resumed from where it came to: $number, $engine, $verb', async ({ engine, verb }) => {
    await fill(server, KEYS);
    const proxy = await startProxy(server.port);
    const url = urlOf(server, engine, proxy.port);
    const at = randomInt(2, 6); // pages grow: not many more of them make up the job
    let pages = 0;
    const request = jobOf(verb, { limits: { rate: 40_000 }, retry: { max_retries: 2, base_ms: 2 } });
    const first = await runs.apply(url, request, ({ kind }) => {
      if (kind === 'page') pages += 1;
      if (kind !== 'page' || pages !== at) return;
      void proxy.refuse();
      proxy.reset();
    });
    expect(first).toMatchObject({ status: 'failed', resume: { command: expect.stringContaining(first.run_id) } });
    await proxy.restore();
    const before = await undone(server, verb, KEYS);
    const recorded = await runs.recorded(first.run_id);
    expect(before).toBeGreaterThan(0);
    if (verb === 'unlink') expect(KEYS - before).toBeGreaterThanOrEqual(recorded);
    const done = await runs.resume(url, first.run_id);
    expect(done).toMatchObject({ status: 'succeeded', ...engineOf(engine, verb), totals: { failed: 0, unknown: 0 } });
    if (verb === 'unlink') expect(done.totals.changed).toBe(recorded + before);
    expect(await undone(server, verb, KEYS)).toBe(0);
    await proxy.stop();
    lost += 1;
  });
});
