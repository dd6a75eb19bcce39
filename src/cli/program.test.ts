import { readFileSync, statSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { someDiagnostic, somePlan } from '../../test/cli/documents.ts';
import { runFake, someEvents } from '../../test/cli/fake-io.ts';
import { OpsError } from '../base/ops-error.ts';
import { Explanation } from '../plan/explanation.ts';
import { Report } from '../plan/report.ts';
import { Request } from '../plan/request.ts';
import { verbs } from '../verbs.ts';
import { topHelp } from './help.ts';

const terminal = { stdin: true, stdout: true, stderr: true };
const error = someDiagnostic({ severity: 'error', code: 'REQ001', at: 'do.ttl' });

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redops-cli-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('verbs and their requests', () => {
  const one: readonly (readonly [string, unknown])[] = [
    [
      'keys find session:* --type string --limit 100',
      { operation_type: 'key_management', action: 'find', match: 'session:*', type: 'string', limit: 100 },
    ],
    ['keys inspect a b', { operation_type: 'key_management', action: 'inspect', keys: ['a', 'b'] }],
    [
      'keys rename a b --replace',
      { operation_type: 'key_management', action: 'rename', keys: ['a'], to: 'b', replace: true },
    ],
    ['keys copy a b', { operation_type: 'key_management', action: 'copy', keys: ['a'], to: 'b' }],
    ['keys delete user:1 user:2', { operation_type: 'key_management', action: 'delete', keys: ['user:1', 'user:2'] }],
    [
      'keys delete --match a* --type hash',
      { operation_type: 'key_management', action: 'delete', match: 'a*', type: 'hash' },
    ],
    ['keys touch a -- -b', { operation_type: 'key_management', action: 'touch', keys: ['a', '-b'] }],
    [
      'ttl set --match session:* --strategy session --jitter 10% --only-without-ttl',
      {
        operation_type: 'expiration',
        action: 'set',
        match: 'session:*',
        strategy: 'session',
        jitter: '10%',
        condition: 'nx',
      },
    ],
    [
      'ttl set a --ttl 30m --condition gt',
      { operation_type: 'expiration', action: 'set', keys: ['a'], ttl: '30m', condition: 'gt' },
    ],
    ['ttl set a --at 1900000000', { operation_type: 'expiration', action: 'set', keys: ['a'], at: 1_900_000_000 }],
    [
      'ttl set a --at 2030-01-01T00:00:00Z',
      { operation_type: 'expiration', action: 'set', keys: ['a'], at: '2030-01-01T00:00:00Z' },
    ],
    ['ttl persist a', { operation_type: 'expiration', action: 'persist', keys: ['a'] }],
    ['ttl get a b', { operation_type: 'expiration', action: 'get', keys: ['a', 'b'] }],
    ['ttl audit', { operation_type: 'expiration', action: 'audit' }],
    ['ttl audit a:* --type set', { operation_type: 'expiration', action: 'audit', match: 'a:*', type: 'set' }],
    [
      'pipe commands.redis --rate 50000',
      { operation_type: 'pipelining', file: 'commands.redis', limits: { rate: 50_000 } },
    ],
    [
      'pipe users.csv --format csv --each HSET:{{id}} --failures failed.redis',
      {
        operation_type: 'pipelining',
        file: 'users.csv',
        format: 'csv',
        each: 'HSET:{{id}}',
        failures_file: 'failed.redis',
      },
    ],
    ['script load cas.lua', { operation_type: 'lua_script', action: 'load', file: 'cas.lua' }],
    [
      'script run cas.lua --keys k --args old new',
      { operation_type: 'lua_script', action: 'run', file: 'cas.lua', keys: ['k'], args: ['old', 'new'] },
    ],
    [`script exists ${'a'.repeat(40)}`, { operation_type: 'lua_script', action: 'exists', sha1: ['a'.repeat(40)] }],
    ['script exists cas.lua', { operation_type: 'lua_script', action: 'exists', file: 'cas.lua' }],
    ['script flush --mode sync', { operation_type: 'lua_script', action: 'flush', mode: 'sync' }],
    ['script kill', { operation_type: 'lua_script', action: 'kill' }],
    [
      'batch unlink --match session:* --performance-mode throughput_optimized --rate 100000 --no-progress',
      {
        operation_type: 'batch',
        select: { match: 'session:*' },
        do: { action: 'unlink' },
        performance_mode: 'throughput_optimized',
        limits: { rate: 100_000 },
      },
    ],
    [
      'batch expire --match a* --type zset --ttl 1h',
      { operation_type: 'batch', select: { match: 'a*', type: 'zset' }, do: { action: 'expire', ttl: '1h' } },
    ],
    [
      'batch touch --match a* --with-ttl --size-below 0',
      { operation_type: 'batch', select: { match: 'a*', ttl: 'any', size: { max: 0 } }, do: { action: 'touch' } },
    ],
    [
      'batch expire --match a* --without-ttl --ttl 1h',
      { operation_type: 'batch', select: { match: 'a*', ttl: 'none' }, do: { action: 'expire', ttl: '1h' } },
    ],
    [
      'batch unlink --match a* --ttl-above 7d --ttl-below 30d --bytes-above 1000',
      {
        operation_type: 'batch',
        select: { match: 'a*', ttl: { min: '7d', max: '30d' }, bytes: { min: 1000 } },
        do: { action: 'unlink' },
      },
    ],
    [
      'keys delete --match a* --ttl-below 1h',
      { operation_type: 'key_management', action: 'delete', match: 'a*', ttl: { max: '1h' } },
    ],
    [
      'keys find a* --without-ttl --size-above 5',
      { operation_type: 'key_management', action: 'find', match: 'a*', ttl: 'none', size: { min: 5 } },
    ],
    [
      'batch unlink --keys-file k.txt.gz --type hash',
      { operation_type: 'batch', select: { keys_file: 'k.txt.gz', type: 'hash' }, do: { action: 'unlink' } },
    ],
    [
      'keys delete --keys-file k.txt --without-ttl',
      { operation_type: 'key_management', action: 'delete', keys_file: 'k.txt', ttl: 'none' },
    ],
    [
      'ttl set --keys-file k.txt --ttl 1h',
      { operation_type: 'expiration', action: 'set', keys_file: 'k.txt', ttl: '1h' },
    ],
    ['ttl persist --keys-file k.txt', { operation_type: 'expiration', action: 'persist', keys_file: 'k.txt' }],
    ['batch persist --match a*', { operation_type: 'batch', select: { match: 'a*' }, do: { action: 'persist' } }],
    [
      'keys delete a --atomic --accept del003,TTL001 --accept KEY001 --max-keys 5 --max-percent 20% --prefix a: --prefix b: --max-retries 0',
      {
        operation_type: 'key_management',
        action: 'delete',
        keys: ['a'],
        atomicity_required: true,
        accept: ['DEL003', 'TTL001', 'KEY001'],
        limits: { max_keys: 5, max_percent: 20, prefixes: ['a:', 'b:'] },
        retry: { max_retries: 0 },
      },
    ],
  ];

  it.each(one)('redops %s --yes', async (line, request) => {
    const words = line.includes('-- ')
      ? `--yes --json ${line}`.split(' ').slice(2).toSpliced(2, 0, '--yes', '--json')
      : `${line} --yes --json`.split(' ');
    const outcome = await runFake(words);
    expect(outcome.err).toBe('');
    expect(outcome.requests).toEqual([request]);
    expect(Request.safeParse(outcome.requests[0]).success).toBe(true);
    expect(outcome.applied[0]).toMatchObject({ yes: true, dryRun: false });
    expect(outcome.status).toBe(0);
    expect(outcome.closed).toBe(1);
  });

  it('tx takes an object or bare commands, and no request of another kind', async () => {
    const bare = await runFake(['tx', '-', '--yes', '--max-retries', '5'], { stdin: '["SET a 1"]' });
    expect(bare.requests).toEqual([
      { operation_type: 'transaction', commands: ['SET a 1'], retry: { max_retries: 5 } },
    ]);
    const whole = await runFake(['tx', '-', '--yes'], { stdin: '{"commands":["SET a 1"],"watch":["a"]}' });
    expect(whole.requests).toEqual([{ operation_type: 'transaction', commands: ['SET a 1'], watch: ['a'] }]);
    expect((await runFake(['tx', '-'], { stdin: '{"operation_type":"batch"}' })).status).toBe(2);
    expect((await runFake(['tx', '-'], { stdin: '7' })).status).toBe(2);
  });

  it('pipe - keeps standard input in a private file while it runs, and removes it', async () => {
    const seen: unknown[] = [];
    const outcome = await runFake(['pipe', '-', '--yes'], {
      stdin: 'SET a 1\nSET b 2\n',
      env: { REDIS_URL: 'redis://h', TMPDIR: dir },
      onRequest: ({ filePath }) => {
        const path = filePath?.('-') ?? '';
        seen.push(readFileSync(path, 'utf8'), statSync(path).mode & 0o777, path.startsWith(dir));
      },
    });
    expect(outcome.requests).toEqual([{ operation_type: 'pipelining', file: '-' }]);
    expect(seen).toEqual(['SET a 1\nSET b 2\n', 0o600, true]);
    expect((await readdir(dir)).filter((name) => name.startsWith('redops-'))).toEqual([]);
  });

  it('pipe - removes what it spooled when planning fails, too, and says when it cannot spool', async () => {
    const env = { REDIS_URL: 'redis://h', TMPDIR: dir };
    expect((await runFake(['pipe', '-'], { stdin: 'GET a\n', env, problems: [error] })).status).toBe(2);
    expect((await readdir(dir)).filter((name) => name.startsWith('redops-'))).toEqual([]);
    const nowhere = await runFake(['pipe', '-'], { stdin: 'GET a\n', env: { ...env, TMPDIR: '/nowhere/at/all' } });
    expect([nowhere.status, nowhere.err]).toEqual([1, expect.stringContaining('TMPDIR')]);
  });

  it.each([
    'keys delete',
    'keys delete a --match b*',
    'keys delete a --type hash',
    'keys delete a --keys-file b',
    'batch unlink --match a* --keys-file b',
    'keys nonsense',
    'keys find',
    'batch unlink',
    'ttl set a --only-without-ttl --condition gt',
    'ttl set a --condition maybe',
    'keys delete a --max-keys 0',
    'keys delete a --max-percent 120',
    'keys delete a --rate fast',
    'script exists a.lua b.lua',
    'nonsense',
    '--url redis://h keys find a',
    'keys delete \ufffd',
    'apply /nowhere/none.json',
    'keys find a --url redis://h --target t',
    'keys find a --target t',
  ])('redops %s: refused with status 2, one message, nothing opened', async (line) => {
    const outcome = await runFake(line.split(' '));
    expect(outcome.status).toBe(2);
    expect(outcome.out).toBe('');
    expect(outcome.err).toMatch(/\S/);
    expect(outcome.err).not.toMatch(/\n\s+at |internal error/);
    expect(outcome.settings).toEqual([]);
  });

  it('every verb has help that needs no server and names its options', async () => {
    for (const { name } of verbs) {
      const { status, out, settings } = await runFake([name, '--help'], { env: {} });
      expect([name, status, settings.length]).toEqual([name, 0, 0]);
      expect(out).toContain(`Usage: redops ${name}`);
      expect((await runFake(['help', name])).out).toBe(out);
      expect(topHelp()).toMatch(new RegExp(`^  ${name} `, 'm'));
    }
    for (const line of topHelp().split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect((await runFake(['--help'])).out).toBe(topHelp());
    expect((await runFake(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('operate', () => {
  const unlink = ['batch', 'unlink', '--match', 'session:*'];

  it('shows the plan on standard error, and asks y/N on dev', async () => {
    const yes = await runFake(unlink, { terminal, answers: ['y'] });
    expect(yes.err).toContain('Plan: unlink every key that matches session:*');
    expect(yes.asked).toEqual(['Apply this plan to cache? [y/N] ']);
    expect(yes.applied).toMatchObject([{ yes: false }, { yes: true }]);
    expect([yes.status, yes.out.includes('Done.')]).toEqual([0, true]);
    for (const answers of [[''], ['n'], [], ['yesterday']]) {
      const no = await runFake(unlink, { terminal, answers });
      expect([no.status, no.applied.length]).toEqual([3, 1]);
      expect(no.err).toContain('Not approved: nothing was sent.');
    }
  });

  it('asks for the name on production, where --yes does not suffice', async () => {
    const right = await runFake([...unlink, '--yes'], { terminal, tag: 'production', answers: ['cache'] });
    expect(right.asked[0]).toContain("Type the target's name");
    expect([right.status, right.applied.at(-1)?.typedName]).toEqual([0, 'cache']);
    expect(right.err).toContain('Plan: unlink');
    const wrong = await runFake([...unlink, '--yes'], { terminal, tag: 'production', answers: ['y'] });
    expect([wrong.status, wrong.applied.length]).toEqual([3, 1]);
  });

  it('says what to pass where nobody can be asked, and --json still prints a report', async () => {
    const dev = await runFake(unlink);
    expect(dev.status).toBe(3);
    expect(dev.err).toContain('pass --yes');
    const production = await runFake([...unlink, '--yes'], { tag: 'production' });
    expect(production.status).toBe(3);
    expect(production.err).toContain('typed at a terminal');
    const json = await runFake([...unlink, '--json']);
    expect(Report.parse(JSON.parse(json.out)).status).toBe('needs_approval');
    expect([json.status, json.asked.length]).toEqual([3, 0]);
  });

  it('prints diagnostics and status 2 for a wrong request, 3 for a refused one; a report with --json', async () => {
    const wrong = await runFake([...unlink, '--yes'], { problems: [error] });
    expect([wrong.status, wrong.out, wrong.applied.length]).toEqual([2, '', 0]);
    expect(wrong.err).toContain('REQ001 at do.ttl');
    const refused = { ...error, code: 'ATM001' };
    const json = await runFake([...unlink, '--yes', '--json'], { problems: [refused] });
    expect(json.status).toBe(3);
    expect(JSON.parse(json.out)).toMatchObject({ status: 'refused', plan_digest: '', warnings: [{ code: 'ATM001' }] });
  });

  it('refuses a plan with an error among its warnings', async () => {
    const plan = somePlan({ warnings: [someDiagnostic({ severity: 'error' })] });
    const outcome = await runFake([...unlink, '--yes'], { plan });
    expect(outcome.status).toBe(3);
    expect(outcome.out).toContain('Refused: nothing was sent.');
  });

  it('does not show the plan of what only reads, and prints keys alone on standard output', async () => {
    const plan = somePlan({ execution_plan: { writes: false, strategy: 'inspection', destructive: false } });
    const events = [someEvents[0]!, { kind: 'found', keys: ['a', 'b c'], more: true } as const, someEvents[2]!];
    const outcome = await runFake(['keys', 'find', '*'], { plan, events });
    expect(outcome.out).toBe('a\n"b c"\n');
    expect(outcome.err).toBe('More keys match: raise --limit to see them.\n');
  });

  it.each([
    ['succeeded', 0],
    ['partial', 4],
    ['failed', 1],
    ['interrupted', 130],
  ] as const)('a run that %s ends with status %i', async (status, exit) => {
    const events = [someEvents[0]!, { kind: 'run_finished', status, at_ms: 5 } as const];
    expect((await runFake([...unlink, '--yes'], { events })).status).toBe(exit);
  });

  it('ends with 1 when completeness is not proven', async () => {
    const events = [...someEvents.slice(0, 2), { kind: 'unproven', reason: 'x' } as const, someEvents[2]!];
    expect((await runFake([...unlink, '--yes'], { events })).status).toBe(1);
  });

  it('stops cleanly at the first Ctrl-C, quits at the second, and says whether it may be run again', async () => {
    const events = [someEvents[0]!, { kind: 'run_finished', status: 'interrupted', at_ms: 5 } as const];
    let aborted: boolean | undefined;
    const outcome = await runFake([...unlink, '--yes'], {
      events,
      during: (press, signal) => {
        press();
        aborted = signal?.aborted;
        press();
      },
    });
    expect(aborted).toBe(true);
    expect(outcome.exits).toEqual([130]);
    expect(outcome.status).toBe(130);
    expect(outcome.err).toContain('Stopping after what is under way.');
    expect(outcome.err).toContain('The same command can be run again');
    const twice = somePlan({ execution_plan: { idempotent: false } });
    expect((await runFake([...unlink, '--yes'], { plan: twice, events })).err).toContain('Do not simply run it again');
  });

  it.each([
    ['unreachable', 1, 'failed'],
    ['auth', 1, 'failed'],
    ['state', 1, 'failed'],
    ['drift', 3, 'refused'],
    ['tampered', 3, 'refused'],
    ['unsupported', 2, 'refused'],
  ] as const)(
    'a fault %s ends with status %i, one message and no stack; with --json in a report',
    async (code, exit, status) => {
      const fault = new OpsError(code, 'the server cannot be reached', { remedy: 'Check the address.' });
      const outcome = await runFake([...unlink, '--yes', '--json'], { fault });
      expect(outcome.status).toBe(exit);
      expect(outcome.err).toBe('redops: the server cannot be reached\n  Check the address.\n');
      expect(Report.parse(JSON.parse(outcome.out)).status).toBe(status);
      const debug = await runFake(unlink, { fault, env: { REDIS_URL: 'redis://h', REDOPS_DEBUG: '1' } });
      expect(debug.err).toMatch(/\n\s+at /);
    },
  );

  it('reports what was done when a fault breaks a run off, or its record cannot be written', async () => {
    const lateFault = new OpsError('state', 'the disk is full', { remedy: 'Free some space.' });
    const whole = await runFake([...unlink, '--yes', '--json'], { lateFault });
    expect(Report.parse(JSON.parse(whole.out))).toMatchObject({
      status: 'succeeded',
      totals: { changed: 3 },
      verification: { complete: false, unproven: ['the disk is full'] },
    });
    expect([whole.status, whole.err]).toEqual([1, 'redops: the disk is full\n  Free some space.\n']);
    const torn = await runFake([...unlink, '--yes', '--json'], { lateFault, events: someEvents.slice(0, 2) });
    expect(JSON.parse(torn.out)).toMatchObject({ status: 'failed', run_id: 'r1', totals: { changed: 3 } });
    expect(torn.status).toBe(1);
  });

  it('calls a bug a bug, without a stack', async () => {
    const outcome = await runFake(unlink, { fault: new TypeError('x is undefined') });
    expect(outcome.status).toBe(1);
    expect(outcome.err).toContain('defect of redops');
    expect(outcome.err).not.toMatch(/\n\s+at /);
  });
});

describe('apply', () => {
  it('applies a plan document as it is, and plans a request first', async () => {
    const plan = await runFake(['apply', '-', '--yes', '--json'], { stdin: JSON.stringify(somePlan()) });
    expect([plan.status, plan.requests]).toEqual([0, []]);
    const request = await runFake(['apply', '-', '--yes', '--json'], { stdin: '{"operation_type":"batch"}' });
    expect(request.requests).toEqual([{ operation_type: 'batch' }]);
    const broken = await runFake(['apply', '-'], { stdin: '{"execution_plan":{}}' });
    expect([broken.status, broken.settings.length]).toEqual([2, 0]);
  });

  it('names line and column of malformed JSON', async () => {
    const outcome = await runFake(['apply', '-', '--json'], { stdin: '{\n  "a": 1,\n  "a": 2\n}' });
    expect(outcome.status).toBe(2);
    expect(outcome.err).toContain('standard input:3:3: not JSON: the member "a" stands twice');
    expect(JSON.parse(outcome.out).status).toBe('refused');
  });

  it('hands --dry-run on', async () => {
    const outcome = await runFake(['apply', '-', '--dry-run'], {
      stdin: JSON.stringify(somePlan()),
      tag: 'production',
    });
    expect(outcome.applied).toMatchObject([{ dryRun: true }]);
    expect(outcome.status).toBe(0);
  });
});

describe('plan, explain, lint, schema', () => {
  it('plan prints the plan, with 3 exactly when a finding blocks', async () => {
    const plain = await runFake(['plan', '-', '--json'], { stdin: '{}' });
    expect(JSON.parse(plain.out)).toEqual(JSON.parse(JSON.stringify(somePlan())));
    expect(plain.status).toBe(0);
    const severe = somePlan({ warnings: [someDiagnostic({ severity: 'error' })] });
    expect((await runFake(['plan', '-'], { stdin: '{}', plan: severe })).status).toBe(3);
    const accepted = somePlan({ warnings: [someDiagnostic({ severity: 'error', accepted: true })] });
    expect((await runFake(['plan', '-'], { stdin: '{}', plan: accepted })).status).toBe(0);
    const wrong = await runFake(['plan', '-', '--json'], { stdin: '{}', problems: [error] });
    expect([wrong.status, JSON.parse(wrong.out)]).toEqual([2, { diagnostics: [error] }]);
    const fault = await runFake(['plan', '-', '--json'], { stdin: '{', env: {} });
    expect(JSON.parse(fault.out)).toMatchObject({ diagnostics: [], error: { code: 'usage' } });
  });

  it('explain prints an estimate with estimated_ops, and what each command means', async () => {
    const outcome = await runFake(['explain', '--json', 'ZRANGE z 0 -1']);
    expect(outcome.requests).toEqual(['ZRANGE z 0 -1']);
    const printed = JSON.parse(outcome.out);
    expect(printed).toMatchObject({ ...somePlan().execution_plan.estimate, estimated_ops: 1_703_441, warnings: [] });
    expect(Explanation.safeParse(printed.explanation).error).toBeUndefined();
    expect((await runFake(['explain', 'GET a'])).out).toContain('Estimate');
  });

  it('lint prints findings with their source, and asks a server only when told to', async () => {
    const file = join(dir, 'app.redis');
    await writeFile(file, 'DEL big\n');
    const finding = someDiagnostic({ severity: 'error', span: { file, line: 1, column: 5, length: 3 } });
    const lint = { diagnostics: [finding], unchecked: [] };
    const outcome = await runFake(['lint', file], { lint });
    expect([outcome.status, outcome.settings.length]).toEqual([3, 0]);
    expect(outcome.out).toContain('1 | DEL big\n    |     ^^^');
    const json = await runFake(['script', 'lint', file, '--json', '--url', 'redis://h'], { lint });
    expect([JSON.parse(json.out), json.settings[0]?.url]).toEqual([lint, 'redis://h']);
    expect((await runFake(['lint', file])).out).toBe('No findings in 1 file.\n');
    expect((await runFake(['lint', '/nowhere/x'])).status).toBe(2);
  });

  it('lint prints the form that is asked for, and ends with the same status in each', async () => {
    const file = join(dir, 'forms.redis');
    await writeFile(file, 'DEL big\n');
    const finding = someDiagnostic({ severity: 'error', span: { file, line: 1, column: 5, length: 3 } });
    const lint = { diagnostics: [finding], unchecked: [] };
    const of = (...options: string[]) => runFake(['lint', file, ...options], { lint });
    const [json, sarif, github, markdown] = await Promise.all(
      ['json', 'sarif', 'github', 'markdown'].map((form) => of('--format', form)),
    );
    expect(json?.out).toBe((await of('--json')).out);
    expect(JSON.parse(sarif?.out ?? '')).toMatchObject({
      version: '2.1.0',
      runs: [{ tool: { driver: { semanticVersion: '0.1.0' } }, results: [{ ruleId: 'DEL001' }] }],
    });
    expect(github?.out).toMatch(/^::error file=[^,]+,line=1,col=5,endColumn=8,title=DEL001::/);
    expect(markdown?.out).toContain('| error | DEL001 |');
    expect([json, sarif, github, markdown].map((one) => one?.status)).toEqual([3, 3, 3, 3]);
    expect(await of('--format', 'sarif', '--json')).toMatchObject({ status: 2, out: expect.stringContaining('usage') });
    expect((await of('--format', 'xml')).status).toBe(2);
  });

  it.each(['request', 'plan', 'report'])('schema %s is a JSON Schema', async (name) => {
    const { status, out } = await runFake(['schema', name], { env: {} });
    expect(status).toBe(0);
    const schema = JSON.parse(out);
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(JSON.stringify(schema)).toContain(name === 'request' ? 'key_management' : 'plan_digest'.slice(5));
  });
});

describe('settings', () => {
  it('come from flags before the environment, TLS files included', async () => {
    await writeFile(join(dir, 'ca.pem'), 'CA');
    const env = { REDIS_URL: 'redis://env', HOME: '/home/x', XDG_STATE_HOME: 'relative' };
    const flag = await runFake(['keys', 'find', 'a', '--url', 'rediss://flag', '--cacert', join(dir, 'ca.pem')], {
      env,
    });
    expect(flag.settings[0]).toMatchObject({ url: 'rediss://flag', stateDir: '/home/x/.local/state/redops' });
    expect(flag.settings[0]?.tls?.ca?.toString()).toBe('CA');
    const plain = await runFake(['keys', 'find', 'a'], { env: { ...env, REDOPS_STATE: '/var/redops' } });
    expect(plain.settings[0]).toMatchObject({ url: 'redis://env', stateDir: '/var/redops' });
    const xdg = await runFake(['keys', 'find', 'a'], { env: { ...env, XDG_STATE_HOME: '/s' } });
    expect(xdg.settings[0]?.stateDir).toBe('/s/redops');
    const none = await runFake(['keys', 'find', 'a'], { env: {} });
    expect([none.status, none.err]).toEqual([2, expect.stringContaining('Set REDIS_URL')]);
  });

  it('take a target of redops.yaml from the working directory or --config', async () => {
    await writeFile(
      join(dir, 'redops.yaml'),
      'targets:\n  shop: { url_env: SHOP, tag: production, caps: { max_keys: 5 } }\n',
    );
    const env = { SHOP: 'redis://shop', HOME: '/nowhere' };
    const here = await runFake(['keys', 'find', 'a', '--target', 'shop'], { env, cwd: dir });
    expect(here.settings[0]).toMatchObject({
      url: 'redis://shop',
      name: 'shop',
      tag: 'production',
      caps: { max_keys: 5 },
    });
    const config = ['--config', join(dir, 'redops.yaml')];
    const named = await runFake(['keys', 'find', 'a', '--target', 'shop', ...config], { env });
    expect(named.settings[0]?.url).toBe('redis://shop');
    expect((await runFake(['keys', 'find', 'a', '--target', 'shop'], { cwd: dir, env: {} })).err).toContain('SHOP');
  });

  it('warn of a password in --url and never show it', async () => {
    const fault = new OpsError('unreachable', 'no answer');
    const outcome = await runFake(['keys', 'find', 'a', '--url', 'redis://u:s3cret@h'], { fault });
    expect(outcome.err).toContain('a password in --url');
    expect(outcome.err + outcome.out).not.toContain('s3cret');
  });

  it('colour follows NO_COLOR, FORCE_COLOR and the terminal', async () => {
    const coloured = async (env: Record<string, string>, tty: boolean): Promise<boolean> =>
      (
        await runFake(['plan', '-'], {
          stdin: '{}',
          env: { REDIS_URL: 'redis://h', ...env },
          terminal: tty ? terminal : {},
        })
      ).out.includes('\u001b[');
    expect(await coloured({}, true)).toBe(true);
    expect(await coloured({}, false)).toBe(false);
    expect(await coloured({ NO_COLOR: '1' }, true)).toBe(false);
    expect(await coloured({ FORCE_COLOR: '1' }, false)).toBe(true);
    expect(await coloured({ FORCE_COLOR: '0' }, true)).toBe(false);
  });
});
