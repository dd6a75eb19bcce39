/** Files of commands of every format, from request to report, on a real server: what arrives is what the file says. */
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '../../src/agent.ts';
import { encodeCommands } from '../../src/formats/resp.ts';
import type { Event } from '../../src/plan/event.ts';
import { applied, faultOf, planOf, withAgent } from '../support/agent.ts';
import { startProxy, startServer, type TestServer } from '../support/servers.ts';

let server: TestServer;
let dir: string;
beforeAll(async () => {
  server = await startServer();
  dir = await mkdtemp(join(tmpdir(), 'redops-stream-'));
});
afterAll(async () => {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  await server.cli('flushall');
  await server.cli('config', 'set', 'maxmemory', '0');
});

const withFiles = <T>(use: (agent: Agent) => Promise<T>, settings: object = {}) =>
  withAgent(server.url, use, { filePath: (path) => resolve(dir, path), ...settings });
const pipe = (file: string, members: object = {}) => ({ operation_type: 'pipelining', file, ...members });
const put = (name: string, content: string | Buffer) => writeFile(join(dir, name), content);
const text = (name: string) => readFile(join(dir, name), 'utf8');
const lines = (count: number, of: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => `${of(index)}\n`).join('');

describe('formats', () => {
  it('streams text: comments, quotes, continuations, any bytes', async () => {
    await put(
      'a.redis',
      Buffer.from('# users\nSET k "a b"\n\nSET \\\n  l "\\xff\\x00"\r\nRPUSH q 1 2\nGET k\n', 'latin1'),
    );
    const report = await withFiles((agent) => applied(agent, pipe('a.redis')));
    expect(report).toMatchObject({
      status: 'succeeded',
      totals: { matched: 4, changed: 3, unchanged: 0, failed: 0, unknown: 0 },
      results: [],
      stream: { commands: 4 },
    });
    expect(await server.cli('get', 'k')).toBe('a b');
    expect(await server.cli('strlen', 'l')).toBe('2');
    expect(await server.cli('eval', "return redis.call('get', 'l') == '\\255\\0'", '0')).toBe('1');
  });

  it('streams the protocol form, with values that are no text', async () => {
    const value = Buffer.from([0xff, 0x0d, 0x0a, 0x00, 0x24]);
    await put(
      'b.resp',
      encodeCommands([
        ['SET', 'k', value],
        ['SADD', 's', 'a', 'b'],
        ['SADD', 's', 'a'],
      ]),
    );
    const report = await withFiles((agent) => applied(agent, pipe('b.resp')));
    expect(report.totals).toMatchObject({ matched: 3, changed: 2, unchanged: 1 });
    expect(await server.cli('strlen', 'k')).toBe('5');
    expect(await server.cli('scard', 's')).toBe('2');
  });

  it('streams csv and jsonl by a template', async () => {
    await put('users.csv', 'id,name\r\n1,"Ada, ""the"" first"\r\n2,Grace\r\n');
    await put('users.jsonl', '{"id":9007199254740993,"address":{"city":"Bern"},"name":"O\'Hara"}\n');
    const csv = pipe('users.csv', { each: 'HSET user:{{id}} name {{name}}' });
    const json = pipe('users.jsonl', { each: 'HSET user:{{id}} name "{{name}}" city {{address.city}}' });
    const reports = await withFiles(async (agent) => [await applied(agent, csv), await applied(agent, json)]);
    expect(reports.map(({ totals }) => totals.changed)).toEqual([2, 1]);
    expect(await server.cli('hget', 'user:1', 'name')).toBe('Ada, "the" first');
    expect(await server.cli('hget', 'user:9007199254740993', 'name')).toBe("O'Hara");
    expect(await server.cli('hget', 'user:9007199254740993', 'city')).toBe('Bern');
  });

  it('streams gzip, far beyond what was judged, in order, with totals on the way', async () => {
    const count = 60_000;
    await put('big.redis.gz', gzipSync(lines(count, (index) => `SET last ${index}`)));
    const pages: number[] = [];
    const watch = (event: Event) => event.kind === 'page' && pages.push(event.totals.changed);
    const report = await withFiles(async (agent) => {
      const plan = await planOf(agent, pipe('big.redis.gz'));
      expect(plan.target.sources).toMatchObject([{ basis: 'bound', low: expect.any(Number), sampled: 1_000 }]);
      expect(plan.target.sources![0]!.sample).toHaveLength(100);
      expect(plan.target.sources![0]!.high).toBeGreaterThanOrEqual(count);
      expect(plan.execution_plan.reasons.join()).toContain('Judged from the first 1,000 commands');
      return applied(agent, plan, { yes: true }, watch);
    });
    expect(report).toMatchObject({ status: 'succeeded', totals: { matched: count, changed: count } });
    expect(report.stream!.window.reason).toContain('balanced');
    expect(pages.reduce((sum, changed) => sum + changed, 0)).toBe(count);
    expect(await server.cli('get', 'last')).toBe(String(count - 1));
  });
});

describe('what was not applied', () => {
  it('is told with its line, kept in order, and can be sent again', async () => {
    await server.cli('set', 'text', 'x');
    await put('mixed.redis', 'SET a 1\nLPUSH text 1\nINCR text\n# note\nSET b "\\xff c"\nLPUSH text "2 \\x00"\n');
    await rm(join(dir, 'failed.redis'), { force: true });
    const request = pipe('mixed.redis', { failures_file: 'failed.redis' });
    const report = await withFiles((agent) => applied(agent, request));
    expect(report.status).toBe('partial');
    expect(report.totals).toMatchObject({ matched: 5, changed: 2, failed: 3 });
    expect(report.results.map(({ line, index, outcome, error }) => [line, index, outcome, error?.name])).toEqual([
      [2, 1, 'error', 'WRONGTYPE'],
      [3, 2, 'error', 'ERR'],
      [6, 4, 'error', 'WRONGTYPE'],
    ]);
    expect(report.stream!.failures).toEqual({ path: join(dir, 'failed.redis'), commands: 3 });
    expect(report.stream).not.toHaveProperty('unknown');
    const kept = await text('failed.redis');
    expect(kept).toContain('# mixed.redis:2: error E218 WRONGTYPE: WRONGTYPE');
    expect(kept.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([
      'LPUSH text 1',
      'INCR text',
      'LPUSH text "2 \\x00"',
    ]);
    await server.cli('del', 'text');
    const again = await withFiles((agent) => applied(agent, pipe('failed.redis')));
    expect(again.totals).toMatchObject({ matched: 3, changed: 2, failed: 1 });
    expect(await server.cli('lrange', 'text', '0', '-1')).toContain('1');
  });

  it('leaves no failures file when there are none, and never overwrites one', async () => {
    await put('good.redis', 'SET a 1\n');
    const report = await withFiles((agent) => applied(agent, pipe('good.redis', { failures_file: 'none.redis' })));
    expect(report.stream).not.toHaveProperty('failures');
    await expect(text('none.redis')).rejects.toThrow('ENOENT');
    await put('precious.redis', 'keep');
    const refused = await withFiles((agent) => applied(agent, pipe('good.redis', { failures_file: 'precious.redis' })));
    expect([refused.status, refused.totals.matched, await text('precious.redis')]).toEqual(['failed', 0, 'keep']);
  });

  it('is an outcome of its own when the memory ends half-way', async () => {
    const value = 'x'.repeat(10_000);
    await put(
      'oom.redis',
      lines(2_000, (index) => `SET k:${index} ${value}`),
    );
    const report = await withFiles(async (agent) => {
      const plan = await planOf(agent, pipe('oom.redis'));
      await server.cli('config', 'set', 'maxmemory', '8mb');
      return applied(agent, plan, { yes: true });
    });
    expect(report.status).toBe('partial');
    expect(report.errors[0]!.name).toBe('OOM');
    expect(report.totals.changed + report.totals.failed).toBe(2_000);
    expect(report.totals.changed).toBe(Number(await server.cli('dbsize')));
    expect(report.totals.changed).toBeGreaterThan(0);
  });
});

describe('a stream that ends early', () => {
  const tail = 12_000;

  it('settles what is in flight at a line that cannot be read, and says how to go on', async () => {
    const far = 60_000;
    const good = lines(far, (index) => `SET k:${index} v`);
    await put('bad.redis', `${good}SET k "open\nSET after 1\n`);
    const report = await withFiles((agent) => applied(agent, pipe('bad.redis')));
    expect(report.status).toBe('failed');
    expect(report.verification.complete).toBe(false);
    expect(report.totals.changed).toBe(far);
    expect(report.warnings).toContainEqual(expect.objectContaining({ code: 'TXT001', severity: 'error' }));
    expect(report.stream).toMatchObject({ commands: far, next: { line: far + 1 } });
    expect(report.stream!.next!.how).toContain(`tail -n +${far + 1}`);
    expect(await server.cli('dbsize')).toBe(String(far));
  });

  it('is refused while planning when the bad line is among the first', async () => {
    await put('early.redis', 'SET a 1\nSET k "open\n');
    const { plan, diagnostics } = await withFiles((agent) => agent.plan(pipe('early.redis')));
    expect(plan).toBeUndefined();
    expect(diagnostics).toMatchObject([{ code: 'TXT001', at: 'early.redis:2' }]);
    await put('wrong.redis', 'SET a 1\nGETT k\n');
    const wrong = await withFiles((agent) => agent.plan(pipe('wrong.redis')));
    expect(wrong.diagnostics).toMatchObject([{ code: 'CMD001', at: 'wrong.redis:2' }]);
    await put('empty.redis', '# nothing\n');
    const empty = await withFiles((agent) => agent.plan(pipe('empty.redis')));
    expect(empty.diagnostics).toMatchObject([{ code: 'REQ003', at: 'file' }]);
  });

  it.each([
    ['MULTI', 'SET', 'changes the connection'],
    ['DEL precious', 'SADD', 'can destroy data, and the plan that was approved destroys none'],
    ['FLUSHALL', 'SET', 'is an error (DEL003): it is sent only when accept names that code'],
    ['KEYS *', 'SET', 'is an error (KEY001): it is sent only when accept names that code'],
    ['CONFIG RESETSTAT', 'SET', 'is administration'],
    ['SET k v', 'TTL', 'writes, and the plan that was approved only reads'],
  ])('%s behind the judged commands is not sent', async (late, early, why) => {
    const command = { SET: 'SET k v', SADD: 'SADD k v', TTL: 'TTL k' }[early]!;
    await put('late.redis', `${lines(tail, () => command)}${late}\nSADD after 1\n`);
    await server.cli('set', 'precious', '1');
    const report = await withFiles((agent) => applied(agent, pipe('late.redis')));
    expect(report.status).toBe('failed');
    expect(report.stream).toMatchObject({ commands: tail, next: { line: tail + 1 } });
    expect(JSON.stringify(report.warnings)).toContain(why);
    expect(await server.cli('exists', 'precious', 'after')).toBe('1');
  });

  it('stops on Ctrl-C with every command settled', async () => {
    await put(
      'long.redis',
      lines(50_000, (index) => `SET k:${index} v`),
    );
    const stop = new AbortController();
    const watch = (event: Event) => event.kind === 'page' && stop.abort();
    const report = await withFiles((agent) =>
      applied(agent, pipe('long.redis', { limits: { rate: 20_000 } }), { yes: true, signal: stop.signal }, watch),
    );
    expect(report.status).toBe('interrupted');
    const done = report.totals.changed;
    expect(done).toBeLessThan(50_000);
    expect(await server.cli('dbsize')).toBe(String(done));
    expect(report.stream!.next!.line).toBe(done + 1);
  });
});

describe('a run whose events are not read to their end', () => {
  it('closes its connections and files', async () => {
    await put(
      'long.redis',
      lines(50_000, (index) => `SET k:${index} v`),
    );
    const clients = async () => (await server.cli('client', 'list', 'type', 'normal')).split('\n').length;
    await withFiles(async (agent) => {
      const before = await clients();
      const run = await agent.apply(pipe('long.redis', { limits: { rate: 5_000 } }), { yes: true });
      if (!('events' in run)) throw new Error('no run');
      for await (const event of run.events) if (event.kind === 'page') break;
      expect(await clients()).toBe(before);
      await expect(run.report).rejects.toThrow('not read to their end');
    });
  });
});

describe('exactly the file that was planned', () => {
  it('is what runs: another content, size or file is drift, and nothing is sent', async () => {
    await put('plan.redis', 'SET a 1\n');
    await withFiles(async (agent) => {
      const plan = await planOf(agent, pipe('plan.redis'));
      await put('plan.redis', 'SET a 2\n');
      expect((await faultOf(agent.apply(plan, { yes: true }) as Promise<never>)).code).toBe('drift');
      await appendFile(join(dir, 'plan.redis'), 'SET b 2\n');
      expect((await faultOf(agent.apply(plan, { yes: true }) as Promise<never>)).code).toBe('drift');
      await rm(join(dir, 'plan.redis'));
      expect((await faultOf(agent.apply(plan, { yes: true }) as Promise<never>)).code).toBe('usage');
    });
    expect(await server.cli('dbsize')).toBe('0');
  });

  it('is in the digest, and a plan document survives a round trip through JSON', async () => {
    await put(
      'same.redis',
      lines(300, (index) => `SADD s ${index}`),
    );
    await withFiles(async (agent) => {
      const plan = await planOf(agent, pipe('same.redis'));
      const report = await applied(agent, JSON.parse(JSON.stringify(plan)));
      expect(report.totals.changed).toBe(300);
      await put(
        'same.redis',
        lines(300, (index) => `SADD s ${index + 1}`),
      );
      expect((await planOf(agent, pipe('same.redis'))).digest).not.toBe(plan.digest);
      const forged = { ...plan, warnings: [{ ...plan.warnings[0], code: 'XXX' }] };
      await expect(agent.apply(forged, { yes: true })).rejects.toThrow();
    });
  });

  it('needs leave to name files', async () => {
    await put('x.redis', 'SET a 1\n');
    await withAgent(server.url, async (agent) => {
      expect((await faultOf(agent.plan(pipe('x.redis')))).code).toBe('usage');
    });
  });

  it('sends nothing that writes in a dry run', async () => {
    await put(
      'dry.redis',
      lines(3_000, (index) => `SET k:${index} v`),
    );
    const report = await withFiles((agent) =>
      applied(agent, pipe('dry.redis', { failures_file: 'dry.failed' }), { dryRun: true }),
    );
    expect(report).toMatchObject({ dry_run: true, status: 'succeeded', would_send: 3_000, results: [] });
    expect(await server.cli('dbsize')).toBe('0');
  });

  it('holds caps over the part that was not judged', async () => {
    await put(
      'caps.redis',
      lines(20_000, (index) => `SET k:${index} v`),
    );
    const plan = await withFiles((agent) => planOf(agent, pipe('caps.redis', { limits: { max_keys: 15_000 } })));
    expect(plan.warnings.map(({ code }) => code)).toContain('CAP001');
    await put('out.redis', `${lines(11_000, (index) => `SET in:${index} v`)}SET out:1 v\n`);
    const report = await withFiles((agent) => applied(agent, pipe('out.redis', { limits: { prefixes: ['in:'] } })));
    expect(report).toMatchObject({ status: 'failed', stream: { next: { line: 11_001 } } });
    expect(await server.cli('exists', 'out:1')).toBe('0');
  });
});

describe('large values', () => {
  it('are planned and sent in flat memory, and leave the plan small', async () => {
    const value = Buffer.alloc(1024 * 1024, 0xff);
    await put(
      'large.resp',
      Buffer.concat(Array.from({ length: 60 }, (_, at) => encodeCommands([['SET', `k${at}`, value]]))),
    );
    await withFiles(async (agent) => {
      const plan = await planOf(agent, pipe('large.resp'));
      const [facts] = plan.target.sources!;
      expect(facts!.sampled).toBeLessThan(30);
      expect(facts!.sample).toEqual([]);
      expect(facts!.high).toBeGreaterThanOrEqual(60);
      expect(JSON.stringify(plan).length).toBeLessThan(100_000);
      const report = await applied(agent, JSON.parse(JSON.stringify(plan)));
      expect(report).toMatchObject({ status: 'succeeded', totals: { changed: 60 } });
    });
    expect(await server.cli('strlen', 'k59')).toBe(String(1024 * 1024));
  });
});

describe('a connection that is lost on the way', () => {
  it('keeps what may have been applied apart from what was not, and counts each command once', async () => {
    const proxy = await startProxy(server.port);
    const count = 20_000;
    await put(
      'counts.redis',
      lines(count, () => 'INCR n'),
    );
    const request = pipe('counts.redis', { failures_file: 'counts.failed', retry: { max_retries: 20, base_ms: 2 } });
    let cut = false;
    const watch = (event: Event) => {
      if (event.kind !== 'page' || cut) return;
      cut = true;
      proxy.cutAfter(2_000);
    };
    const report = await withAgent(
      `redis://127.0.0.1:${proxy.port}`,
      (agent) => applied(agent, { ...request, limits: { rate: 20_000 } }, { yes: true }, watch),
      { filePath: (path) => resolve(dir, path) },
    ).finally(() => proxy.stop());
    const { changed, failed, unknown, matched } = report.totals;
    expect(cut).toBe(true);
    expect(unknown).toBeGreaterThan(0);
    const notSent = report.results.filter(({ outcome }) => outcome === 'not_sent').length;
    expect([matched, changed + failed + unknown + notSent]).toEqual([count, count]);
    const value = Number(await server.cli('get', 'n'));
    expect(value).toBeGreaterThanOrEqual(changed);
    expect(value).toBeLessThanOrEqual(changed + unknown);
    expect([report.status, report.stream!.unknown]).toEqual([
      'partial',
      { path: join(dir, 'counts.failed.unknown'), commands: unknown },
    ]);
    const kept = await text('counts.failed.unknown');
    expect(kept.split('\n').filter((line) => line === 'INCR n')).toHaveLength(unknown);
    expect(kept).toMatch(/^# Commands whose outcome is not known/);
    expect(kept).toMatch(/# counts\.redis:\d+: unknown E232 outcome_unknown/);
  });
});
