/** A job in motion is paused, let go on and changed by another process: what is sent meanwhile, and what the report says of it. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Report } from '../../src/plan/report.ts';
import { RunDetail, RunSummary } from '../../src/plan/run.ts';
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

describe('redops runs pause, resume and set', () => {
  it.each([
    ['latency_optimized', 'client', 'slo'],
    ['balanced', 'server', ''],
  ])(
    'of a %s job: nothing is sent while it is paused, and it goes on at the rate that is set',
    async (mode, engine, slo) => {
      const { id, running } = await begun(mode, ...(slo ? ['--slo', '50'] : []));
      const paused = await runs('pause', id, '--json');
      expect(RunSummary.parse(JSON.parse(paused.out))).toMatchObject({ run_id: id, status: 'paused' });
      await quiet(); // the probes of the governor too
      const held = await withDeadline();
      expect(held).toBeLessThan(KEYS / 2);
      expect(await detail(id)).toMatchObject({ status: 'paused', wishes: { paused: true } });
      expect((await runs('show', id)).out).toContain('to wait: it is paused');
      expect((await runs('set', id, '--rate', 'off')).err).toContain('holds from the next chunk on');
      await sleep(1_200);
      expect(await withDeadline()).toBe(held); // another rate does not end a pause
      expect((await runs('resume', id)).err).toContain('its own process reports');
      const { report, status } = await ended(running);
      expect({ status, engine: report.engine, said: report.status }).toEqual({ status: 0, engine, said: 'succeeded' });
      expect(report.totals).toMatchObject({ matched: KEYS, changed: KEYS });
      expect(await withDeadline()).toBe(KEYS);
      expect(report.control?.changes).toEqual([
        { at: expect.any(String), change: 'paused' },
        { at: expect.any(String), change: 'rate', from: 200, to: 'off' },
        { at: expect.any(String), change: 'resumed' },
      ]);
      expect(report.control!.paused_ms).toBeGreaterThan(1_500);
      expect(report.control!.paused_ms).toBeLessThan(report.timing.duration_ms);
      const records: JournalRecord[] = [];
      new JournalReader(id, (one) => records.push(one)).read(await readFile(join(dir, 'runs', id, 'journal.jsonl')));
      expect(records.filter(({ kind }) => kind === 'control')).toMatchObject([
        { paused: true },
        { paused: true, rate: 'off' },
        { paused: false, rate: 'off' },
      ]);
      expect(await verifyAudit(dir)).toMatchObject({ ok: true });
      const audit = (await readFile(join(dir, 'audit.jsonl'), 'utf8')).trim().split('\n');
      expect(audit.map((line) => JSON.parse(line)).filter(({ event }) => event === 'control')).toMatchObject([
        { run_id: id, paused: true },
        { run_id: id, paused: true, rate: 'off' },
        { run_id: id, paused: false, rate: 'off' },
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
    expect(report.control?.changes.map(({ change, to }) => [change, to])).toEqual([
      ['slo_p99_ms', 40],
      ['rate', 'off'],
      ['slo_p99_ms', 'off'],
    ]);
  });

  it('Ctrl-C ends a paused run; resumed, it does not wait, and keeps the rate that was set', async () => {
    const { id, running } = await begun('balanced');
    await runs('pause', id);
    await quiet();
    await runs('set', id, '--rate', '30000');
    await sleep(1_000);
    running.child.kill('SIGINT');
    const { report, status } = await ended(running);
    expect({ status, said: report.status }).toEqual({ status: 130, said: 'interrupted' });
    expect(report.control?.changes.map(({ change }) => change)).toEqual(['paused', 'rate']);
    expect(report.control!.paused_ms).toBeGreaterThan(500);
    const went = await runs('resume', id, '--yes', '--json');
    const again = Report.parse(JSON.parse(went.out));
    expect(again.control).toEqual({
      paused_ms: 0,
      changes: [{ at: expect.any(String), change: 'rate', from: 200, to: 30_000 }],
    });
    expect(again.status).toBe('succeeded');
    expect(await withDeadline()).toBe(KEYS);
  });

  it('a run whose process died is not paused: it says so, and how to go on', async () => {
    const { id, running } = await begun('balanced');
    running.child.kill('SIGKILL');
    await running.ended;
    const { status, err } = await runs('pause', id);
    expect(status).toBe(3);
    expect(err).toContain('no process works on it');
    expect(err).toContain(`redops runs resume ${id}`);
  });
});
