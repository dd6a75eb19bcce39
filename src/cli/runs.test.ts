import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { somePlan } from '../../test/cli/documents.ts';
import { type FakeOptions, type Outcome, runFake, someEvents } from '../../test/cli/fake-io.ts';
import { noTotals } from '../plan/totals.ts';
import { foldEvents } from '../report/fold.ts';
import { openRun, type RunBegun } from '../state/runs.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redops-cli-runs-'));
});
afterEach(() => rm(dir, { recursive: true }));

const id = '20260102-030405-abcdef';
async function keep(runId = id, more: Partial<RunBegun> = {}): Promise<void> {
  const plan = somePlan();
  const begun = {
    at_ms: 1_767_322_800_000,
    digest: plan.digest,
    target: 'cache',
    tag: 'dev',
    allowed_by: 'yes',
  } as const;
  const log = await openRun(dir, runId, plan, { ...begun, ...more });
  await log.append({ kind: 'started', parts: 4 });
  const page = { kind: 'page', shard: '1/4', cursor: '0', last: true, run_id: 'A', results: [] };
  await log.append({ ...page, ...noTotals, scanned: 1_000, matched: 400, changed: 399, unchanged: 1 });
  await log.close();
}
const runs = (words: string, options: FakeOptions = {}): Promise<Outcome> =>
  runFake(['runs', ...words.split(' ')], {
    ...options,
    env: { REDIS_URL: 'redis://127.0.0.1:1', HOME: '/nowhere', REDOPS_STATE: dir, NO_COLOR: '1' },
  });
const terminal = { stdin: true, stdout: true, stderr: true };

describe('redops runs', () => {
  it('list has a line for each, whole where it is piped on', async () => {
    expect(await runs('list')).toMatchObject({ status: 0, out: '', err: 'No run is kept.\n' });
    await keep(id, { target: 'a-target-with-a-name-that-is-longer-than-most' });
    const { out } = await runs('list');
    expect(out).toContain(id);
    expect(out).toMatch(/interrupted {2}a-target-with-a-name-that-is-longer-than-most {2}.*session:\*/);
    const narrow = (await runs('list', { terminal: { stdout: true, columns: 80 } })).out;
    expect(Math.max(...narrow.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(JSON.parse((await runs('list --json')).out).runs).toEqual([
      {
        run_id: id,
        started_at: '2026-01-02T03:00:00.000Z',
        target: 'a-target-with-a-name-that-is-longer-than-most',
        what: expect.stringContaining('session:*'),
        status: 'interrupted',
      },
    ]);
  });

  it('pause and set steer a run in motion only, and say what is wrong with a limit', async () => {
    await keep();
    expect(await runs(`pause ${id}`)).toMatchObject({ status: 3, err: expect.stringContaining('is not in motion') });
    expect(await runs(`set ${id}`)).toMatchObject({ status: 2, err: expect.stringContaining('--rate or --slo') });
    expect(await runs(`set ${id} --rate fast`)).toMatchObject({ status: 2, err: expect.stringContaining('"fast"') });
    expect(await runs(`set ${id} --slo 70000`)).toMatchObject({ status: 2, err: expect.stringContaining('60000') });
    expect(await runs('pause nobody')).toMatchObject({ status: 2, err: expect.stringContaining('there is no run') });
    const plan = somePlan();
    const log = await openRun(dir, 'moving', plan, {
      at_ms: 0,
      digest: plan.digest,
      target: 'cache',
      tag: 'dev',
      allowed_by: 'yes',
    });
    expect((await runs('pause moving')).err).toContain('redops runs resume moving lets it go on');
    expect(await log.steering()).toEqual({ paused: true });
    expect((await runs('set moving --rate 500 --slo off --json')).out).toContain('"slo_p99_ms": null');
    expect((await runs('show moving')).out).toContain('steered   paused, at most 500/s, the SLO of its mode');
    expect((await runs('resume moving')).err).toContain('goes on, in the process that it was paused in');
    expect(await log.steering()).toEqual({ paused: false, rate: 500, slo_p99_ms: null });
    await log.close();
  });

  it('verify says what is left, and has a status of its own for it', async () => {
    const { status, out } = await runs(`verify ${id}`);
    expect(status).toBe(1);
    expect(out).toBe(
      [
        `Run ${id}: not verified`,
        '  walked again: 3 keys left, 1 of them named as not applied, 2 new since or',
        '  missed',
        '  such as session:1, session:2, session:3',
        '  2 of the keys match now as if nothing had been done: they are new since, or',
        '  were missed',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await runs(`verify ${id} --json`)).out)).toMatchObject({ run_id: id, walked: { left: 3 } });
  });

  it('show says what it did, where it stands, and the line to go on with, uncut', async () => {
    await keep();
    const { out, status } = await runs(`show ${id}`);
    expect(status).toBe(0);
    expect(out).toContain(`Run ${id}: interrupted`);
    expect(out).toContain('399 changed, 1 unchanged, 400 matched of 1,000 visited');
    expect(out).toContain('1 of 4 parts of the keyspace done');
    expect(out).toContain('approved by --yes');
    expect(out.split('\n')).toContain(`  go on     redops runs resume ${id}`);
    expect(JSON.parse((await runs(`show ${id} --json`)).out)).toMatchObject({ run_id: id, totals: { changed: 399 } });
    const none = await runs('show nothing --json');
    expect([none.status, JSON.parse(none.out).error.code]).toEqual([2, 'usage']);
  });

  it('resume runs the plan that was kept, with what is granted', async () => {
    await keep();
    const { status, resumed, applied, err } = await runs(`resume ${id} --yes --same-data`);
    expect(status).toBe(0);
    expect(resumed).toMatchObject([{ runId: id, yes: true, sameData: true }]);
    expect(applied).toEqual([]);
    expect(err).not.toContain('Plan:'); // nobody has to look at it again
  });

  it('resume shows the plan and asks at a terminal, without one it needs a word', async () => {
    await keep();
    const asked = await runs(`resume ${id}`, { terminal, answers: ['y'] });
    expect(asked.err).toContain('Plan: ');
    expect(asked.resumed.map(({ yes }) => yes)).toEqual([false, true]);
    expect(asked.status).toBe(0);
    expect((await runs(`resume ${id}`)).status).toBe(3);
  });

  it('resume does not ask for the name again that somebody typed for the run', async () => {
    await keep('yes');
    await keep('named', { allowed_by: 'typed_name' });
    const asks = async (run: string): Promise<readonly string[]> =>
      (await runs(`resume ${run}`, { terminal, tag: 'production', answers: ['n'] })).asked;
    expect(await asks('yes')).toEqual([expect.stringContaining("Type the target's name")]);
    expect(await asks('named')).toEqual([expect.stringContaining('[y/N]')]);
  });

  it('resume asks no server where there is nothing to resume', async () => {
    expect(await runs(`resume ${id} --yes --json`)).toMatchObject({ status: 2, settings: [] });
    const log = await openRun(dir, id, somePlan(), {
      at_ms: 1,
      digest: '',
      target: 'cache',
      tag: 'dev',
      allowed_by: 'yes',
    });
    await log.finish(foldEvents(somePlan(), id, someEvents));
    await log.close();
    const { status, out, settings, err } = await runs(`resume ${id} --yes --json`);
    expect({ status, settings }).toEqual({ status: 3, settings: [] });
    expect(JSON.parse(out)).toMatchObject({ status: 'refused', totals: { changed: 0 } });
    expect(err).toContain('It has finished: succeeded');
  });

  it('cancel and prune say what they did', async () => {
    await keep();
    expect((await runs('prune --older-than 1d')).err).toBe('Would remove 0 runs.\n');
    expect((await runs(`cancel ${id}`)).err).toBe(`Run ${id} is cancelled: it cannot be resumed any more.\n`);
    const told = await runs('prune --older-than 0s');
    expect(told).toMatchObject({ status: 0, out: expect.stringContaining(id) });
    expect(told.err).toBe('Would remove 1 run: --yes removes them.\n');
    expect(JSON.parse((await runs('prune --older-than 0s --yes --json')).out)).toMatchObject({
      removed: true,
      runs: [{ run_id: id, status: 'cancelled' }],
    });
    expect((await runs('prune --older-than soon')).status).toBe(2);
    expect((await runs('list')).err).toBe('No run is kept.\n');
  });
});
