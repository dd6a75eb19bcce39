/**
 * A scan job whose process or whose server dies in its middle, on both engines: kill -9 of the command at random moments, a
 * server that is shut down or killed and comes back with its data, a disk that takes no more of the journal. Resumed, no
 * key is missed, none is done that the journal says is done, and the report counts what was done.
 */
import { randomInt } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OpsError } from '../../src/base/ops-error.ts';
import { Report } from '../../src/plan/report.ts';
import { type Ended, main, start } from '../cli/redops.ts';
import {
  type Engine,
  engineOf,
  engines,
  fill,
  jobOf,
  openRuns,
  type Runs,
  startBed,
  undone,
  urlOf,
} from '../support/job-bed.ts';
import { type TestServer, waitFor } from '../support/servers.ts';
import { count, counted } from './counts.ts';

const KEYS = 20_000;
/** Keys a second: the job takes a second. */
const RATE = 20_000;

let runs: Runs;
beforeEach(async () => {
  runs = await openRuns();
  return () => runs.remove();
});

const verbs = ['unlink', 'expire'] as const;
const kinds = engines.flatMap((engine) => verbs.map((verb) => ({ engine, verb })));
/** So many of the kinds, one after the other. */
const rounds = (many: number) =>
  Array.from({ length: many }, (_, at) => ({ number: at + 1, ...kinds[at % kinds.length]! }));

const quiet = ['--yes', '--json', '--no-progress'];
const argvOf = {
  unlink: ['batch', 'unlink', '--match', 'job:*', '--rate', String(RATE), ...quiet],
  expire: ['batch', 'expire', '--match', 'job:*', '--ttl', '1h', '--rate', String(RATE), ...quiet],
};
const report = ({ out }: Ended): Report => Report.parse(JSON.parse(out));

describe('a job that is killed (kill -9) at a random moment', () => {
  let server: TestServer;
  let landed = 0;
  let beside = 0;
  beforeAll(async () => {
    server = await startBed();
  });
  afterAll(async () => {
    counted(`${landed} kills between 1 % and 99 % of a job, each resumed; ${beside} beside that, checked and repeated`);
    await server.stop();
  });
  const env = (engine: Engine) => ({ env: { REDIS_URL: urlOf(server, engine), REDOPS_STATE: runs.dir } });

  async function killed(argv: readonly string[], engine: Engine, begun: () => Promise<boolean>, ms: number) {
    const { child, ended } = start(process.execPath, [main, ...argv], env(engine));
    let over = false;
    void ended.then(() => {
      over = true;
    });
    await waitFor('the job to begin', async () => over || (await begun()), 30_000);
    const timer = setTimeout(() => child.kill('SIGKILL'), ms);
    await ended;
    clearTimeout(timer);
    await sleep(50); // what was in the server's socket has run
  }

  it.each(rounds(count(100)))('is resumed to the exact state: $number, $engine, $verb', async (round) => {
    const { engine, verb, number } = round;
    for (let tries = 1; ; tries += 1) {
      expect(tries).toBeLessThan(20);
      await fill(server, KEYS);
      const id = async () => (await runs.id()) !== '' && (await undone(server, verb, KEYS)) < KEYS;
      await killed(argvOf[verb], engine, id, randomInt(0, (KEYS / RATE) * 1_000));
      const run = await runs.id();
      const share = (await runs.recorded(run)) / KEYS;
      // every fourth is killed again when it goes on
      if (number % 4 === 0) {
        const again = ['runs', 'resume', run, ...quiet];
        await killed(again, engine, async () => (await runs.recorded(run)) / KEYS > share, randomInt(0, 500));
      }
      const before = await undone(server, verb, KEYS);
      const recorded = await runs.recorded(run);
      if (verb === 'unlink') expect(KEYS - before).toBeGreaterThanOrEqual(recorded);
      const last = await runs.resume(urlOf(server, engine), run).catch((error: unknown) => error);
      if (before === 0 && last instanceof OpsError) expect(last.message).toContain('It has finished: succeeded');
      else mustBeExact(last as Report, round, recorded, before);
      expect(await undone(server, verb, KEYS)).toBe(0);
      if (share >= 0.01 && share <= 0.99) break;
      beside += 1;
      await runs.remove();
      runs = await openRuns();
    }
    landed += 1;
  });

  function mustBeExact(done: Report, { engine, verb }: (typeof kinds)[number], recorded: number, before: number) {
    // killed behind its last page, it had nothing left to work on
    const worked = before === 0 ? {} : engineOf(engine, verb);
    expect(done).toMatchObject({ status: 'succeeded', ...worked, verification: { complete: true } });
    expect(done.totals).toMatchObject({ failed: 0, unknown: 0 });
    expect(JSON.stringify(done.warnings)).toContain('without recording what was under way');
    // what was recorded, and what was left: what lay between had no record, and was found gone
    if (verb === 'unlink') expect(done.totals.changed).toBe(recorded + before);
    else {
      expect(done.totals.changed).toBeGreaterThanOrEqual(KEYS);
      // parts that are walked at once overlap by a page's end, which only the attempt that met both knows of
      expect(done.totals.changed).toBeLessThanOrEqual(done.engine === 'server' ? KEYS : KEYS * 1.01);
    }
  }
});

describe('a job whose server dies and comes back with its data', () => {
  let restarts = 0;
  afterAll(() => counted(`${restarts} restarts of a server in the middle of a job, each resumed`));

  const ways = ['is shut down', 'is killed'] as const;
  const cases = rounds(count(20)).map((round, at) => ({ ...round, way: ways[Math.floor(at / 4 + at) % 2]! }));

  it.each(cases)('is resumed to the exact state: $number, $engine, $verb, the server $way', async (round) => {
    const { engine, verb, way } = round;
    const data = await mkdtemp(join(tmpdir(), 'redops-data-'));
    const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    const args = ['--dir', data, ...(way === 'is killed' ? durable : [])];
    const first = await startBed({ args });
    await fill(first, KEYS);
    const at = randomInt(KEYS / 20, KEYS / 2);
    let met = 0;
    let coming: Promise<TestServer> | undefined;
    const restart = async () => {
      if (way === 'is killed') process.kill(first.pid, 'SIGKILL');
      else await first.cli('shutdown', 'save').catch(() => '');
      await first.stop();
      return startBed({ args, port: first.port });
    };
    const request = jobOf(verb, { limits: { rate: 50_000 }, retry: { max_retries: 1, base_ms: 5 } });
    const ended = await runs.apply(urlOf(first, engine), request, (event) => {
      if (event.kind !== 'page') return;
      met += event.totals.matched;
      if (met >= at) coming ??= restart();
    });
    const back = await coming!;
    expect(ended).toMatchObject({ status: 'failed', resume: { command: expect.stringContaining(ended.run_id) } });
    const before = await undone(back, verb, KEYS);
    expect(before).toBeGreaterThan(0);
    expect(KEYS - before).toBeGreaterThanOrEqual(await runs.recorded(ended.run_id));
    const done = await runs.resume(urlOf(back, engine), ended.run_id, { yes: true, sameData: true });
    // another process knows none of the cursors: everything is walked again, and counted from there
    expect(done).toMatchObject({ status: 'succeeded', ...engineOf(engine, verb), verification: { complete: true } });
    expect(done.totals).toMatchObject({ changed: verb === 'unlink' ? before : KEYS, failed: 0, unknown: 0 });
    expect(await undone(back, verb, KEYS)).toBe(0);
    await back.stop();
    await rm(data, { recursive: true, force: true });
    restarts += 1;
  });
});

describe('a job whose journal finds no more room', () => {
  let server: TestServer;
  let full = 0;
  let planBytes = 0;
  /** So many that the journal grows longer than the plan, however large its pages get. */
  const MANY = 5 * KEYS;
  beforeAll(async () => {
    server = await startBed();
    const own = await openRuns();
    await fill(server, MANY);
    await own.apply(server.url, jobOf('expire', { limits: { rate: RATE } }));
    planBytes = (await stat(join(own.dir, 'runs', await own.id(), 'plan.json'))).size;
    await own.remove();
  });
  afterAll(async () => {
    counted(`${full} times a journal without room`);
    await server.stop();
  });
  const env = (engine: Engine) => ({ env: { REDIS_URL: urlOf(server, engine), REDOPS_STATE: runs.dir } });
  /** The command, every file of which may have so many bytes (rounded to blocks of 512). */
  const within = (bytes: number, argv: readonly string[], engine: Engine) =>
    start(
      'sh',
      ['-c', `ulimit -f ${Math.floor(bytes / 512)} && exec "$0" "$@"`, process.execPath, main, ...argv],
      env(engine),
    ).ended;
  it.each(rounds(count(20)))(
    'stops, says so, and is resumed to the exact state: $number, $engine, $verb',
    async (round) => {
      const { engine, verb } = round;
      await fill(server, MANY);
      // the plan fits in, and some of the journal
      const ended = await within(planBytes + randomInt(512, 1_536), argvOf[verb], engine);
      expect(ended.status).toBe(1);
      const first = report(ended);
      expect(first.status).toBe('failed');
      expect(JSON.stringify(first.warnings)).toContain('EFBIG');
      const recorded = await runs.recorded(first.run_id);
      const before = await undone(server, verb, MANY);
      expect(before).toBeGreaterThan(0);
      if (verb === 'unlink') expect(MANY - before).toBe(first.totals.changed);
      // what was under way when the record failed, and nothing after it: of each part a page, and one that waited for its record
      expect(MANY - before - recorded).toBeLessThanOrEqual(50_000);
      const last = await runs.resume(urlOf(server, engine), first.run_id);
      expect(last).toMatchObject({ status: 'succeeded', ...engineOf(engine, verb), totals: { failed: 0, unknown: 0 } });
      if (verb === 'unlink') expect(last.totals.changed).toBe(recorded + before);
      expect(await undone(server, verb, MANY)).toBe(0);
      full += 1;
    },
  );

  it('from its first line on does not begin', async () => {
    await fill(server, 100);
    const ended = await within(512, argvOf.unlink, 'server');
    expect(report(ended)).toMatchObject({ status: 'failed', totals: { changed: 0 } });
    expect(ended.out).toContain('EFBIG');
    expect(await undone(server, 'unlink', 100)).toBe(100);
  });
});
