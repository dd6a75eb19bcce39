/** A job in motion is paused, let go on and changed by another process: what is sent meanwhile, and what the report says of it. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Report } from '../../src/plan/report.ts';
import { RunDetail } from '../../src/plan/run.ts';
import { verifyAudit } from '../../src/state/audit.ts';
import { JournalReader, type JournalRecord } from '../../src/state/journal.ts';
import { startServer, type TestServer, waitFor } from '../support/servers.ts';
import { main, type Running, redops, start } from './redops.ts';

const KEYS = 12_000;
let server: TestServer;
let dir: string;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redops-control-'));
  await server.cli('flushall');
  await server.cli('eval', `for i = 1, ${KEYS} do redis.call('set', 'job:' .. i, i) end`, '0');
  return () => rm(dir, { recursive: true, force: true });
});

const state = () => ({ env: { REDIS_URL: server.url, REDOPS_STATE: dir } });
const runs = (...words: string[]) => redops(['runs', ...words], state());
const withDeadline = async (): Promise<number> => {
  const info = await server.cli('info', 'keyspace');
  return Number(/expires=(\d+)/.exec(info)?.[1] ?? 0);
};
/** Commands that the server has processed but for this question. */
let questions = 0;
const processed = async (): Promise<number> => {
  const info = await server.cli('info', 'stats');
  questions += 1;
  return Number(/total_commands_processed:(\d+)/.exec(info)?.[1]) - questions;
};
const idOf = async (): Promise<string> => (await readdir(join(dir, 'runs')))[0]!;
const detail = async (id: string): Promise<RunDetail> =>
  RunDetail.parse(JSON.parse((await runs('show', id, '--json')).out));

/** A job that takes far longer than the test if nobody helps; latency_optimized works from here, balanced by a script. */
async function begun(mode: string, ...more: string[]): Promise<{ readonly id: string; readonly running: Running }> {
  const words = ['batch', 'expire', '--match', 'job:*', '--ttl', '1h', '--rate', '200', '--yes', '--json', ...more];
  const running = start(process.execPath, [main, ...words, '--performance-mode', mode], state());
  try {
    await waitFor('the first keys', async () => (await withDeadline()) > 0);
  } catch (error) {
    running.child.kill('SIGKILL');
    throw error;
  }
  return { id: await idOf(), running };
}

async function ended({ ended }: Running): Promise<{ readonly report: Report; readonly status: number | null }> {
  const { out, status, err } = await ended;
  expect(out, err).not.toBe('');
  return { report: Report.parse(JSON.parse(out)), status };
}

/** Waits until a second passes in which the server is asked nothing but by this test. */
async function quiet(): Promise<void> {
  let before = await processed();
  await waitFor('the job to hold', async () => {
    await sleep(700);
    const now = await processed();
    const still = now === before;
    before = now;
    return still;
  });
}

describe('a job that another process pauses, resumes and sets', () => {
  it.each([
    ['latency_optimized', 'client', 'slo'],
    ['balanced', 'server', ''],
  ])(
    'sends nothing while it is paused, and goes on at the rate that is set: a %s job',
    async (mode, engine, slo) => {
      const { id, running } = await begun(mode, ...(slo ? ['--slo', '50'] : []));
      const paused = await runs('pause', id, '--json');
      expect(JSON.parse(paused.out)).toEqual({ run_id: id, paused: true });
      await quiet(); // the probes of the governor too
      const held = await withDeadline();
      expect(held).toBeLessThan(KEYS / 2);
      expect(await detail(id)).toMatchObject({ status: 'paused', steering: { paused: true } });
      expect((await runs('show', id)).out).toContain('steered   paused');
      expect((await runs('set', id, '--rate', 'off')).err).toContain('takes that up');
      await sleep(1_200);
      expect(await withDeadline()).toBe(held); // another rate does not end a pause
      expect((await runs('resume', id)).err).toContain('in the process that it was paused in');
      const { report, status } = await ended(running);
      expect({ status, engine: report.engine, said: report.status }).toEqual({ status: 0, engine, said: 'succeeded' });
      expect(report.totals).toMatchObject({ matched: KEYS, changed: KEYS });
      expect(await withDeadline()).toBe(KEYS);
      expect(report.steered?.changes).toEqual([
        { at: expect.any(String), paused: true },
        { at: expect.any(String), rate: null },
        { at: expect.any(String), paused: false },
      ]);
      expect(report.steered!.paused_ms).toBeGreaterThan(1_500);
      expect(report.steered!.paused_ms).toBeLessThan(report.timing.duration_ms);
      const records: JournalRecord[] = [];
      new JournalReader(id, (one) => records.push(one)).read(await readFile(join(dir, 'runs', id, 'journal.jsonl')));
      expect(records.filter(({ kind }) => kind === 'steered')).toMatchObject([
        { paused: true },
        { rate: null },
        { paused: false },
      ]);
      expect(await verifyAudit(dir)).toMatchObject({ ok: true });
      const audit = (await readFile(join(dir, 'audit.jsonl'), 'utf8')).trim().split('\n');
      expect(audit.map((line) => JSON.parse(line)).filter(({ event }) => event === 'steer')).toMatchObject([
        { run_id: id, paused: true },
        { run_id: id, paused: true, rate: null },
        { run_id: id, paused: false, rate: null },
      ]);
    },
    60_000,
  );

  it('a target for the latency of others takes hold in a job that was not governed', async () => {
    const { id, running } = await begun('latency_optimized');
    await runs('set', id, '--slo', '40');
    await waitFor('a probe', async () => (await server.cli('client', 'list')).includes(`redops:${id}:probe`));
    await runs('set', id, '--slo', 'off', '--rate', 'off');
    const { report } = await ended(running);
    expect(report.governor?.probes).toBeGreaterThan(0);
    expect(report.steered?.changes).toMatchObject([{ slo_p99_ms: 40 }, { slo_p99_ms: null, rate: null }]);
  });

  it('Ctrl-C ends a paused run', async () => {
    const { id, running } = await begun('balanced');
    await runs('pause', id);
    await quiet();
    running.child.kill('SIGINT');
    const { report, status } = await ended(running);
    expect({ status, said: report.status }).toEqual({ status: 130, said: 'interrupted' });
    expect(report.steered?.changes).toMatchObject([{ paused: true }]);
    expect(report.steered!.paused_ms).toBeGreaterThan(500);
    expect(report.resume?.command).toBe(`redops runs resume ${id}`);
  });

  it('a run whose process died is not paused: it says so, and how to go on', async () => {
    const { id, running } = await begun('balanced');
    running.child.kill('SIGKILL');
    await running.ended;
    const { status, err } = await runs('pause', id);
    expect(status).toBe(3);
    expect(err).toContain('the process that worked on it has died');
    expect(err).toContain(`redops runs resume ${id}`);
  });
});
