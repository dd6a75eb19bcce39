/** Jobs over a file of keys: what is counted, sampled and acted on, and what is refused before anything is sent. */
import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '../../src/agent.ts';
import { connectTarget } from '../../src/redis/connect.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { planText } from '../../src/report/plan-text.ts';
import { applied, faultOf, planOf, withAgent } from '../support/agent.ts';
import { matrix, startCluster, startServer, type TestServer, waitFor } from '../support/servers.ts';

const unlink = { action: 'unlink' };
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redops-keys-'));
  return () => rm(dir, { recursive: true, force: true });
});

/** A file of these keys; its name as a request has it. */
async function fileOf(content: string | Buffer | readonly string[], name = 'keys.txt'): Promise<string> {
  const text = typeof content === 'string' || Buffer.isBuffer(content) ? content : `${content.join('\n')}\n`;
  await writeFile(join(dir, name), text);
  return name;
}

const names = (count: number, from = 1): string[] => Array.from({ length: count }, (_, at) => `k:${from + at}`);
const batch = (keys_file: string, more: object = {}) => ({
  operation_type: 'batch',
  select: { keys_file, ...more },
  do: unlink,
});
const settings = () => ({ filePath: (path: string) => join(dir, path) });

describe.each(matrix())('on %s', (version) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(version === undefined ? {} : { version });
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    await server.cli('flushall');
  });

  const within = <T>(use: (agent: Agent) => Promise<T>) => withAgent(server.url, use, settings());
  const run = (request: unknown) => within((agent) => applied(agent, request));
  const size = async () => Number(await server.cli('dbsize'));
  const fill = (count: number) => server.cli('eval', `for i = 1, ${count} do redis.call('SET', 'k:' .. i, i) end`, '0');

  it('acts on the keys of the file and on no others, awkward ones too, plain and gzip', async () => {
    for (const packed of [false, true]) {
      await fill(2_500);
      await server.cli('set', 'a b', '1');
      await server.cli('eval', "redis.call('SET', 'a\\0b', 1) redis.call('SET', '#1', 1)", '0');
      const text = `#1\n"a b"\n"a\\x00b"\n\n${names(2_000).join('\r\n')}\r\nmissing`;
      const file = await fileOf(packed ? gzipSync(text) : text, packed ? 'keys.gz' : 'keys.txt');
      const plan = await within((agent) => planOf(agent, batch(file)));
      expect(plan.execution_plan.estimate).toMatchObject({ basis: 'counted', keys: 2_004, low: 2_004, high: 2_004 });
      expect(plan.target.selections[0]?.listed).toEqual({
        keys: 2_004,
        repeated: 0,
        asked: 2_004,
        existing: 2_003,
        low: 2_003,
        high: 2_003,
      });
      expect(plan.commands.map(({ argv }) => argv[0])).toEqual(['UNLINK']);
      expect(plan.execution_plan).toMatchObject({ strategy: 'scan_job', destructive: true });
      const report = await run(batch(file));
      expect(report).toMatchObject({
        status: 'succeeded',
        totals: { scanned: 2_004, matched: 2_004, changed: 2_003, unchanged: 1, failed: 0, unknown: 0 },
      });
      expect(await size()).toBe(500);
      expect(await server.cli('exists', 'k:2001', 'k:2500')).toBe('2');
    }
  });

  it('counts a key that stands there twice once, and says that it does', async () => {
    await fill(10);
    const file = await fileOf([...names(10), ...names(5)]);
    const plan = await within((agent) => planOf(agent, batch(file)));
    expect(plan.execution_plan.estimate).toMatchObject({ basis: 'bound', low: 10, high: 15 });
    expect(planText(plan)).toContain('15 keys (5 of them stand in it once more)');
    expect((await run(batch(file))).totals).toMatchObject({ changed: 10, failed: 0 });
  });

  it('takes the filters and the type, looks again where it acts, and gives deadlines', async () => {
    await fill(30);
    await server.cli('eval', "for i = 1, 10 do redis.call('EXPIRE', 'k:' .. i, 1000) end", '0');
    await server.cli('rpush', 'list', 'a');
    const file = await fileOf([...names(20), 'list', 'missing']);
    const filtered = batch(file, { ttl: 'none', type: 'string' });
    const plan = await within((agent) => planOf(agent, filtered));
    expect(plan.execution_plan.estimate).toMatchObject({ basis: 'counted', keys: 10 });
    expect((await run({ ...filtered, do: { action: 'expire', ttl: '1h' } })).totals).toMatchObject({
      matched: 10,
      changed: 10,
    });
    expect((await run({ ...batch(file), do: { action: 'persist' } })).totals).toMatchObject({
      changed: 20,
      unchanged: 2,
    });
    expect((await run({ ...batch(file, { type: 'list' }), do: { action: 'touch' } })).totals).toMatchObject({
      changed: 1,
    });
    const named = { operation_type: 'key_management', action: 'delete', keys_file: file, type: 'list' };
    expect((await run(named)).totals).toMatchObject({ matched: 1, changed: 1 });
    const expiring = { operation_type: 'expiration', action: 'set', keys_file: file, ttl: '2h' };
    expect((await run(expiring)).totals).toMatchObject({ matched: 22, changed: 20, unchanged: 2 });
    expect(await size()).toBe(30);
    expect(Number(await server.cli('pttl', 'k:30'))).toBe(-1);
  });

  it('leaves alone a key that becomes one of another type between the look and the act', async () => {
    await fill(300);
    const request = { ...batch(await fileOf(names(300)), { type: 'string' }), limits: { rate: 150 } };
    const running = run(request);
    await waitFor('the first unlink', async () => (await size()) < 300);
    const kept = await server.cli(
      'eval',
      "local n = 0 for _, key in ipairs(redis.call('KEYS', 'k:*')) do redis.call('DEL', key) redis.call('RPUSH', key, 1) n = n + 1 end return n",
      '0',
    );
    const { totals } = await running;
    expect(Number(kept)).toBeGreaterThan(100);
    expect(await server.cli('dbsize')).toBe(kept);
    expect(totals).toMatchObject({ changed: 300 - Number(kept), failed: 0, unknown: 0 });
  });

  it('samples a long file: the interval holds what is true, and the run acts on all of it', async () => {
    await fill(60_000);
    const file = await fileOf(names(120_000));
    const request = batch(file);
    const plan = await within((agent) => planOf(agent, request));
    const listed = plan.target.selections[0]?.listed;
    expect(plan.execution_plan.estimate).toMatchObject({ basis: 'counted', keys: 120_000 });
    expect(listed).toMatchObject({ keys: 120_000, asked: 6_400 });
    // four standard errors wide enough for a run in ten thousand
    expect(Math.abs((listed?.existing ?? 0) - 60_000)).toBeLessThan(3_500);
    expect(listed?.low).toBeLessThan(listed?.existing ?? 0);
    expect(planText(plan)).toContain('at most so many');
    const filtered = await within((agent) => planOf(agent, batch(file, { ttl: 'none' })));
    expect(filtered.execution_plan.estimate).toMatchObject({ basis: 'sampled' });
    expect((await run(request)).totals).toMatchObject({ matched: 120_000, changed: 60_000, unchanged: 60_000 });
    expect(await size()).toBe(0);
  }, 60_000);

  it('keeps the caps and the prefixes', async () => {
    await fill(100);
    const file = await fileOf([...names(50), 'other:1']);
    const many = await run({ ...batch(file), limits: { max_keys: 20 } });
    expect(many).toMatchObject({ status: 'refused', warnings: [{ code: 'CAP001' }] });
    const percent = await run({ ...batch(file), limits: { max_percent: 10 } });
    expect(percent).toMatchObject({ status: 'refused' });
    const outside = await run({ ...batch(file), limits: { prefixes: ['k:'] } });
    expect(outside.status).toBe('refused');
    expect(outside.warnings[0]).toMatchObject({
      code: 'CAP003',
      message: expect.stringContaining('other:1 (keys.txt:51)'),
    });
    expect(await size()).toBe(100);
    const inside = await run({ ...batch(file), limits: { prefixes: ['k:', 'other:'], max_keys: 51 } });
    expect(inside).toMatchObject({ status: 'succeeded', totals: { changed: 50 } });
  });

  it('names the line that is no key, and sends nothing', async () => {
    await fill(10);
    const file = await fileOf('k:1\nk:2\nk 3\n');
    const { plan, diagnostics } = await within((agent) => agent.plan(batch(file)));
    expect(plan).toBeUndefined();
    expect(diagnostics).toMatchObject([
      { code: 'TXT001', at: 'keys.txt:3', span: { file: 'keys.txt', line: 3 }, fix: expect.stringContaining('"a b"') },
    ]);
    const cut = await fileOf(gzipSync(names(5_000).join('\n')).subarray(0, 4_000), 'cut.gz');
    const missing = await Promise.all(
      [cut, 'nowhere.txt', await fileOf('\n\n', 'empty.txt')].map((one) => within((agent) => agent.plan(batch(one)))),
    );
    expect(missing.map((one) => one.diagnostics[0]?.code)).toEqual(['TXT001', 'REQ003', 'REQ003']);
    expect(missing[0]?.diagnostics[0]?.message).toContain('too early');
    expect(missing[1]?.diagnostics[0]?.at).toBe('select.keys_file');
    expect(await size()).toBe(10);
  });

  it('runs a plan only on the file that it was made for', async () => {
    await fill(100);
    const file = await fileOf(names(50));
    await within(async (agent) => {
      const plan = await planOf(agent, batch(file));
      const document = JSON.parse(JSON.stringify(plan)) as unknown;
      await appendFile(join(dir, file), 'k:51\n');
      expect(await faultOf(applied(agent, document))).toMatchObject({ code: 'drift' });
      expect(await size()).toBe(100);
      await fileOf(names(50));
      const report = await applied(agent, document);
      expect(report).toMatchObject({ plan_digest: plan.digest, totals: { changed: 50 } });
    });
  });

  it('ends when the file is replaced while it runs, before it reads on', async () => {
    await fill(5_000);
    const file = await fileOf(names(5_000));
    const request = { ...batch(file), limits: { rate: 2_000 }, performance_mode: 'latency_optimized' };
    const running = run(request);
    await waitFor('the first unlink', async () => (await size()) < 5_000);
    await fileOf(names(5_000, 10_000), 'other.txt');
    await rename(join(dir, 'other.txt'), join(dir, file));
    const report = await running;
    expect(report).toMatchObject({ status: 'failed', verification: { complete: false } });
    expect(report.verification.unproven.join()).toContain('its content has changed');
    expect(report.totals.changed).toBeGreaterThan(0);
    expect(await size()).toBe(5_000 - report.totals.changed);
  });

  it('sends nothing in a dry run, and says how many commands it would send', async () => {
    await fill(100);
    const request = batch(await fileOf(names(120)));
    const report = await within((agent) => applied(agent, request, { yes: true, dryRun: true }));
    expect(report).toMatchObject({ dry_run: true, would_send: 120 });
    expect(await size()).toBe(100);
  });

  it('runs for a user who has what the plan says that it needs, without SCAN', async () => {
    await fill(20);
    const request = batch(await fileOf(names(20)), { ttl: 'none' });
    const plan = await within((agent) => planOf(agent, request));
    expect(plan.execution_plan.permissions).not.toContain('+scan');
    const rules = plan.execution_plan.permissions.filter((rule) => !rule.includes('no-touch'));
    await server.cli('acl', 'setuser', 'bob', 'on', '>pw', ...rules);
    const url = server.url.replace('redis://', 'redis://bob:pw@');
    const report = await withAgent(url, (agent) => applied(agent, { ...request, accept: ['SEC002'] }), settings());
    expect(report.totals).toMatchObject({ changed: 20, failed: 0 });
  });
});

describe('on a cluster', () => {
  it('sends each key to its own node', async () => {
    const cluster = await startCluster();
    const direct = await connectTarget(parseUrl(cluster.url));
    try {
      const keys = names(3_000);
      await Promise.all(keys.map((key, at) => direct.send(['SET', key, 'x', ...(at % 3 === 0 ? ['EX', '1000'] : [])])));
      const file = await fileOf([...keys.slice(0, 2_000), 'missing']);
      const both = [batch(file, { ttl: 'any' }), batch(file)];
      const changed: number[] = [];
      await withAgent(
        cluster.url,
        async (agent) => {
          for (const request of both) {
            const report = await applied(agent, request, { yes: true, typedName: agent.target.name });
            expect(report).toMatchObject({ status: 'succeeded', totals: { failed: 0, unknown: 0 } });
            changed.push(report.totals.changed);
          }
        },
        settings(),
      );
      expect(changed).toEqual([667, 1_333]);
      const there = await Promise.all(keys.map((key) => direct.send(['EXISTS', key])));
      expect(there).toEqual(keys.map((_, at) => (at < 2_000 ? 0 : 1)));
    } finally {
      await direct.close();
      await cluster.stop();
    }
  }, 60_000);
});
