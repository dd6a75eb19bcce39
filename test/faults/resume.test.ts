/**
 * A scan job that ended in its middle goes on: after kill -9 of the command, Ctrl-C, a journal that a crash cut anywhere, a
 * server that was restarted. No key is missed, and what the report counts is what was done. kills.test.ts has the numbers.
 */
import { randomInt } from 'node:crypto';
import { appendFile, copyFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ApplyOptions, approvePlan, type ResumeOptions } from '../../src/agent.ts';
import { Report } from '../../src/plan/report.ts';
import { RunDetail } from '../../src/plan/run.ts';
import { verifyAudit } from '../../src/state/audit.ts';
import { JournalReader, type JournalRecord } from '../../src/state/journal.ts';
import { type Ended, main, redops, start } from '../cli/redops.ts';
import { applied, faultOf, planOf, withAgent } from '../support/agent.ts';
import {
  type ServerOptions,
  startCluster,
  startReplica,
  startServer,
  type TestCluster,
  type TestServer,
  waitFor,
} from '../support/servers.ts';

const KEYS = 20_000;

let server: TestServer;
let dir: string;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redops-resume-'));
  await fill(server);
  return () => rm(dir, { recursive: true, force: true });
});

async function fill(one: TestServer, keys = KEYS): Promise<void> {
  await one.cli('flushall');
  await one.cli(
    'eval',
    `for i = 1, ${keys} do redis.call('set', 'job:' .. i, i) end for i = 1, 500 do redis.call('set', 'keep:' .. i, i) end`,
    '0',
  );
}

const left = async (one = server): Promise<number> => Number(await one.cli('dbsize')) - 500;
const state = () => ({ env: { REDIS_URL: server.url, REDOPS_STATE: dir } });
const runFolder = (id: string) => join(dir, 'runs', id);
async function onlyRun(): Promise<string> {
  const ids = await readdir(join(dir, 'runs')).catch(() => []);
  expect(ids.length).toBeLessThanOrEqual(1);
  return ids[0] ?? '';
}
async function journalOf(id: string): Promise<JournalRecord[]> {
  const records: JournalRecord[] = [];
  const bytes = await readFile(join(runFolder(id), 'journal.jsonl')).catch(() => Buffer.alloc(0));
  new JournalReader(id, (one) => records.push(one)).read(bytes);
  return records;
}
const changedIn = (records: readonly JournalRecord[]): number =>
  records.reduce((sum, one) => sum + (one.kind === 'page' ? Number(one.changed) : 0), 0);

const report = ({ out }: Ended): Report => Report.parse(JSON.parse(out));
const detail = async (id: string): Promise<RunDetail> =>
  RunDetail.parse(JSON.parse((await redops(['runs', 'show', id, '--json'], state())).out));

function resumed(id: string, ...more: string[]): Promise<Ended> {
  return redops(['runs', 'resume', id, '--yes', '--json', '--no-progress', ...more], state());
}

type Settings = Parameters<typeof withAgent>[2];

/** Goes on with a run in this process. */
function goOn(id: string, options: ResumeOptions = { yes: true }, url = server.url, more: Settings = {}) {
  return withAgent(
    url,
    async (agent) => {
      const run = await agent.resume(id, options);
      for await (const _ of run.events);
      return Report.parse(JSON.parse(JSON.stringify(await run.report)));
    },
    { stateDir: dir, ...more },
  );
}

/** A run in this process that is ended after some pages. */
function stopped(document: object, options: ApplyOptions = { yes: true }, url = server.url, more: Settings = {}) {
  return withAgent(
    url,
    (agent) => {
      const stop = new AbortController();
      let pages = 0;
      return applied(agent, document, { ...options, signal: stop.signal }, ({ kind }) => {
        if (kind === 'page') pages += 1;
        if (pages === 3) stop.abort();
      });
    },
    { stateDir: dir, ...more },
  );
}

const job = { operation_type: 'batch', select: { match: 'job:*' }, do: { action: 'unlink' }, limits: { rate: 50_000 } };
const RATE = ['--rate', '15000', '--yes', '--json', '--no-progress'];
const jobs = {
  unlink: ['batch', 'unlink', '--match', 'job:*', ...RATE],
  expire: ['batch', 'expire', '--match', 'job:*', '--ttl', '1h', ...RATE],
};

describe('a job that was interrupted', () => {
  it('goes on under its id: what was done counts, and nothing is missed', async () => {
    const first = await stopped(job);
    expect(first).toMatchObject({ status: 'interrupted', resume: { command: `redops runs resume ${first.run_id}` } });
    expect(first.totals.changed).toBeGreaterThan(0);
    expect(await left()).toBe(KEYS - first.totals.changed);
    const recorded = changedIn(await journalOf(first.run_id)); // less where a page was left in its middle
    const done = await goOn(first.run_id);
    expect(done).toMatchObject({ run_id: first.run_id, status: 'succeeded', verification: { complete: true } });
    const changed = recorded + KEYS - first.totals.changed;
    expect(done.totals).toMatchObject({ changed, failed: 0, unknown: 0 });
    expect(recorded).toBeGreaterThan(0);
    expect(done.resume).toBeUndefined();
    expect(await left()).toBe(0);
    expect((await faultOf(goOn(first.run_id))).message).toContain('It has finished: succeeded');
    expect(await verifyAudit(dir)).toMatchObject({ ok: true });
  });

  it('by Ctrl-C says how to go on, and goes on', async () => {
    const { child, ended } = start(process.execPath, [main, ...jobs.unlink], state());
    await waitFor('the first keys to go', async () => (await left()) < KEYS);
    child.kill('SIGINT');
    const first = await ended;
    expect(first.status).toBe(130);
    const { run_id, totals } = report(first);
    expect(first.err).toContain(`redops runs resume ${run_id}`);
    expect(await left()).toBe(KEYS - totals.changed);
    expect(await detail(run_id)).toMatchObject({
      status: 'interrupted',
      totals: { changed: totals.changed },
      resume: { command: `redops runs resume ${run_id}` },
    });
    // of a page that was left in its middle there is no record
    const recorded = changedIn(await journalOf(run_id));
    const before = await left();
    const last = await resumed(run_id);
    expect(last.status).toBe(0);
    expect(report(last)).toMatchObject({ run_id, totals: { changed: recorded + before } });
    const told = JSON.stringify(report(last).warnings).includes('without recording what was under way');
    expect(told).toBe(recorded < totals.changed);
    expect(await left()).toBe(0);
  });

  it('needs no name again where a person typed it, but a word; and none goes on with another plan', async () => {
    const shop: Settings = { name: 'shop', tag: 'production' };
    const { run_id } = await stopped(job, { typedName: 'shop' }, server.url, shop);
    expect(await goOn(run_id, {}, server.url, shop)).toMatchObject({ status: 'needs_approval' });
    expect(await detail(run_id)).toMatchObject({ status: 'interrupted', allowed_by: 'typed_name' });

    const folder = runFolder(run_id);
    const other = await withAgent(server.url, (agent) => planOf(agent, { ...job, select: { match: 'keep:*' } }));
    await copyFile(join(folder, 'plan.json'), join(dir, 'plan.json'));
    await writeFile(join(folder, 'plan.json'), JSON.stringify(other));
    expect(await faultOf(goOn(run_id, { yes: true }, server.url, shop))).toMatchObject({ code: 'tampered' });
    await copyFile(join(dir, 'plan.json'), join(folder, 'plan.json'));

    expect(await goOn(run_id, { yes: true }, server.url, shop)).toMatchObject({ status: 'succeeded' });
    expect(await left()).toBe(0);
  });

  it('is covered by the signed approval of its run, which is not spent again and lets no other run begin', async () => {
    const shop: Settings = { name: 'shop', tag: 'production' };
    const plan = await withAgent(server.url, (agent) => planOf(agent, job), shop);
    const { approval } = await approvePlan(dir, plan, async () => 'correct horse', 3_600_000);
    const first = await stopped(plan, { approval }, server.url, shop);
    expect(first.status).toBe('interrupted');
    expect(await faultOf(stopped(plan, { approval }, server.url, shop))).toMatchObject({ code: 'refused' });
    const done = await goOn(first.run_id, { approval }, server.url, shop);
    expect(done).toMatchObject({ status: 'succeeded', run_id: first.run_id });
    expect(await left()).toBe(0);
  });

  it('that only --yes allowed on dev needs the name once the data counts as production', async () => {
    const { run_id } = await stopped(job);
    const shop: Settings = { name: 'shop', tag: 'production' };
    expect(await goOn(run_id, { yes: true }, server.url, shop)).toMatchObject({ status: 'needs_approval' });
    expect(await goOn(run_id, { typedName: 'shop' }, server.url, shop)).toMatchObject({ status: 'succeeded' });
  });

  it('is begun by one at a time, and only on its own database', async () => {
    const { run_id } = await stopped(job);
    expect(await faultOf(goOn(run_id, { yes: true }, `${server.url}/1`))).toMatchObject({ code: 'drift' });
    await withAgent(
      server.url,
      async (agent) => {
        const run = await agent.resume(run_id, { yes: true });
        expect((await faultOf(agent.resume(run_id, { yes: true }))).message).toContain(`process ${process.pid}`);
        for await (const _ of run.events);
        expect(await run.report).toMatchObject({ status: 'succeeded' });
      },
      { stateDir: dir },
    );
  });
});

describe('a job that was killed', () => {
  it('and whose journal lost its end, or has noise there, does again what is not recorded', async () => {
    for (let round = 0; round < 3; round += 1) {
      await fill(server);
      const { run_id } = await stopped(job);
      const path = join(runFolder(run_id), 'journal.jsonl');
      const { size } = await stat(path);
      await truncate(path, randomInt(0, size));
      if (round > 0) await appendFile(path, Buffer.alloc(randomInt(1, 5_000), round === 1 ? 0 : '{"n":3,'));
      const recorded = changedIn(await journalOf(run_id));
      const before = await left();
      const done = await goOn(run_id);
      expect(done).toMatchObject({ status: 'succeeded', totals: { changed: recorded + before } });
      expect(await left()).toBe(0);
      const kinds = (await journalOf(run_id)).map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === 'resumed')).toHaveLength(1);
      expect(kinds.at(-1)).toBe('page');
    }
  }, 60_000);
});

describe('a job whose server was restarted', () => {
  const quick = { ...job, retry: { max_retries: 1, base_ms: 5 } };
  let data: string;
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'redops-data-'));
    return () => rm(data, { recursive: true, force: true });
  });
  const onData = (options: ServerOptions = {}) => startServer({ ...options, args: ['--dir', data] });

  /** A run on the server that is shut down, with its data saved, at the third page. */
  async function shutDown(one: TestServer): Promise<Report> {
    await fill(one);
    return withAgent(
      one.url,
      (agent) => {
        let pages = 0;
        return applied(agent, quick, { yes: true }, ({ kind }) => {
          if (kind === 'page') pages += 1;
          if (kind === 'page' && pages === 3) void one.cli('shutdown', 'save').catch(() => '');
        });
      },
      { stateDir: dir },
    );
  }

  it('goes on where a person knows that it is the same data, and asks that once', async () => {
    const one = await onData();
    const first = await shutDown(one);
    expect(first).toMatchObject({ status: 'failed', resume: { command: `redops runs resume ${first.run_id}` } });
    await one.stop();
    const back = await onData();
    expect(await left(back)).toBeGreaterThan(0);
    const before = await left(back);
    const fault = await faultOf(goOn(first.run_id, { yes: true }, back.url));
    expect(fault).toMatchObject({ code: 'drift', remedy: expect.stringContaining('--same-data') });
    const refused = await redops(['runs', 'resume', first.run_id, '--yes', '--json'], {
      env: { REDIS_URL: back.url, REDOPS_STATE: dir },
    });
    expect(refused.status).toBe(3);
    expect(await left(back)).toBe(before);

    const stop = new AbortController();
    stop.abort();
    const again = await goOn(first.run_id, { yes: true, sameData: true, signal: stop.signal }, back.url);
    expect(again.status).toBe('interrupted');
    const done = await goOn(first.run_id, { yes: true }, back.url);
    expect(done).toMatchObject({ status: 'succeeded', verification: { complete: true } });
    expect(await left(back)).toBe(0);
    await back.stop();
  }, 60_000);

  it('goes on by itself where the RDB file keeps the replication id', async ({ skip }) => {
    const one = await onData();
    if (/^[56]\./.test(one.version)) skip();
    await (await startReplica(one)).stop(); // it left a backlog, without which an RDB file keeps no id
    await waitFor('the replica to be gone', async () =>
      (await one.cli('info', 'replication')).includes('connected_slaves:0'),
    );
    await fill(one);
    const first = await stopped(quick, { yes: true }, one.url);
    expect(first.status).toBe('interrupted');
    await one.cli('shutdown', 'save');
    await one.stop();
    const back = await onData();
    expect(await goOn(first.run_id, { yes: true }, back.url)).toMatchObject({ status: 'succeeded' });
    expect(await left(back)).toBe(0);
    await back.stop();
  }, 60_000);
});

describe('a job over a cluster', () => {
  const name = 'shop';
  const shop: Settings = { name, tag: 'production' };
  const CLUSTER_KEYS = 9_000;
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  }, 60_000);
  afterAll(() => cluster.stop());

  /** A job that was stopped in its middle. */
  async function begun(): Promise<Report> {
    await withAgent(cluster.url, async (agent) => {
      const keys = Array.from({ length: CLUSTER_KEYS }, (_, at) => ['SET', `job:${at}`, 'v']);
      for await (const one of agent.pipeline(keys, { typedName: agent.target.name })) expect(one.outcome).toBe('ok');
    });
    const expire = { ...job, do: { action: 'expire', ttl: '1h' }, limits: { rate: 8_000 } };
    const first = await stopped(expire, { typedName: name }, cluster.url, shop);
    expect(first).toMatchObject({ status: 'interrupted', resume: { command: expect.any(String) } });
    return first;
  }
  const withDeadline = async () => {
    const spaces = await Promise.all(cluster.primaries.map((node) => node.cli('info', 'keyspace')));
    return spaces.reduce((sum, space) => sum + Number(/expires=(\d+)/.exec(space)?.[1] ?? 0), 0);
  };

  it('goes on where it came to on each node when no slot has moved', async () => {
    const { run_id } = await begun();
    const before = await journalOf(run_id);
    const ids = await Promise.all(cluster.primaries.map((node) => node.cli('cluster', 'myid')));
    expect(new Set(before.flatMap((one) => (one.kind === 'page' ? [one.shard] : []))).size).toBeGreaterThan(1);
    const done = await goOn(run_id, { yes: true }, cluster.url, shop);
    expect(done).toMatchObject({ status: 'succeeded', verification: { complete: true } });
    expect(done.totals).toMatchObject({ matched: CLUSTER_KEYS, changed: CLUSTER_KEYS, failed: 0, unknown: 0 });
    const pages = (await journalOf(run_id)).filter(({ kind }) => kind === 'page');
    // no page of the first attempt was journaled again
    expect(pages.reduce((sum, page) => sum + Number(page.matched), 0)).toBe(CLUSTER_KEYS);
    expect(new Set(pages.map(({ shard }) => shard))).toEqual(new Set(ids));
    expect(await withDeadline()).toBe(CLUSTER_KEYS);
  }, 60_000);

  it('goes on from the start of every node when slots have moved since, and misses nothing', async () => {
    const { run_id } = await begun();
    const [from, to] = cluster.primaries;
    await cluster.reshard(from!, to!, 60);
    const done = await goOn(run_id, { yes: true }, cluster.url, shop);
    expect(done).toMatchObject({ status: 'succeeded', verification: { complete: true } });
    expect(done.totals).toMatchObject({ matched: CLUSTER_KEYS, failed: 0, unknown: 0 });
    expect(await withDeadline()).toBe(CLUSTER_KEYS);
  }, 60_000);
});

describe('a job that was cancelled', () => {
  it('in motion stops, and cannot go on', async () => {
    const { ended } = start(process.execPath, [main, ...jobs.unlink.with(5, '2000')], state());
    await waitFor('the first keys to go', async () => (await left()) < KEYS);
    const id = await onlyRun();
    expect(await detail(id)).toMatchObject({
      status: 'running',
      resume: { impossible: expect.stringContaining('in motion') },
    });
    expect((await redops(['runs', 'cancel', id], state())).status).toBe(0);
    const first = await ended;
    expect(first.status).toBe(130);
    expect(report(first)).toMatchObject({
      status: 'interrupted',
      verification: { unproven: ['cancelled by redops runs cancel'] },
    });
    expect(report(first).resume).toBeUndefined();
    expect(await left()).toBeGreaterThan(0);
    expect(await detail(id)).toMatchObject({ status: 'cancelled' });
    const again = await resumed(id);
    expect([again.status, again.err]).toEqual([3, expect.stringContaining('It was cancelled')]);
  });

  it('after it had ended early cannot go on either; then it can be pruned', async () => {
    const { run_id } = await stopped(job);
    const prune = ['runs', 'prune', '--older-than', '0s'];
    expect((await redops(prune, state())).err).toContain('Would remove 0 runs');
    expect((await redops(['runs', 'cancel', run_id], state())).err).toContain('cannot be resumed any more');
    expect((await faultOf(goOn(run_id))).message).toContain('It was cancelled');
    expect((await redops(['runs', 'cancel', run_id], state())).status).toBe(3);
    expect((await redops(prune, state())).out).toContain(run_id);
    expect((await redops([...prune, '--yes'], state())).err).toContain('Removed 1 run.');
    const gone = await resumed(run_id);
    expect([gone.status, gone.err]).toEqual([2, expect.stringContaining('there is no run')]);
  });
});
