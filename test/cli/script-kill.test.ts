/** redops script kill as a process: what it asks for on dev and production, and what it says where no script runs. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Report } from '../../src/plan/report.ts';
import { startServer, type TestServer } from '../support/servers.ts';
import { type Ended, redops } from './redops.ts';

// a server each: a data set that was met as production counts as production under every name
let dev: TestServer;
let shop: TestServer;
let dir: string;
beforeAll(async () => {
  [dev, shop] = await Promise.all([startServer(), startServer()]);
  dir = await mkdtemp(join(tmpdir(), 'redops-kill-'));
  const targets = [`dev: { url: "${dev.url}", tag: dev }`, `shop: { url: "${shop.url}", tag: production }`];
  await writeFile(join(dir, 'redops.yaml'), `targets:\n${targets.map((line) => `  ${line}\n`).join('')}`);
});
afterAll(async () => {
  await Promise.all([dev.stop(), shop.stop(), rm(dir, { recursive: true, force: true })]);
});

const kill = (line: string): Promise<Ended> =>
  redops(['script', 'kill', ...line.split(' ')], { cwd: dir, env: { REDOPS_STATE: join(dir, 'state') } });
const reportOf = ({ out }: Ended): Report => Report.parse(JSON.parse(out));
/** How often the server was told to end a script. */
const kills = async (server: TestServer): Promise<number> => {
  const line = (await server.cli('INFO', 'commandstats'))
    .split('\n')
    .find((one) => /^cmdstat_script(\|kill)?:/.test(one));
  return Number(/calls=(\d+)/.exec(line ?? '')?.[1] ?? 0);
};

test('asks on dev, where --yes approves it', async () => {
  const asked = await kill('--target dev --json');
  expect([asked.status, reportOf(asked).status]).toEqual([3, 'needs_approval']);
  expect(await kills(dev)).toBe(0);
  const done = await kill('--target dev --json --yes');
  expect(done.status).toBe(0);
  expect(reportOf(done)).toMatchObject({
    status: 'succeeded',
    totals: { changed: 0, unchanged: 1, failed: 0, unknown: 0 },
    results: [{ argv: ['SCRIPT', 'KILL'], outcome: 'ok', reply: 'no script is running' }],
    errors: [],
  });
  expect(await kills(dev)).toBe(1);
});

test('says in words that nothing ran', async () => {
  const { status, out } = await kill('--target dev --yes');
  expect(status).toBe(0);
  expect(out).toContain('no script is running');
});

test('asks on production, where --yes does not approve it, and sends nothing', async () => {
  const waiting = await kill('--target shop --json --yes');
  expect([waiting.status, reportOf(waiting).status]).toEqual([3, 'needs_approval']);
  expect(await kills(shop)).toBe(0);
});
