/** What people see and what programs get: the built command against a real server, as processes. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Plan } from '../../src/plan/plan.ts';
import { Report } from '../../src/plan/report.ts';
import { verifyAudit } from '../../src/state/audit.ts';
import { verbs } from '../../src/verbs.ts';
import { startServer, type TestServer, waitFor } from '../support/servers.ts';
import { type CallOptions, type Ended, main, redops, start } from './redops.ts';

let server: TestServer;
let dir: string;
beforeAll(async () => {
  server = await startServer();
  dir = await mkdtemp(join(tmpdir(), 'redops-transcripts-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));
beforeEach(() => server.cli('FLUSHALL'));

const env = (): Record<string, string> => ({ REDIS_URL: server.url, REDOPS_STATE: join(dir, 'state') });

function run(line: string | readonly string[], options: CallOptions = {}): Promise<Ended> {
  const argv = typeof line === 'string' ? line.split(' ') : line;
  return redops(argv, { cwd: dir, ...options, env: { ...env(), ...options.env } });
}

async function fill(prefix: string, count: number): Promise<void> {
  const script = "for i = 1, tonumber(ARGV[2]) do redis.call('SET', ARGV[1] .. i, 'v') end return 1";
  await server.cli('EVAL', script, '0', prefix, String(count));
}

/** A transcript with what differs from run to run replaced. */
function steady({ status, out, err }: Ended): string {
  const text = `${err === '' ? '' : `${err}---\n`}${out}[${status}]`;
  return `\n${text
    .replaceAll(String(server.port), 'PORT')
    .replaceAll(dir, 'DIR')
    .replace(/run \d{8}-\d{6}-\w+/g, 'run RUN')
    .replace(/[\d,]+ visited/g, 'N visited')
    .replace(/(digest|plan) [0-9a-f]{12}/g, '$1 DIGEST')
    .replace(/\b\d+(\.\d+)? (ms|s)\b/g, 'TIME')
    .replace(/\b[0-9a-f]{40}\b/g, 'SHA1')}\n`;
}

const reportOf = ({ out }: Ended): Report => Report.parse(JSON.parse(out));

describe('operate', () => {
  it('keys: find, inspect, rename, copy, delete', async () => {
    await server.cli('HSET', 'user:1', 'name', 'ada', 'mail', 'a@b');
    await server.cli('SET', 'user:2', 'x', 'EX', '1000');
    const found = await run('keys find user:*');
    expect(found.out.split('\n').sort()).toEqual(['', 'user:1', 'user:2']);
    expect([found.status, found.err]).toEqual([0, '']);
    expect((await run('keys find user:* --type hash')).out).toBe('user:1\n');
    expect((await run('keys find user:* --limit 1')).err).toContain('More keys match');
    expect((await run('keys inspect user:1 nobody')).out).toMatch(/^key +type .*\nuser:1 +hash .*\nnobody +none /);
    expect((await run('keys copy user:1 copy --yes')).status).toBe(0);
    expect((await run('keys rename copy renamed --yes')).status).toBe(0);
    const deleted = await run('keys delete user:1 renamed nobody --yes');
    expect(steady(deleted)).toMatchInlineSnapshot(`
      "
      Done. TIME.
        changed      2
        unchanged    1 (applied, nothing to change)

      #  outcome  command         reply
      0  ok       UNLINK user:1   (integer) 1
      1  ok       UNLINK renamed  (integer) 1
      2  ok       UNLINK nobody   (integer) 0

      run RUN, plan DIGEST
      [0]
      "
    `);
    expect(await server.cli('KEYS', '*')).toBe('user:2');
  });

  it('ttl: set, get, persist, audit', async () => {
    await fill('session:', 100);
    await server.cli('SET', 'other', 'x');
    const set = await run('ttl set --match session:* --strategy session --jitter 10% --only-without-ttl --json --yes');
    expect(reportOf(set)).toMatchObject({ status: 'succeeded', totals: { matched: 100, changed: 100 } });
    const ttl = Number(await server.cli('TTL', 'session:7'));
    expect(ttl).toBeGreaterThanOrEqual(86_390);
    expect(ttl).toBeLessThanOrEqual(86_400 * 1.1 + 1);
    expect((await run('ttl get session:7 other nobody')).out).toMatch(
      /session:7 +1 d.*\nother +none\nnobody +missing\n/,
    );
    expect(reportOf(await run('ttl persist session:7 --yes --json')).totals.changed).toBe(1);
    const audit = await run('ttl audit');
    expect(audit.out).toMatch(/^prefix .*\nsession: +100 +1 +1%.*\nother +1 +1 +100%/);
    expect(audit.status).toBe(0);
  });

  it('pipe: every command has its own outcome, and status 4 says that one failed', async () => {
    const commands = 'SET a 1\n# a comment\nHSET h f v\nINCR h\nSET "b\\xff" "two words"\n';
    const piped = await run('pipe - --yes', { input: commands });
    expect(piped.status).toBe(4);
    expect(piped.out).toContain('E218 WRONGTYPE');
    expect(piped.out).toMatch(/changed +3\n +not applied +1 refused by the server/);
    await writeFile(join(dir, 'commands.redis'), commands);
    const file = reportOf(await run('pipe commands.redis --rate 50000 --yes --json'));
    // of a stream only what is not ok is told command by command
    expect(file.results.map(({ line, outcome, argv }) => [line, outcome, argv])).toEqual([[4, 'error', ['INCR', 'h']]]);
    expect(file.stream?.commands).toBe(4);
    expect(await server.cli('EVAL', "return redis.call('GET', 'b\\255')", '0')).toBe('two words');
    const broken = await run('pipe - --yes', { input: 'SET a 1\nSET "b\n' });
    expect(broken.status).toBe(2);
    expect(broken.err).toContain('error TXT001 at -:2');
  });

  it('tx: committed, not met, and a wrong request', async () => {
    await server.cli('SET', 'balance', '80');
    const request = { commands: ['SET balance {{ b - 50 }}'], let: { b: 'GET balance' }, when: 'b >= 50' };
    await writeFile(join(dir, 'transfer.json'), JSON.stringify(request));
    const committed = await run('tx transfer.json --yes');
    expect([committed.status, await server.cli('GET', 'balance')]).toEqual([0, '30']);
    expect(committed.out).toContain('committed: every command was applied');
    const unmet = await run('tx transfer.json --yes --json');
    expect(unmet.status).toBe(0);
    expect(reportOf(unmet).transaction).toMatchObject({ outcome: 'not_met', reads: { b: '30' } });
    expect((await run('tx - --yes', { input: '{"commands":["SET a"]}' })).status).toBe(2);
    expect(await server.cli('GET', 'balance')).toBe('30');
  });

  it('script: lint, load, run, exists, flush', async () => {
    const cas =
      "local now = redis.call('GET', KEYS[1])\nif now == ARGV[1] then\n  return redis.call('SET', KEYS[1], ARGV[2])\nend\nreturn false\n";
    await writeFile(join(dir, 'cas.lua'), cas);
    await server.cli('SET', 'k', 'old');
    expect((await run('script lint cas.lua')).status).toBe(0);
    const ran = reportOf(await run('script run cas.lua --keys k --args old new --yes --json'));
    expect([ran.results[0]?.reply, await server.cli('GET', 'k')]).toEqual(['OK', 'new']);
    expect(reportOf(await run('script exists cas.lua --json')).results[0]?.reply).toEqual([1]);
    expect((await run('script flush --yes')).status).toBe(0);
    expect(reportOf(await run('script exists cas.lua --json')).results[0]?.reply).toEqual([0]);
    expect(reportOf(await run('script load - --yes --json', { input: cas })).results[0]?.reply).toMatch(
      /^[0-9a-f]{40}$/,
    );
  });

  it('batch: unlinks what matches and nothing else; a dry run unlinks nothing', async () => {
    await fill('session:', 3000);
    await server.cli('SET', 'keep', 'x');
    expect((await run('batch unlink --match session:* --dry-run')).status).toBe(0);
    expect(await server.cli('DBSIZE')).toBe('3001');
    const line =
      'batch unlink --match session:* --performance-mode throughput_optimized --rate 100000 --no-progress --yes';
    expect(steady(await run(line))).toMatchInlineSnapshot(`
      "
      Done. TIME.
        changed      3,000
        scanned      N visited, 3,000 matched, acted on by a script there

      run RUN, plan DIGEST
      [0]
      "
    `);
    expect(await server.cli('KEYS', '*')).toBe('keep');
    expect((await run('batch unlink --match k* --max-keys 10 --prefix session: --yes')).status).toBe(3);
    expect(await server.cli('KEYS', '*')).toBe('keep');
  });
});

describe('plan and apply', () => {
  const request = JSON.stringify({ operation_type: 'batch', select: { match: 'a:*' }, do: { action: 'unlink' } });

  it('a plan is a file that can be applied once looked at, and not after it was changed', async () => {
    await fill('a:', 20);
    const planned = await run('plan - --json', { input: request });
    expect([planned.status, planned.err]).toEqual([0, '']);
    const plan = Plan.parse(JSON.parse(planned.out));
    const changed = planned.out.replace(/"batch_size": \d+/, '"batch_size": 1');
    const tampered = await run('apply - --yes', { input: changed });
    expect([tampered.status, tampered.err]).toEqual([3, expect.stringContaining('changed after it was made')]);
    expect(await server.cli('DBSIZE')).toBe('20');
    const applied = await run('apply - --yes --json', { input: planned.out });
    expect([applied.status, applied.err]).toEqual([0, '']);
    expect(reportOf(applied)).toMatchObject({ plan_digest: plan.digest, totals: { changed: 20 } });
  });

  it('without --yes and without a terminal nothing is sent: status 3, and what to pass', async () => {
    await fill('a:', 3);
    const asked = await run('apply -', { input: request });
    expect(asked.status).toBe(3);
    expect(asked.err).toContain('Plan: unlink every key that matches a:*');
    expect(asked.err).toContain('pass --yes');
    expect(reportOf(await run('apply - --json', { input: request })).status).toBe('needs_approval');
    expect(await server.cli('DBSIZE')).toBe('3');
  });

  it('--yes does not approve destruction on production', async () => {
    await fill('a:', 3);
    await writeFile(join(dir, 'redops.yaml'), `targets:\n  shop: { url_env: SHOP, tag: production }\n`);
    // a state of its own: a server once tagged production stays so for every address
    const options = { env: { SHOP: server.url, REDOPS_STATE: join(dir, 'shop-state') } };
    const refused = await run('keys delete a:1 --target shop --yes', options);
    expect(refused.status).toBe(3);
    expect(refused.err).toContain('shop');
    expect((await run('keys find a:* --target shop', options)).out.split('\n')).toHaveLength(4);
    expect(await server.cli('DBSIZE')).toBe('3');
  });

  it('a plan with an error ends with 3, and so does its apply; accepted, it runs', async () => {
    await server.cli('SET', 'a', '1');
    const all = JSON.stringify({ operation_type: 'batch', select: { match: '*' }, do: { action: 'unlink' } });
    const planned = await run('plan -', { input: all });
    expect(planned.status).toBe(3);
    expect(planned.out).toContain('error KEY004');
    const applied = await run('apply - --yes --json', { input: all });
    expect([applied.status, reportOf(applied).status]).toEqual([3, 'refused']);
    expect((await run('batch unlink --match * --accept KEY004 --yes')).status).toBe(0);
    expect(await server.cli('DBSIZE')).toBe('0');
  });

  it('wrong input: status 2, the place, nothing sent', async () => {
    const json = await run('plan - --json', { input: '{\n "operation_type": batch\n}' });
    expect([json.status, json.err]).toEqual([2, expect.stringContaining('standard input:2:20')]);
    const field = await run('plan - --json', { input: '{"operation_type":"batch","selct":{}}' });
    expect(field.status).toBe(2);
    expect(JSON.parse(field.out).diagnostics[0]).toMatchObject({ code: 'REQ001', severity: 'error' });
    const bytes = start('sh', ['-c', `exec ${process.execPath} ${main} keys delete "$(printf 'a\\377')" --yes`], {
      env: env(),
    });
    expect(await bytes.ended).toMatchObject({ status: 2, err: expect.stringContaining('base64') });
  });
});

describe('understand', () => {
  it('explain prices on live data', async () => {
    await server.cli('EVAL', "for i = 1, 5000 do redis.call('ZADD', 'z', i, i) end return 1", '0');
    const json = await run(['explain', '--json', 'ZRANGE z 0 -1']);
    expect(JSON.parse(json.out)).toMatchObject({ basis: 'counted', estimated_ops: expect.any(Number) });
    expect(JSON.parse(json.out).estimated_ops).toBeGreaterThanOrEqual(5000);
    expect((await run(['explain', 'ZRANGE z 0 -1'])).out).toMatch(/^ZRANGE z 0 -1\n/);
    expect((await run(['explain', 'ZRANGE'])).status).toBe(2);
  });

  it('explain names the least user, whose password is not known', async () => {
    const user = await run(['explain', '--acl', '--user', 'reader', 'ZRANGE z 0 -1']);
    expect(user).toMatchObject({ status: 0, err: expect.stringContaining('password') });
    expect(user.out).toMatch(/^ACL SETUSER reader reset on >PASSWORD \+client\|id .*zrange.*~z\)?\n$/);
    expect((await run(['explain', '--acl', '--user', 'no name', 'PING'])).status).toBe(2);
  });

  it('explain goes by the command table where no server is named', async () => {
    const alone = { ...env(), REDIS_URL: '' };
    const explained = await run(['explain', 'DEL big'], { env: alone });
    expect(explained).toMatchObject({ status: 0, out: expect.stringContaining('No server was asked') });
    expect(await run(['explain', '--acl', 'DEL big'], { env: alone })).toMatchObject({ status: 2, out: '' });
    expect((await run(['explain', '--calibrate'], { env: alone })).status).not.toBe(0);
    expect((await run(['explain', '--calibrate', 'GET a'])).status).toBe(2);
    expect((await run(['explain'])).status).toBe(2);
  });

  it('lint needs no server, underlines, and ends with 3 on an error', async () => {
    await writeFile(join(dir, 'app.redis'), 'SET a 1\nKEYS user:*\n');
    const linted = await run('lint app.redis', { env: { REDIS_URL: 'redis://127.0.0.1:1' } });
    expect(linted.status).toBe(3);
    expect(linted.out).toContain('  2 | KEYS user:*\n    | ^^^^');
    const json = JSON.parse((await run('lint app.redis --json')).out);
    expect(json.diagnostics[0]).toMatchObject({ code: 'KEY001', at: 'app.redis:2:1' });
    expect(json.unchecked).toBeInstanceOf(Array);
  });

  it('every verb has help, and the schemas are JSON', async () => {
    const help = await run('--help');
    for (const { name, summary } of verbs) expect(help.out).toContain(`  ${name.padEnd(9)}${summary}`);
    expect((await run([])).status).toBe(2);
    for (const name of ['request', 'plan', 'report'])
      expect(JSON.parse((await run(['schema', name])).out).$schema).toContain('json-schema.org');
  });
});

describe('faults and signals', () => {
  it('an unreachable server: status 1, one message, no stack, no password', async () => {
    const gone = await run('keys find * --url redis://u:s3cret@127.0.0.1:1');
    expect(gone.status).toBe(1);
    expect(gone.err).toContain('127.0.0.1:1');
    expect(gone.err).not.toMatch(/s3cret|\n\s+at /);
    const json = await run('keys delete a --yes --json', { env: { REDIS_URL: 'redis://127.0.0.1:1' } });
    expect(reportOf(json)).toMatchObject({ status: 'failed', run_id: '' });
  });

  it('a state directory that cannot be written: status 1 before anything is sent', async () => {
    await server.cli('SET', 'a', '1');
    await writeFile(join(dir, 'file'), '');
    const failed = await run('keys delete a --yes', { env: { REDOPS_STATE: join(dir, 'file', 'state') } });
    expect([failed.status, failed.err]).toEqual([1, expect.stringContaining('REDOPS_STATE')]);
    expect(await server.cli('EXISTS', 'a')).toBe('1');
  });

  it('keeps plans, runs and the audit log, private and chained', async () => {
    const state = join(dir, 'own-state');
    await server.cli('SET', 'a', '1');
    const report = reportOf(await run('keys delete a --yes --json', { env: { REDOPS_STATE: state } }));
    const files = await readdir(join(state, 'runs', report.run_id));
    expect(files.sort()).toEqual(['journal.jsonl', 'plan.json', 'report.json']);
    expect(JSON.parse(await readFile(join(state, 'runs', report.run_id, 'report.json'), 'utf8'))).toEqual(report);
    expect(await readdir(join(state, 'plans'))).toEqual([`${report.plan_digest.slice(7)}.json`]);
    expect(((await stat(join(state, 'audit.jsonl'))).mode & 0o777).toString(8)).toBe('600');
    expect(await verifyAudit(state)).toEqual({ ok: true, records: 2 });
  });

  it('Ctrl-C stops cleanly, reports what was done, and says how to go on', async () => {
    await fill('s:', 5000);
    const { child, ended } = start(
      process.execPath,
      [main, 'batch', 'unlink', '--match', 's:*', '--rate', '500', '--yes', '--json'],
      { env: env() },
    );
    await waitFor('the first keys to go', async () => Number(await server.cli('DBSIZE')) < 5000);
    child.kill('SIGINT');
    const stopped = await ended;
    expect(stopped.status).toBe(130);
    const report = reportOf(stopped);
    expect(report).toMatchObject({ status: 'interrupted', verification: { complete: false } });
    expect(report.totals.changed).toBe(5000 - Number(await server.cli('DBSIZE')));
    expect(report.totals.changed).toBeLessThan(5000);
    expect(stopped.err).toContain(`redops runs resume ${report.run_id}`);
    expect((await run('batch unlink --match s:* --yes')).status).toBe(0);
    expect(await server.cli('DBSIZE')).toBe('0');
  });

  it('a reader that goes away is no error', async () => {
    await fill('k:', 20_000);
    const command = `${process.execPath} ${main} keys find '*' --limit 100000 | head -1; echo "status \${PIPESTATUS[0]}"`;
    const { out, err } = await start('bash', ['-c', command], { env: env() }).ended;
    expect(out).toMatch(/^k:\d+\nstatus 0\n$/);
    expect(err).toBe('');
  });

  it('colour only where it is asked for', async () => {
    const request = JSON.stringify({ operation_type: 'key_management', action: 'delete', keys: ['a'] });
    expect((await run('plan -', { input: request })).out).not.toContain('\u001b');
    expect((await run('plan -', { input: request, env: { FORCE_COLOR: '1' } })).out).toContain('\u001b[');
  });
});

it('--help starts as fast as node: at most 1.6 times `node -e 0`', async () => {
  const timed = async (argv: readonly string[]): Promise<number> => {
    const before = performance.now();
    await start(process.execPath, argv).ended;
    return performance.now() - before;
  };
  // what else the machine does only ever adds, and not evenly: the fastest of each, and a few rounds to get a quiet one
  const ratios: number[] = [];
  while (ratios.length < 5 && !ratios.some((ratio) => ratio <= 1.6)) {
    const node: number[] = [];
    const help: number[] = [];
    for (let at = 0; at < 5; at += 1) {
      node.push(await timed(['-e', '0']));
      help.push(await timed([main, '--help']));
    }
    ratios.push(Math.min(...help) / Math.min(...node));
  }
  expect(Math.min(...ratios)).toBeLessThanOrEqual(1.6);
});
