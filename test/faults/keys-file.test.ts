/**
 * A job over a file of keys that was killed with SIGKILL at random moments goes on where its journal says: no key of the
 * file is missed, none beside it is touched, what the report counts is what was done; and only with the same file.
 * REDOPS_KILLS sets how often.
 */
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Report } from '../../src/plan/report.ts';
import { JournalReader, type JournalRecord } from '../../src/state/journal.ts';
import { type Ended, main, redops, start } from '../cli/redops.ts';
import { startServer, type TestServer, waitFor } from '../support/servers.ts';

const KILLS = Number(process.env.REDOPS_KILLS ?? 4);
const KEYS = 20_000;
/** In the file; those behind them are on the server only. */
const LISTED = 15_000;

let server: TestServer;
let dir: string;
let file: string;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redops-keys-'));
  file = join(dir, 'keys.txt');
  await writeFile(file, keysText());
  await server.cli('flushall');
  await server.cli('eval', `for i = 1, ${KEYS} do redis.call('set', 'job:' .. i, i) end`, '0');
  return () => rm(dir, { recursive: true, force: true });
});

/** Every 50th line needs quotes, and names no key. */
function keysText(): string {
  return Array.from({ length: LISTED }, (_, at) => `job:${at + 1}\n${at % 50 === 0 ? `"no ${at}"\n` : ''}`).join('');
}
const LINES = LISTED + LISTED / 50;

const state = () => ({ env: { REDIS_URL: server.url, REDOPS_STATE: join(dir, 'state') } });
const runs = () => join(dir, 'state', 'runs');
const onlyRun = async (): Promise<string> => (await readdir(runs()).catch(() => []))[0] ?? '';
const report = ({ out }: Ended): Report => Report.parse(JSON.parse(out));
const resumed = (id: string) => redops(['runs', 'resume', id, '--yes', '--json', '--no-progress'], state());
const left = async (): Promise<number> => Number(await server.cli('dbsize')) - (KEYS - LISTED);
const withoutDeadline = async (): Promise<number> =>
  Number(
    await server.cli(
      'eval',
      `local n = 0 for i = 1, ${LISTED} do if redis.call('pttl', 'job:' .. i) == -1 then n = n + 1 end end return n`,
      '0',
    ),
  );

async function journalOf(id: string): Promise<JournalRecord[]> {
  const records: JournalRecord[] = [];
  const bytes = await readFile(join(runs(), id, 'journal.jsonl')).catch(() => Buffer.alloc(0));
  new JournalReader(id, (one) => records.push(one)).read(bytes);
  return records;
}
const pagesOf = (records: readonly JournalRecord[]) => records.filter(({ kind }) => kind === 'page');
const sum = (pages: readonly JournalRecord[], name: string): number =>
  pages.reduce((total, page) => total + Number(page[name]), 0);

async function killed(argv: readonly string[], ms: number, begun?: () => Promise<boolean>): Promise<void> {
  const { child, ended } = start(process.execPath, [main, ...argv], state());
  let over = false;
  void ended.then(() => {
    over = true;
  });
  if (begun) await waitFor('the job to begin', async () => over || (await begun()), 30_000);
  const timer = setTimeout(() => child.kill('SIGKILL'), ms);
  await ended;
  clearTimeout(timer);
}

const RATE = ['--rate', '12000', '--yes', '--json', '--no-progress'];
const jobs = {
  unlink: () => ['batch', 'unlink', '--keys-file', file, ...RATE],
  expire: () => ['batch', 'expire', '--keys-file', file, '--without-ttl', '--ttl', '1h', ...RATE],
};

describe('a job over a file of keys that was killed', () => {
  it.each(
    Array.from({ length: KILLS }, (_, at) => ({
      number: at + 1,
      verb: at % 2 ? ('expire' as const) : ('unlink' as const),
    })),
  )(
    'goes on at the key that its journal says, and ends with exactly the keys of the file done: $verb, $number',
    async ({ verb, number }) => {
      const touched = async () =>
        (await left()) < LISTED || !(await server.cli('info', 'keyspace')).includes('expires=0');
      if (number % 3 === 0) await killed(jobs[verb](), randomInt(100, 4_000));
      else await killed(jobs[verb](), randomInt(0, 1_000), touched);
      const id = await onlyRun();
      if (id !== '') await killed(['runs', 'resume', id, '--yes', '--json', '--no-progress'], randomInt(300, 1_500));
      await sleep(100); // what was in the server's socket has run
      const undone = verb === 'unlink' ? left : withoutDeadline;
      const before = await undone();
      const pages = pagesOf(await journalOf(id));
      if (id === '' || !existsSync(join(runs(), id, 'plan.json'))) {
        expect(before).toBe(LISTED);
        return;
      }
      expect(sum(pages, 'changed')).toBeLessThanOrEqual(LISTED - before);
      if (pages.at(-1)?.last === true) {
        expect(before).toBe(0);
        return;
      }
      const cursor = Number(pages.at(-1)?.cursor ?? 0);
      expect(sum(pages, 'scanned')).toBe(cursor);
      const last = await resumed(id);
      expect({ status: last.status, err: last.err }).toEqual({ status: 0, err: '' });
      const { totals, status } = report(last);
      expect(status).toBe('succeeded');
      // what was recorded, and what was left: the rest was done by pages that were killed before their record
      expect(totals).toMatchObject({ changed: sum(pages, 'changed') + before, scanned: LINES, failed: 0, unknown: 0 });
      const more = pagesOf(await journalOf(id)).slice(pages.length);
      expect(sum(more, 'scanned')).toBe(LINES - cursor);
      expect(await undone()).toBe(0);
      // the keys that are not in the file are as they were
      expect(await server.cli('dbsize')).toBe(String(verb === 'unlink' ? KEYS - LISTED : KEYS));
      if (verb === 'expire') {
        const expires = /expires=(\d+)/.exec(await server.cli('info', 'keyspace'))?.[1];
        expect(expires).toBe(String(LISTED));
      }
    },
    120_000,
  );

  it('goes on only with the file that it began with', async () => {
    await killed(jobs.unlink(), 100, async () => (await left()) < LISTED - 2_000);
    const id = await onlyRun();
    const before = await left();
    expect(before).toBeGreaterThan(0);
    await writeFile(file, `${keysText()}job:${LISTED + 1}\n`);
    const other = await resumed(id);
    expect([other.status, JSON.stringify([other.out, other.err])]).toEqual([3, expect.stringContaining('not the one')]);
    await rm(file);
    expect((await resumed(id)).status).not.toBe(0);
    expect(await left()).toBe(before);
    await writeFile(file, keysText());
    expect((await resumed(id)).status).toBe(0);
    expect(await left()).toBe(0);
  }, 120_000);
});
