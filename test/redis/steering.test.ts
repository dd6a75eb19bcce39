/** A run in motion, steered from outside through the state directory: it waits, goes on, keeps to another rate, and says so. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Event } from '../../src/plan/event.ts';
import { showRun, steerRun } from '../../src/runs.ts';
import { applied, faultOf, withAgent } from '../support/agent.ts';
import { startServer, type TestServer } from '../support/servers.ts';
import { waitFor } from '../support/wait.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redops-steering-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const many = 3_000;
const removal = { operation_type: 'key_management', action: 'delete', match: 'session:*', limits: { rate: 500 } };

async function filled(): Promise<TestServer> {
  const server = await startServer();
  await server.cli('eval', `for i = 1, ${many} do redis.call('SET', 'session:' .. i, i) end`, '0');
  return server;
}

describe.each(['latency_optimized', 'throughput_optimized'] as const)('a job, %s', (performance_mode) => {
  it('waits while it is paused, goes on, takes up another rate, and its report and journal say so', async () => {
    const server = await filled();
    const left = async () => Number(await server.cli('dbsize'));
    const seen: Event[] = [];
    let runId = '';
    await withAgent(
      server.url,
      async (agent) => {
        const request = { ...removal, performance_mode };
        const running = applied(agent, request, { yes: true }, (event) => {
          seen.push(event);
          if (event.kind === 'run_started') runId = event.run_id;
        });
        await waitFor('a first page', () => seen.some(({ kind }) => kind === 'page'));
        await steerRun(dir, runId, { paused: true });
        await waitFor('the pause', () => seen.some(({ kind }) => kind === 'steered'));
        expect((await showRun(dir, runId)).run).toMatchObject({ status: 'paused', steering: { paused: true } });
        // what was under way when the pause was seen comes to its end
        let still = await left();
        await waitFor('it to stand still', async () => {
          const before = still;
          await new Promise((resolve) => setTimeout(resolve, 600));
          still = await left();
          return still === before;
        });
        expect(still).toBeGreaterThan(0);
        await steerRun(dir, runId, { paused: false, rate: null });
        const report = await running;
        expect(report).toMatchObject({ status: 'succeeded', totals: { changed: many, failed: 0, unknown: 0 } });
        expect(report.steered!.paused_ms).toBeGreaterThanOrEqual(600);
        expect(report.steered!.changes).toMatchObject([{ paused: true }, { paused: false, rate: null }]);
        // at 500 a second what was left then would have taken longer
        const [, resumed] = report.steered!.changes;
        const tookMs = Date.parse(report.timing.started_at) + report.timing.duration_ms - Date.parse(resumed!.at);
        expect(tookMs).toBeLessThan((still / 500) * 1000);
        expect(await left()).toBe(0);
        const journal = await readFile(join(dir, 'runs', runId, 'journal.jsonl'), 'utf8');
        expect(journal.split('\n').filter((line) => line.includes('"kind":"steered"'))).toHaveLength(2);
        expect((await faultOf(steerRun(dir, runId, { paused: true }))).message).toMatch(
          /is not in motion \(succeeded\)/,
        );
      },
      { stateDir: dir },
    );
  });
});

describe('a paused job', () => {
  it('ends when it is interrupted, and goes on when it is resumed, paused no more', async () => {
    const server = await filled();
    let runId = '';
    let paused = false;
    const stop = new AbortController();
    await withAgent(
      server.url,
      async (agent) => {
        const running = applied(agent, removal, { yes: true, signal: stop.signal }, (event) => {
          if (event.kind === 'run_started') runId = event.run_id;
          if (event.kind === 'steered') paused = true;
        });
        await waitFor('its id', () => runId !== '');
        await steerRun(dir, runId, { paused: true, rate: 100_000 });
        await waitFor('the pause', () => paused);
        stop.abort();
        expect(await running).toMatchObject({ status: 'interrupted', resume: { command: expect.any(String) } });
        const resumed = await agent.resume(runId, { yes: true });
        for await (const _ of resumed.events);
        expect(await resumed.report).toMatchObject({ status: 'succeeded', totals: { changed: many } });
        expect(await server.cli('dbsize')).toBe('0');
      },
      { stateDir: dir },
    );
  });
});
