/**
 * A scan job on a server that others need: a replica that stops (SIGSTOP) and comes back, a load that is raised in the
 * middle. The job gives way and takes up again, and its report says so; nothing is missed by that.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { Event } from '../../src/plan/event.ts';
import { engines, fill, jobOf, openRuns, startBed, undone, urlOf } from '../support/job-bed.ts';
import { startReplica, type TestServer } from '../support/servers.ts';
import { counted } from './counts.ts';

const KEYS = 40_000;
/** Keys a second: eight seconds of work, so that the governor sees the fault come and go. */
const RATE = 5_000;

type Facts = Extract<Event, { kind: 'governed' }>['facts'];

const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Runs a job, with room for the noise of a busy machine, under a fault that begins at its third page; gives what its governor told on the way. */
async function disturbed(server: TestServer, url: string, fault: () => Promise<unknown>) {
  await fill(server, KEYS);
  const runs = await openRuns();
  closing.push(() => runs.remove());
  const told: { readonly atMs: number; readonly facts: Facts; readonly done: number }[] = [];
  let pages = 0;
  let done = 0;
  let fallen: Promise<unknown> | undefined;
  const report = await runs.apply(url, jobOf('unlink', { limits: { rate: RATE, slo_p99_ms: 20 } }), (event) => {
    if (event.kind === 'governed') told.push({ atMs: performance.now(), facts: event.facts, done });
    if (event.kind !== 'page') return;
    pages += 1;
    done += event.totals.changed;
    if (pages === 3) fallen = fault();
  });
  await fallen;
  expect(await undone(server, 'unlink', KEYS)).toBe(0);
  expect(report).toMatchObject({ status: 'succeeded', totals: { changed: KEYS, failed: 0, unknown: 0 } });
  return { report, told };
}

// each waits more than it works: both engines at the same time
describe.concurrent('a job of either engine', () => {
  it.each(engines)(
    'pauses while a replica is stopped, and goes on with it: %s',
    async (engine) => {
      const server = await startBed();
      const replica = await startReplica(server);
      closing.push(
        () => replica.stop(),
        () => server.stop(),
      );
      const { report } = await disturbed(server, urlOf(server, engine), async () => {
        process.kill(replica.pid, 'SIGSTOP');
        await sleep(6_500);
        process.kill(replica.pid, 'SIGCONT');
      });
      expect(report.engine).toBe(engine);
      expect(report.governor!.share.lowest).toBe(0);
      const rest = report.governor!.rested.find(({ reason }) => reason === 'replica_lag');
      expect(rest?.ms).toBeGreaterThan(500);
      expect(report.timing.duration_ms).toBeGreaterThan((KEYS / RATE) * 1_000);
      counted(`a stopped replica, ${engine}: ${JSON.stringify(report.governor)}`);
    },
    60_000,
  );

  it.each(engines)(
    'gives way to a load that is raised, and recovers: %s',
    async (engine) => {
      const server = await startBed();
      closing.push(() => server.stop());
      let raisedMs = 0;
      const { report, told } = await disturbed(server, urlOf(server, engine), async () => {
        raisedMs = performance.now();
        for (let stall = 0; stall < 15; stall += 1) {
          await server.cli('debug', 'sleep', '0.08');
          await sleep(40);
        }
      });
      expect(report.engine).toBe(engine);
      const shares = told.filter(({ atMs }) => atMs >= raisedMs).map(({ facts }) => facts.share.last);
      const fallen = Math.min(...shares);
      expect(fallen).toBeLessThan(0.8);
      expect(Math.max(...shares.slice(shares.lastIndexOf(fallen)))).toBeGreaterThan(fallen);
      expect(report.governor!.rested).toContainEqual({ reason: 'latency', ms: expect.any(Number) });
      expect(report.governor!.p99_added_ms).toBeGreaterThan(20);
      counted(`a raised load, ${engine}: ${JSON.stringify(report.governor)}`);
    },
    60_000,
  );
});
