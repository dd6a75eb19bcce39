/** redops pipe and keys find --export as processes: what goes in, what comes out, what stays on disk, and the status. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Plan } from '../../src/plan/plan.ts';
import { Report } from '../../src/plan/report.ts';
import { startServer, type TestServer, waitFor } from '../support/servers.ts';
import { type CallOptions, type Ended, main, redops, start } from './redops.ts';

let server: TestServer;
let dir: string;
let temporary: string;
beforeAll(async () => {
  server = await startServer();
  dir = await mkdtemp(join(tmpdir(), 'redops-streams-'));
  temporary = join(dir, 'tmp');
  await mkdir(temporary);
});
afterAll(() => rm(dir, { recursive: true, force: true }));
beforeEach(() => server.cli('FLUSHALL'));

const env = () => ({ REDIS_URL: server.url, REDOPS_STATE: join(dir, 'state'), TMPDIR: temporary });
const run = (argv: readonly string[], options: CallOptions = {}): Promise<Ended> =>
  redops(argv, { cwd: dir, ...options, env: { ...env(), ...options.env } });
const reportOf = ({ out }: Ended): Report => Report.parse(JSON.parse(out));
const put = (name: string, content: string | Uint8Array) => writeFile(join(dir, name), content);
const lines = (count: number, of: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => `${of(index)}\n`).join('');

describe('redops pipe', () => {
  it('sends standard input, and leaves nothing of it behind', async () => {
    const input = lines(30_000, (index) => `SADD s ${index}`);
    const ended = await run(['pipe', '-', '--yes', '--json'], { input });
    expect([ended.status, ended.err]).toEqual([0, '']);
    expect(reportOf(ended).totals).toMatchObject({ matched: 30_000, changed: 30_000 });
    expect(await server.cli('SCARD', 's')).toBe('30000');
    expect(await readdir(temporary)).toEqual([]);
  });

  it('takes gzip by its bytes, whatever it is called, and rows by a template', async () => {
    const csv = gzipSync('id,name\n1,"Ada L"\n2,Grace\n');
    const each = ['--format', 'csv', '--each', 'HSET user:{{id}} name {{name}}'];
    const ended = await run(['pipe', '-', '--yes', ...each], { input: csv });
    expect([ended.status, ended.err]).toEqual([0, '']);
    expect(await server.cli('HGET', 'user:1', 'name')).toBe('Ada L');
    expect(ended.out).toContain('streamed     2 commands');
    expect(ended.out).toMatch(/window +\d+ in flight, round trip/);
  });

  it('writes what failed to a file that it sends again, and says 4', async () => {
    await server.cli('SET', 'taken', 'x');
    await put('mixed.redis', 'SADD taken 1\nSADD free "a b"\nSADD taken "\\xff"\n');
    const ended = await run(['pipe', 'mixed.redis', '--failures', 'failed.redis', '--yes']);
    expect(ended.status).toBe(4);
    expect(ended.out).toContain(`failures     2 commands in ${join(dir, 'failed.redis')}`);
    expect(await readFile(join(dir, 'failed.redis'), 'utf8')).toContain('SADD taken "\\xff"\n');
    await server.cli('DEL', 'taken');
    expect((await run(['pipe', 'failed.redis', '--yes'])).status).toBe(0);
    expect(await server.cli('SCARD', 'taken')).toBe('2');
    expect(await server.cli('SCARD', 'free')).toBe('1');
    const again = await run(['pipe', 'mixed.redis', '--failures', 'failed.redis', '--yes', '--json']);
    expect([again.status, reportOf(again).totals.matched]).toEqual([1, 0]);
  });

  it('stops at a line that cannot be read with 1, and the line to go on from', async () => {
    const good = 60_000;
    await put('torn.redis', `${lines(good, (index) => `SADD s ${index}`)}SADD s "torn\nSADD s last\n`);
    const ended = await run(['pipe', 'torn.redis', '--yes']);
    expect(ended.status).toBe(1);
    expect(ended.out).toContain(`cat torn.redis | tail -n +${good + 1} | redops pipe -`);
    expect(await server.cli('SCARD', 's')).toBe(String(good));
  });

  it('refuses while planning with 2 what it can see from the start, and with 3 what nobody approved', async () => {
    await put('wrong.redis', 'SADD s 1\nSADDD s 1\n');
    const wrong = await run(['pipe', 'wrong.redis', '--yes', '--json']);
    expect([wrong.status, reportOf(wrong).warnings[0]?.at]).toEqual([2, 'wrong.redis:2']);
    await put('set.redis', 'SET a 1\n');
    expect((await run(['pipe', 'set.redis'])).status).toBe(3);
    expect((await run(['pipe', 'none.redis', '--yes'])).status).toBe(2);
    expect((await run(['pipe', 'set.redis', '--each', 'DEL {{a}}', '--yes'])).status).toBe(2);
    expect(await server.cli('DBSIZE')).toBe('0');
  });

  it('runs a saved plan only with the file that it was made for', async () => {
    await put('planned.redis', 'SET a 1\n');
    await put('request.json', JSON.stringify({ operation_type: 'pipelining', file: 'planned.redis' }));
    const planned = await run(['plan', 'request.json', '--json']);
    const plan = Plan.parse(JSON.parse(planned.out));
    expect(plan.execution_plan.steps).toMatchObject([{ kind: 'stream', source: { path: 'planned.redis', bytes: 8 } }]);
    await put('plan.json', planned.out);
    await put('planned.redis', 'SET a 2\n');
    expect((await run(['apply', 'plan.json', '--yes'])).status).toBe(3);
    expect(await server.cli('EXISTS', 'a')).toBe('0');
    await put('planned.redis', 'SET a 1\n');
    expect((await run(['apply', 'plan.json', '--yes'])).status).toBe(0);
    expect(await server.cli('GET', 'a')).toBe('1');
  });

  it('settles what is in flight on Ctrl-C, removes the spooled input, and says where it was', async () => {
    const input = lines(50_000, (index) => `SADD s ${index}`);
    const running = start(process.execPath, [main, 'pipe', '-', '--yes', '--json', '--rate', '5000'], {
      cwd: dir,
      env: env(),
      input,
    });
    await waitFor('the first commands', async () => Number(await server.cli('SCARD', 's')) > 100);
    running.child.kill('SIGINT');
    const ended = await running.ended;
    const report = reportOf(ended);
    expect([ended.status, report.status]).toEqual([130, 'interrupted']);
    expect(report.totals.changed).toBe(Number(await server.cli('SCARD', 's')));
    expect(report.stream?.next?.line).toBe(report.totals.changed + 1);
    expect(await readdir(temporary)).toEqual([]);
  });

  it('removes the spooled input when it is stopped while standard input still comes', async () => {
    const running = start(process.execPath, [main, 'pipe', '-', '--yes'], { cwd: dir, env: env(), keepOpen: true });
    running.child.stdin?.write('SET a 1\n');
    await waitFor('the spool', async () => (await readdir(temporary)).length === 1);
    running.child.kill('SIGTERM');
    expect((await running.ended).status).toBe(130);
    expect(await readdir(temporary)).toEqual([]);
  });
});

describe('redops keys find --export', () => {
  it('writes a file that redops pipe loads', async () => {
    await server.cli('HSET', 'user:1', 'name', 'ada');
    await server.cli('SET', 'user:2', 'x', 'EX', '1000');
    const ended = await run(['keys', 'find', 'user:*', '--export', 'users.resp']);
    expect([ended.status, ended.err]).toEqual([0, '']);
    expect(ended.out).toContain(`exported     2 keys`);
    await server.cli('FLUSHALL');
    expect((await run(['pipe', 'users.resp', '--yes'])).status).toBe(0);
    expect(await server.cli('HGET', 'user:1', 'name')).toBe('ada');
    expect(Number(await server.cli('TTL', 'user:2'))).toBeGreaterThan(980);
    const lost = await run(['keys', 'find', 'user:*', '--export', 'users.resp', '--json']);
    expect([lost.status, reportOf(lost).status]).toEqual([1, 'failed']);
    expect((await run(['keys', 'find', '*', '--format', 'jsonl'])).status).toBe(2);
  });
});

describe('a disk that is full', () => {
  /** redops with files limited to so many kB: writing beyond fails, as on a full disk. */
  const limited = (kb: number, argv: readonly string[]): Promise<Ended> => {
    const shell = ['-c', `ulimit -f ${kb}; exec "$0" "$@"`, process.execPath, main, ...argv];
    return start('bash', shell, { cwd: dir, env: env() }).ended;
  };

  it('ends an export with the keys that are whole, and they load', async () => {
    await server.cli('EVAL', "for i = 1, 4000 do redis.call('SET', 'k:' .. i, string.rep('x', 300)) end", '0');
    const ended = await limited(600, ['keys', 'find', 'k:*', '--export', 'full.resp', '--json']);
    const report = reportOf(ended);
    expect([ended.status, report.status]).toEqual([1, 'failed']);
    expect(report.exported?.path).toBe(join(dir, 'full.resp.partial'));
    expect(report.exported!.bytes).toBeLessThanOrEqual(600 * 1024);
    expect((await readdir(dir)).filter((name) => name.startsWith('full'))).toEqual(['full.resp.partial']);
    await server.cli('FLUSHALL');
    const loaded = await run(['pipe', 'full.resp.partial', '--format', 'resp', '--yes', '--json']);
    expect([loaded.status, reportOf(loaded).totals.changed]).toEqual([0, report.exported!.keys]);
    expect(report.exported!.keys).toBeGreaterThan(500);
  });

  it('ends a stream whose failures can no longer be kept, with every command settled', async () => {
    await server.cli('SET', 'taken', 'x');
    const count = 100_000;
    await put(
      'failing.redis',
      lines(count, (index) => `SADD ${index % 2 ? 'taken' : 'free'} member:${index}`),
    );
    const ended = await limited(4_000, ['pipe', 'failing.redis', '--failures', 'full.failed', '--yes', '--json']);
    const report = reportOf(ended);
    expect([ended.status, report.status]).toEqual([1, 'failed']);
    const { matched, changed, failed } = report.totals;
    expect(matched).toBeLessThan(count);
    expect(changed + failed).toBe(matched);
    expect(changed).toBe(Number(await server.cli('SCARD', 'free')));
    expect(report.stream?.next?.line).toBe(matched + 1);
    expect(JSON.stringify(report.warnings)).toContain('cannot be written');
  });
});
