import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { somePlan } from '../test/cli/documents.ts';
import { systemClock } from './base/clock.ts';
import { OpsError } from './base/ops-error.ts';
import type { Event } from './plan/event.ts';
import type { Plan } from './plan/plan.ts';
import type { CommandStep } from './plan/step.ts';
import { noTotals } from './plan/totals.ts';
import { foldEvents } from './report/fold.ts';
import { cancelRun, listRuns, planToResume, pruneRuns, showRun } from './runs.ts';
import { openRun, type RunLog } from './state/runs.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redops-runs-'));
});
afterEach(() => rm(dir, { recursive: true }));

const begun = { target: 'cache', tag: 'dev', allowed_by: 'yes' } as const;
const open = (id: string, plan: Plan): Promise<RunLog> =>
  openRun(dir, id, plan, { ...begun, at_ms: 1_800_000_000_000, digest: plan.digest });
const page = (cursor: string) => ({
  kind: 'page',
  shard: '',
  cursor,
  last: cursor === '0',
  run_id: 'A',
  ...noTotals,
  scanned: 100,
  matched: 40,
  changed: 40,
  results: [],
});
const steps = (...kinds: Plan['execution_plan']['steps']): Plan => somePlan({ execution_plan: { steps: kinds } });
const unlink: CommandStep = { kind: 'command', argv: ['UNLINK', 'a'] };

/** A run that has a report of that status. */
async function ended(
  id: string,
  plan: Plan,
  status: 'succeeded' | 'partial' | 'failed' | 'interrupted',
  more: Event[] = [],
) {
  const log = await open(id, plan);
  const last: Event = { kind: 'run_finished', status, at_ms: 2 };
  await log.finish(foldEvents(plan, id, [...more, last]));
  await log.close();
}
const whyNot = (id: string): Promise<string> =>
  planToResume(dir, id).then(
    () => '',
    (error: unknown) => (error instanceof OpsError ? `${error.code}: ${error.message}` : String(error)),
  );

describe('runs', () => {
  it('are listed newest first, with what they do and how they stand', async () => {
    expect(await listRuns(dir)).toEqual([]);
    const plan = somePlan();
    await ended('20260101-000000-aaaaaa', plan, 'succeeded');
    await (await open('20260102-000000-bbbbbb', plan)).close();
    const running = await open('20260103-000000-cccccc', plan);
    const runs = await listRuns(dir);
    expect(runs.map(({ run_id, status }) => `${run_id.slice(-6)} ${status}`)).toEqual([
      'cccccc running',
      'bbbbbb interrupted',
      'aaaaaa succeeded',
    ]);
    expect(runs[0]).toMatchObject({ target: 'cache', started_at: '2027-01-15T08:00:00.000Z' });
    expect(runs[0]!.what).toContain('session:*');
    await running.close();
  });

  it('show what the journal has while there is no report: totals, parts, on whose word', async () => {
    const log = await open('r1', somePlan());
    await log.append({ kind: 'started', parts: 1 });
    await log.append(page('8'));
    await log.append(page('4'));
    await log.close();
    const { run, plan } = await showRun(dir, 'r1');
    expect(plan?.digest).toBe(run.plan_digest);
    expect(run).toMatchObject({
      status: 'interrupted',
      allowed_by: 'yes',
      totals: { scanned: 200, matched: 80, changed: 80 },
      progress: { attempts: 1, parts: 1, done: 0 },
      resume: { command: 'redops runs resume r1' },
    });
  });

  it('of jobs go on after a crash, Ctrl-C or a fault, and not after their end', async () => {
    const plan = somePlan();
    await (await open('killed', plan)).close();
    await ended('stopped', plan, 'interrupted');
    await ended('failed', plan, 'failed');
    expect([await whyNot('killed'), await whyNot('stopped'), await whyNot('failed')]).toEqual(['', '', '']);
    await ended('done', plan, 'succeeded');
    await ended('partly', plan, 'partial');
    expect(await whyNot('done')).toBe('refused: run done cannot be resumed. It has finished: succeeded.');
    expect(await whyNot('partly')).toContain('It ran to its end');
    const running = await open('running', plan);
    expect(await whyNot('running')).toContain(`process ${process.pid} works on it`);
    await running.close();
  });

  it('of other plans say why there is nothing to resume, and what there is', async () => {
    await ended('tx', steps({ kind: 'transaction', watch: [], reads: [], steps: [unlink] }), 'failed');
    await ended('pipe', steps({ kind: 'pipeline', batch_size: 1, steps: [unlink] }), 'interrupted');
    await ended('find', steps({ kind: 'scan', selection: { match: '*' }, count: 1, collect: 'keys' }), 'interrupted');
    const source = { path: 'f', format: 'text', gzip: false, bytes: 1, sha256: '0'.repeat(64) } as const;
    const stream = steps({ kind: 'stream', source });
    await (await open('cut', stream)).close();
    const next = { line: 7, how: 'cat f | tail -n +7 | redops pipe -' };
    const window = { depth: 1, round_trip_ms: 1, reason: '' };
    const facts: Event = { kind: 'streamed', facts: { commands: 6, per_second: 1, window, next } };
    await ended('stream', stream, 'interrupted', [facts]);
    expect(await whyNot('tx')).toContain('EXEC runs all of it or nothing');
    expect(await whyNot('pipe')).toContain('the report has the outcome of each');
    expect(await whyNot('find')).toContain('run it again');
    expect(await whyNot('cut')).toContain('left no report');
    expect(await whyNot('stream')).toContain('line 7 is the first that was not sent. cat f | tail -n +7');
    const twice = somePlan({ execution_plan: { idempotent: false } });
    await (await open('twice', twice)).close();
    expect(await whyNot('twice')).toContain('does not leave the same result twice');
  });

  it('that are not there are not found, and the nearest are named', async () => {
    await (await open('20260102-000000-bbbbbb', somePlan())).close();
    await (await open('20260103-000000-cccccc', somePlan())).close();
    await expect(showRun(dir, 'bbbb')).rejects.toMatchObject({
      code: 'usage',
      remedy: 'The nearest: 20260102-000000-bbbbbb.',
    });
    await expect(cancelRun(dir, '20260103-000000-ccccc')).rejects.toMatchObject({ code: 'usage' });
    await expect(showRun(dir, '20260102-000000-bbbbbc')).rejects.toMatchObject({
      remedy: expect.stringMatching(/^The nearest: 20260102-000000-bbbbbb, /),
    });
    await expect(showRun(join(dir, 'none'), '../..')).rejects.toMatchObject({ remedy: 'No run is kept there.' });
  });

  it('that were cancelled say so; those that have ended cannot be', async () => {
    await (await open('r1', somePlan())).close();
    expect(await cancelRun(dir, 'r1')).toMatchObject({ status: 'cancelled' });
    expect((await showRun(dir, 'r1')).run.resume).toEqual({ impossible: 'It was cancelled.' });
    await ended('r2', somePlan(), 'succeeded');
    await expect(cancelRun(dir, 'r2')).rejects.toMatchObject({ code: 'refused' });
  });

  it('are pruned when they are old and have ended; never one that runs or can go on', async () => {
    const plan = somePlan();
    await ended('done', plan, 'succeeded');
    await ended('young', plan, 'succeeded');
    await ended('resumable', plan, 'failed');
    const running = await open('running', plan);
    const old = (systemClock.now() - 3 * 86_400_000) / 1000;
    for (const id of ['done', 'resumable', 'running']) {
      const folder = join(dir, 'runs', id);
      for (const name of ['journal.jsonl', 'report.json', '.'])
        await utimes(join(folder, name), old, old).catch(() => undefined);
    }
    const names = async (remove: boolean) => (await pruneRuns(dir, 86_400_000, remove)).map(({ run_id }) => run_id);
    expect(await names(false)).toEqual(['done']);
    expect(await listRuns(dir)).toHaveLength(4);
    expect(await names(true)).toEqual(['done']);
    expect((await listRuns(dir)).map(({ run_id }) => run_id)).toEqual(['young', 'running', 'resumable']);
    await running.close();
  });
});
