/** lint as a process: inputs of every kind, the forms of its output, rewrites, a running server, and the hook that people copy. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeCommands } from '../../src/formats/resp.ts';
import { startServer, type TestServer } from '../support/servers.ts';
import { redops } from './redops.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redops-lint-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const run = (...args: string[]) => redops(['lint', ...args], { cwd: dir, env: { NO_COLOR: '1' } });
const put = (name: string, content: string | Uint8Array) => writeFile(join(dir, name), content);

describe('inputs', () => {
  it('a capture, an append-only file and a command file in one call, folded and counted', async () => {
    await put('cap.txt', `OK\n${'1339518083.107412 [0 127.0.0.1:60866] "keys" "*"\n'.repeat(3)}`);
    await put('x.aof', encodeCommands([['SET', 'lock:1', 'v'], ...Array.from({ length: 120 }, () => ['INCR', 'n'])]));
    await put('a.redis', 'SET cache:1 v\n');
    const { status, out } = await run('cap.txt', 'x.aof', 'a.redis');
    expect(status).toBe(3);
    expect(out).toContain('error KEY001 at cap.txt:2\n');
    expect(out).toContain('  seen 3 times; next at cap.txt:3, cap.txt:4\n');
    expect(out).toContain('error TTL001 at x.aof, command 1 (byte 0)\n');
    expect(out).toContain('  1 | SET cache:1 v\n');
    expect(out).toContain('cap.txt: 3 commands read (monitor)\n');
    expect(out).toMatch(/\n4 errors, 1 warning\n$/);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('what an input is, can be said', async () => {
    await put('odd.aof', 'SET cache:1 v\n');
    expect((await run('odd.aof')).status).toBe(2);
    expect((await run('odd.aof', '--input', 'commands')).out).toContain('TTL001');
    expect(await run()).toMatchObject({ status: 2, err: expect.stringContaining('nothing to lint') });
  });

  it('a secret is named in every form of the output, and shown in none', async () => {
    await put('login.redis', 'AUTH hunter22\nCONFIG SET requirepass hunter22\n');
    for (const format of ['text', 'json', 'sarif', 'github', 'markdown']) {
      const { out, err } = await run('login.redis', '--format', format);
      expect(out).toContain('SEC004');
      expect(out + err).not.toContain('hunter22');
    }
  });

  it('conventions of redops.yaml count, and their weight', async () => {
    await put(
      'redops.yaml',
      'lint:\n  severity: { TTL011: error }\n  conventions:\n    - { match: "page:*", ttl_max: 60 }\n',
    );
    await put('page.redis', 'SET page:1 v EX 61\n');
    const { status, out } = await run('page.redis');
    await rm(join(dir, 'redops.yaml'));
    expect(status).toBe(3);
    expect(out).toContain('  1 | SET page:1 v EX 61\n    |                 ^^\n');
  });
});

describe('rewrites', () => {
  it('shows, then writes, and says what is left', async () => {
    const before = '# redops-ignore KEY001: gone\nKEYS_ *\n# redops-ignore TTL001: gone\nGET a\n';
    await put('fix.redis', before);
    const dry = await run('fix.redis', '--fix', '--dry-run');
    expect(dry.err).toContain('-# redops-ignore TTL001: gone\n');
    expect(dry.err).toContain('2 rewrites in 1 file: nothing was written.');
    expect(await readFile(join(dir, 'fix.redis'), 'utf8')).toBe(before);
    const { status, out, err } = await run('fix.redis', '--fix');
    expect(err).toContain('2 rewrites in 1 file.');
    expect(await readFile(join(dir, 'fix.redis'), 'utf8')).toBe('KEYS_ *\nGET a\n');
    expect([status, out.match(/CMD001|IGN001/g)]).toEqual([3, ['CMD001', 'CMD001']]);
    expect((await run('fix.redis', '--dry-run')).status).toBe(2);
    expect((await redops(['lint', '-', '--fix'], { input: 'GET a\n' })).status).toBe(2);
  });
});

describe('a running server', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  it('MONITOR says what it costs, and REDIS_URL alone is enough for what was asked for', async () => {
    const { status, out, err } = await redops(['lint', '--monitor', '50ms', '--slowlog', '5'], {
      env: { REDIS_URL: server.url },
    });
    expect([status, err]).toEqual([0, expect.stringContaining('can halve what the server does')]);
    expect(out).toContain('note MONITOR ran for 50 ms');
    expect(out).toContain('read (slowlog)');
  });

  it('times and files that do not go with it are refused', async () => {
    for (const args of [
      ['--monitor', '11m'],
      ['--monitor', 'x'],
      ['--monitor', '1s', 'a.redis'],
      ['--slowlog', '0'],
    ])
      expect([args, (await redops(['lint', ...args], { env: { REDIS_URL: server.url } })).status]).toEqual([args, 2]);
    expect((await redops(['lint', '--monitor', '1s'], { env: { REDIS_URL: '' } })).status).toBe(2);
  });
});

describe('the hook that people copy', () => {
  it('judges what is staged, not what lies in the tree', async () => {
    const repository = join(dir, 'repository');
    await mkdir(repository);
    const command = join(dir, 'redops');
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
    await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
    await chmod(command, 0o755);
    const env = { ...process.env, REDOPS: command, HOME: dir, GIT_CONFIG_NOSYSTEM: '1' };
    const git = (...args: string[]) => promisify(execFile)('git', args, { cwd: repository, env });
    await git('init', '-q');
    await git('config', 'user.email', 'a@example.com');
    await git('config', 'user.name', 'a');
    const hook = await readFile(new URL('../../examples/ci/pre-commit', import.meta.url));
    await writeFile(join(repository, '.git/hooks/pre-commit'), hook, { mode: 0o755 });
    await writeFile(join(repository, 'a b.redis'), 'KEYS *\n');
    await writeFile(join(repository, '-c.redis'), 'GET a\n');
    await git('add', '-A');
    await writeFile(join(repository, 'a b.redis'), 'GET a\n');
    await expect(git('commit', '-qm', 'one')).rejects.toMatchObject({ stderr: expect.stringContaining('KEY001') });
    await git('add', '-A');
    await git('commit', '-qm', 'one');
    await writeFile(join(repository, 'other.txt'), 'KEYS *\n');
    await git('add', '-A');
    await git('commit', '-qm', 'two');
  });
});
