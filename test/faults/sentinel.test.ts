/**
 * A primary behind Sentinels that was replaced, and is not told yet: for about ten seconds it calls itself the primary,
 * under its old run_id, and acknowledges whatever it is sent, which is then lost. A job that was under
 * way ends, and goes on, on the primary that a majority names, with no key missed and no other key touched.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '../../src/agent.ts';
import type { PipelineOutcome } from '../../src/pipeline.ts';
import { Report } from '../../src/plan/report.ts';
import { applied, withAgent } from '../support/agent.ts';
import { startSentinel, type TestSentinel, type TestServer, waitFor } from '../support/servers.ts';
import { count as counts } from './counts.ts';

/** How often each is tried, the pause beginning at another place each time. */
const ROUNDS = counts(10);
const KEYS = 20_000;
const KEPT = 500;

let deployment: TestSentinel;
let stateDir: string;
beforeEach(async () => {
  deployment = await startSentinel();
  stateDir = await mkdtemp(join(tmpdir(), 'redops-sentinel-'));
}, 60_000);
afterEach(async () => {
  process.kill(deployment.primary.pid, 'SIGCONT');
  await deployment.stop();
  await rm(stateDir, { recursive: true, force: true });
});

const all = () => [deployment.primary, ...deployment.replicas];
async function confirmed(): Promise<TestServer> {
  const port = await deployment.currentPort();
  return all().find((server) => server.port === port)!;
}

const count = (server: TestServer, script: string) => server.cli('eval', script, '0').then(Number);
const matching = (server: TestServer) =>
  count(server, `local n = 0 for i = 1, ${KEYS} do n = n + redis.call('exists', 'job:' .. i) end return n`);
const withoutTtl = (server: TestServer) =>
  count(
    server,
    `local n = 0 for i = 1, ${KEYS} do if redis.call('pttl', 'job:' .. i) == -1 then n = n + 1 end end return n`,
  );
const kept = (server: TestServer) =>
  count(
    server,
    `local n = 0 for i = 1, ${KEPT} do if redis.call('ttl', 'keep:' .. i) == -1 then n = n + 1 end end return n`,
  );

/** Fills the primary, and waits until both replicas have it all. */
async function fill(): Promise<void> {
  const { primary, replicas } = deployment;
  await primary.cli(
    'eval',
    `for i = 1, ${KEYS} do redis.call('set', 'job:' .. i, i) end for i = 1, ${KEPT} do redis.call('set', 'keep:' .. i, i) end`,
    '0',
  );
  for (const replica of replicas)
    await waitFor('the keys on a replica', async () => (await replica.cli('dbsize')) === String(KEYS + KEPT));
}

async function replaced(): Promise<void> {
  const { primary, sentinels, service } = deployment;
  await waitFor('another primary, which all Sentinels name', async () => {
    const names = await Promise.all(sentinels.map((one) => one.cli('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', service)));
    return names.every((name) => !name.endsWith(`\n${primary.port}`));
  });
}

/** The ways to lose a primary that does not know it. */
const ways = {
  /** Pauses the primary until the Sentinels have another one, and wakes it up. */
  async paused(): Promise<void> {
    const { pid } = deployment.primary;
    process.kill(pid, 'SIGSTOP');
    await replaced();
    process.kill(pid, 'SIGCONT');
  },
  /** Has the Sentinels promote another one: until they tell it, this one answers on without any gap. */
  async 'handed over'(): Promise<void> {
    const { sentinels, service } = deployment;
    expect(await sentinels[0]!.cli('SENTINEL', 'FAILOVER', service)).toBe('OK');
    await replaced();
  },
};

const settings = () => ({ stateDir, tag: 'dev' as const });

/** Runs the job, disturbed after so many pages; `deceived`: the old primary calls itself one still. */
async function disturbed(
  document: object,
  pages: number,
  disturb: () => Promise<void>,
): Promise<{ report: Report; deceived: boolean }> {
  let seen = 0;
  let replacing: Promise<void> | undefined;
  const report = await withAgent(
    deployment.url,
    (agent) =>
      applied(agent, document, { yes: true }, ({ kind }) => {
        if (kind === 'page') seen += 1;
        if (seen === pages) replacing ??= disturb();
      }),
    settings(),
  );
  expect(replacing).toBeDefined(); // the job had so many pages
  await replacing;
  const role = await deployment.primary.cli('info', 'replication');
  return { report, deceived: role.includes('role:master') };
}

/** Keys that the journal of a run has as changed. */
async function journaled(runId: string): Promise<number> {
  const lines = (await readFile(join(stateDir, 'runs', runId, 'journal.jsonl'), 'utf8')).trim().split('\n');
  const records = lines.map((line) => JSON.parse(line) as { kind: string; changed?: number });
  return records.reduce((sum, { kind, changed }) => sum + (kind === 'page' ? (changed ?? 0) : 0), 0);
}

async function resumed(runId: string): Promise<Report> {
  return withAgent(
    deployment.url,
    async (agent) => {
      const run = await agent.resume(runId, { yes: true });
      for await (const _ of run.events);
      return Report.parse(JSON.parse(JSON.stringify(await run.report)));
    },
    settings(),
  );
}

// a job has some twenty pages: the fault comes before the last of them
const rounds = Array.from({ length: ROUNDS }, (_, round) => ({ pages: 2 + ((round * 3) % 14), round }));
const jobs = [
  { engine: 'on the server', performance_mode: 'balanced', how: 'paused' },
  { engine: 'from here', performance_mode: 'latency_optimized', how: 'handed over' },
] as const;

describe('a primary that was replaced and does not know it', () => {
  it.each(jobs.flatMap((job) => rounds.map((round) => ({ ...job, ...round }))))(
    'ends a job that deletes ($engine; $how at page $pages, round $round), which goes on where the data is',
    async ({ performance_mode, how, pages }) => {
      await fill();
      const job = {
        operation_type: 'batch',
        select: { match: 'job:*' },
        do: { action: 'unlink' },
        performance_mode,
        limits: { rate: 10_000 },
      };
      const { report, deceived } = await disturbed(job, pages, ways[how]);
      expect(deceived).toBe(true); // it still said so when the job had ended: nothing but the Sentinels told
      expect(report).toMatchObject({ status: 'failed', verification: { complete: false } });
      expect(report.resume?.command).toBe(`redops runs resume ${report.run_id}`);
      expect(report.warnings.map(({ code }) => code)).toContain('E233');
      const now = await confirmed();
      expect(now.port).not.toBe(deployment.primary.port);
      expect(await matching(now)).toBeGreaterThan(0);
      const done = await resumed(report.run_id);
      expect(done).toMatchObject({ run_id: report.run_id, status: 'succeeded', verification: { complete: true } });
      expect([await matching(now), await kept(now)]).toEqual([0, KEPT]);
    },
    120_000,
  );

  it('ends a job that sets TTLs, and no key is left without one', async () => {
    await fill();
    const job = { operation_type: 'expiration', action: 'set', match: 'job:*', ttl: '1h', limits: { rate: 10_000 } };
    const { report } = await disturbed(job, 2, ways.paused);
    expect(report).toMatchObject({ status: 'failed' });
    const now = await confirmed();
    expect((await resumed(report.run_id)).status).toBe('succeeded');
    expect([await withoutTtl(now), await kept(now), await matching(now)]).toEqual([0, KEPT, KEYS]);
  }, 120_000);

  it('is not believed without a majority: a job ends, nothing counts as done that was not confirmed, and it goes on', async () => {
    await fill();
    const job = {
      operation_type: 'batch',
      select: { match: 'job:*' },
      do: { action: 'unlink' },
      limits: { rate: 5_000 },
    };
    const [, second, third] = deployment.sentinels as [TestServer, TestServer, TestServer];
    const signal = (name: NodeJS.Signals) => [second, third].map(({ pid }) => process.kill(pid, name));
    const { report } = await disturbed(job, 2, async () => void signal('SIGSTOP')).finally(() => signal('SIGCONT'));
    expect(report).toMatchObject({ status: 'failed', verification: { complete: false } });
    const told = JSON.stringify(report.verification);
    for (const { port } of [second, third]) expect(told).toContain(`127.0.0.1:${port} does not answer`);
    expect(await journaled(report.run_id)).toBeLessThan(report.totals.changed);
    const done = await resumed(report.run_id);
    expect(done).toMatchObject({ status: 'succeeded', verification: { complete: true } });
    expect([await matching(deployment.primary), await kept(deployment.primary)]).toEqual([0, KEPT]);
  }, 60_000);

  it('is sent nothing more of a pipeline: an INCR is on the new primary, or told as unknown or not sent', async () => {
    const counters = Array.from({ length: 500 }, (_, index) => `n:${index}`);
    let replacing: Promise<void> | undefined;
    const outcomes: PipelineOutcome[] = [];
    const before = new Map<string, number>();
    await withAgent(
      deployment.url,
      async (agent: Agent) => {
        await applied(agent, { operation_type: 'pipelining', commands: counters.map((key) => `SET ${key} 0`) });
        const endless = async function* () {
          for (let at = 0; ; at += 1) {
            if (at % 50 === 0) await sleep(5);
            yield ['INCR', counters[at % counters.length]!];
          }
        };
        const run = async (): Promise<void> => {
          for await (const outcome of agent.pipeline(endless())) {
            outcomes.push(outcome);
            if (outcomes.length === 2_000) replacing = ways.paused();
          }
        };
        await expect(run()).rejects.toMatchObject({ code: 'drift' });
      },
      { tag: 'dev' },
    );
    await replacing;
    for (const { index, outcome } of outcomes) {
      const key = counters[index % counters.length]!;
      if (outcome === 'ok') before.set(key, (before.get(key) ?? 0) + 1);
    }
    const now = await confirmed();
    const values = (await now.cli('mget', ...counters)).split('\n').map(Number);
    const missing = counters.filter((key, at) => values[at]! < (before.get(key) ?? 0));
    expect(missing).toEqual([]);
    expect(new Set(outcomes.map(({ outcome }) => outcome))).toContain('unknown');
  }, 60_000);
});
