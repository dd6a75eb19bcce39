/** redops approve: a plan of a production target, approved by whoever knows the passphrase, runs once without a person. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Report } from '../../src/plan/report.ts';
import { startServer, type TestServer } from '../support/servers.ts';
import { runFake } from './fake-io.ts';
import { type CallOptions, type Ended, redops } from './redops.ts';

let server: TestServer;
let dir: string;
beforeAll(async () => {
  server = await startServer();
});
beforeEach(async () => {
  await server.cli('FLUSHALL');
  dir = await mkdtemp(join(tmpdir(), 'redops-approve-'));
  await writeFile(join(dir, 'redops.yaml'), `targets:\n  shop: { url: "${server.url}", tag: production }\n`);
  await writeFile(join(dir, 'pass'), 'correct horse battery\n', { mode: 0o600 });
  await writeFile(join(dir, 'load.redis'), 'SET a 1\nDEL b\n');
  await server.cli('SET', 'b', '1');
  return () => rm(dir, { recursive: true, force: true });
});
afterAll(() => server.stop());

const run = (line: string, options: CallOptions = {}): Promise<Ended> =>
  redops(line.split(' '), { cwd: dir, ...options, env: { REDOPS_STATE: join(dir, 'state'), ...options.env } });
const reportOf = ({ out }: Ended): Report => Report.parse(JSON.parse(out));
const pipe = 'pipe load.redis --target shop --json';

/** The approval of the plan that `pipe` waits for. */
async function approved(options = ''): Promise<string> {
  const digest = reportOf(await run(pipe)).plan_digest;
  const ended = await run(`approve ${digest} --passphrase-file pass${options}`);
  expect(ended.status).toBe(0);
  return ended.out.trim();
}

describe('an approval', () => {
  it('lets exactly that plan run, once, where --yes does not', async () => {
    const waiting = await run(`${pipe} --yes`);
    expect([waiting.status, reportOf(waiting).status]).toEqual([3, 'needs_approval']);
    const approval = await approved();
    await writeFile(join(dir, 'load.redis'), 'SET a 2\nDEL b\n');
    const other = await run(`${pipe} --approve ${approval}`);
    expect([other.status, other.err]).toEqual([3, expect.stringContaining('it is for another plan')]);
    expect(await server.cli('EXISTS', 'b')).toBe('1');
    await writeFile(join(dir, 'load.redis'), 'SET a 1\nDEL b\n');
    const done = await run(`${pipe} --approve ${approval}`);
    expect([done.status, reportOf(done).totals.changed]).toEqual([0, 2]);
    const again = await run(`${pipe} --approve ${approval}`);
    expect([again.status, again.err]).toEqual([3, expect.stringContaining('it was used before')]);
  });

  it('is asked for by the digits that the plan shows, and shows the plan', async () => {
    const digest = reportOf(await run(pipe)).plan_digest;
    const short = digest.slice('sha256:'.length, 'sha256:'.length + 12);
    const ended = await run(`approve ${short} --passphrase-file pass --expires 10m`);
    expect(ended.status).toBe(0);
    expect(ended.err).toContain('Plan: stream the commands of load.redis');
    expect(ended.err).toContain('DESTRUCTIVE');
    expect(ended.err).toMatch(/Approved: one run of plan [0-9a-f]{12} on shop, until /);
    expect(ended.out).toMatch(/^[\w-]+\.[\w-]+\n$/);
    expect((await stat(join(dir, 'state/approvals/key.pem'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(dir, 'state/approvals/key.pem'), 'utf8')).toContain('ENCRYPTED');
  });

  it('is of a plan document too, and runs it with apply', async () => {
    await writeFile(join(dir, 'r.json'), JSON.stringify({ operation_type: 'pipelining', commands: ['DEL b'] }));
    await writeFile(join(dir, 'plan.json'), (await run('plan r.json --target shop --json')).out);
    const approval = (await run('approve plan.json --passphrase-file pass')).out.trim();
    expect((await run('apply plan.json --target shop --yes')).status).toBe(3);
    expect((await run(`apply plan.json --target shop --approve ${approval}`)).status).toBe(0);
    expect(await server.cli('EXISTS', 'b')).toBe('0');
  });

  it('does not hold when it has expired, is forged, or the passphrase is another', async () => {
    const expired = await approved(' --expires 1ms');
    expect((await run(`${pipe} --approve ${expired}`)).err).toContain('it has expired');
    const approval = await approved();
    const [body, signature] = approval.split('.');
    const claim = JSON.parse(Buffer.from(body!, 'base64url').toString());
    const longer = Buffer.from(JSON.stringify({ ...claim, expires_ms: claim.expires_ms + 1 })).toString('base64url');
    expect((await run(`${pipe} --approve ${longer}.${signature}`)).status).toBe(3);
    await writeFile(join(dir, 'pass'), 'something else entirely\n');
    const digest = reportOf(await run(pipe)).plan_digest;
    const wrong = await run(`approve ${digest} --passphrase-file pass`);
    expect([wrong.status, wrong.out]).toEqual([2, '']);
    expect(await server.cli('EXISTS', 'b')).toBe('1');
  });

  it.each([
    ['approve 0123456789ab --passphrase-file pass', 2],
    ['approve none.json --passphrase-file pass', 2],
    ['approve load.redis --passphrase-file pass', 2],
    ['approve 0123456789ab --expires 30d', 2],
    ['approve 0123456789ab --expires soon', 2],
  ])('redops %s: %i, and nothing on standard output', async (line, status) => {
    const ended = await run(line);
    expect([ended.status, ended.out]).toEqual([status, '']);
  });

  it('is refused for a plan that an error refuses anyway', async () => {
    await writeFile(
      join(dir, 'r.json'),
      JSON.stringify({ operation_type: 'batch', select: { match: '*' }, do: { action: 'unlink' } }),
    );
    await writeFile(join(dir, 'plan.json'), (await run('plan r.json --target shop --json')).out);
    const ended = await run('approve plan.json --passphrase-file pass');
    expect([ended.status, ended.out]).toEqual([3, '']);
    expect(ended.err).toContain('KEY004');
  });
});

describe('the passphrase', () => {
  const terminal = { stdin: true, stdout: true, stderr: true };
  const ask = async (answers: readonly string[], where = terminal) => {
    const digest = reportOf(await run(pipe)).plan_digest;
    const env = { REDOPS_STATE: join(dir, 'state') };
    return runFake(['approve', digest], { env, cwd: dir, terminal: where, answers });
  };

  it('is typed twice for the first approval and once for later ones, and never shown', async () => {
    const first = await ask(['correct horse', 'correct horse']);
    expect([first.status, first.asked]).toEqual([0, ['Passphrase of the approval key: ', 'The same again: ']]);
    const second = await ask(['correct horse']);
    expect([second.status, second.asked.length]).toEqual([0, 1]);
    expect(first.out + first.err + second.out + second.err).not.toContain('correct horse');
    expect((await ask(['another one'])).status).toBe(2);
  });

  it('makes no key when the two differ, when it is short, or when nobody gives it', async () => {
    expect((await ask(['correct horse', 'correct house'])).status).toBe(2);
    expect((await ask(['short', 'short'])).status).toBe(2);
    expect((await ask([])).status).toBe(130);
    const nobody = await ask([], { stdin: false, stdout: true, stderr: true });
    expect([nobody.status, nobody.err]).toEqual([2, expect.stringContaining('--passphrase-file')]);
    await expect(stat(join(dir, 'state/approvals/key.pem'))).rejects.toThrow('ENOENT');
  });
});
