/** redops script test and script library as processes: what is printed, the exit statuses, the watch, and that no server is left. */
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { obtainServer } from '../../scripts/servers.mjs';
import { Report } from '../../src/plan/report.ts';
import { ScriptTestReport } from '../../src/plan/script-results.ts';
import { matrix, startServer, waitFor } from '../support/servers.ts';
import { type CallOptions, main, redops, start } from './redops.ts';

const cas = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
`;
const fixtures = `script: cas.lua
tests:
  - name: replaces the value that is expected
    given: { k: old }
    run: { keys: [k], args: [old, new] }
    expect: { reply: 1, keys: { k: new } }
`;
let program: string;
let dir: string;
let temp: string;

beforeAll(async () => {
  program = (await obtainServer()).server;
});
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redops-cli-script-'));
  temp = await mkdtemp(join(tmpdir(), 'redops-cli-temp-')); // where throwaway servers have their folders
  await writeFile(join(dir, 'cas.lua'), cas);
  await writeFile(join(dir, 'cas.test.yaml'), fixtures);
});
afterEach(() => Promise.all([dir, temp].map((folder) => rm(folder, { recursive: true, force: true }))));

const options = (more: CallOptions = {}): CallOptions => ({
  cwd: dir,
  ...more,
  // a target that nobody answers at: nothing may try to connect to it
  env: { TMPDIR: temp, REDIS_URL: 'redis://127.0.0.1:1', REDOPS_SERVER: program, ...more.env },
});
const run = (...argv: string[]) => redops(['script', 'test', ...argv], options());
const steady = (text: string): string => text.replace(/, [\d.]+ ms/g, ', TIME').replace(/\S+ \d+\.\d+\.\d+/g, 'SERVER');
const leftOver = (): Promise<string[]> => readdir(temp);

describe('one run', () => {
  test('prints a line for each test and what it came to; nothing is left', async () => {
    const { status, out, err } = await run('cas.test.yaml');
    expect(err).toBe('');
    expect(steady(out)).toBe(
      'ok   cas.test.yaml: replaces the value that is expected  SERVER, TIME\n1 passed, 0 failed on SERVER\n',
    );
    expect(status).toBe(0);
    expect(await leftOver()).toEqual([]);
  });

  test('a test that fails shows what was expected and what came: status 4', async () => {
    await writeFile(join(dir, 'cas.lua'), cas.replace('ARGV[2]', "'other'"));
    const { status, out } = await run('cas.test.yaml');
    expect(steady(out)).toBe(
      `FAIL cas.test.yaml: replaces the value that is expected  SERVER, TIME
       key k
         expected string new
         got      string other
0 passed, 1 failed on SERVER
`,
    );
    expect(status).toBe(4);
  });

  test('--json prints the report', async () => {
    const { status, out } = await run('cas.test.yaml', '--json');
    const report = ScriptTestReport.parse(JSON.parse(out));
    expect(report).toMatchObject({ passed: 1, failed: 0, skipped: 0 });
    expect(report.results[0]).toMatchObject({ file: 'cas.test.yaml', server: report.servers[0], outcome: 'passed' });
    expect(status).toBe(0);
  });

  test('every --server is a row', async () => {
    const servers = await Promise.all([...matrix(), ...matrix()].slice(0, 2).map((name) => obtainServer(name)));
    const { status, out } = await run(
      'cas.test.yaml',
      '--json',
      ...servers.flatMap(({ server }) => ['--server', server]),
    );
    const report = ScriptTestReport.parse(JSON.parse(out));
    expect(report.results.map(({ server }) => server.split(' ')[1])).toEqual(servers.map(({ version }) => version));
    expect(status).toBe(0);
  });

  test('mistakes have their place and a remedy, all of them, and nothing is started: status 2', async () => {
    await writeFile(join(dir, 'bad.test.yaml'), 'script: no.lua\ntests:\n  - name: t\n    run: {}\n');
    await writeFile(join(dir, 'worse.test.yaml'), 'tests: 1\n');
    const { status, out, err } = await redops(
      ['script', 'test', 'cas.test.yaml', 'bad.test.yaml', 'worse.test.yaml', '--server', '/nonexistent'],
      options(),
    );
    expect(out).toBe('');
    expect(err).toBe(`bad.test.yaml:3:5: the test t expects nothing
  Say what it expects: expect: { reply: ... }.
worse.test.yaml:1:1: script is missing
  Give it; docs/guide/scripts.md shows every field.
worse.test.yaml:1:1: tests: Invalid input: expected array, received number
  Correct it; docs/guide/scripts.md shows every field.
`);
    expect(status).toBe(2);
    expect(await leftOver()).toEqual([]);
  });

  test('a script that is missing is a mistake of the fixtures', async () => {
    await writeFile(join(dir, 'bad.test.yaml'), fixtures.replace('cas.lua', 'no.lua'));
    const { status, err } = await run('bad.test.yaml');
    expect(err).toContain('bad.test.yaml:1:1: the script no.lua cannot be read (ENOENT)');
    expect(status).toBe(2);
    const json = await run('bad.test.yaml', '--json');
    expect(JSON.parse(json.out).mistakes[0]).toMatchObject({ file: 'bad.test.yaml', line: 1, column: 1 });
  });

  test('no server: status 1 with the remedy', async () => {
    const missing = await run('cas.test.yaml', '--server', '/nonexistent/redis-server');
    expect(missing.status).toBe(1);
    expect(missing.err).toContain('/nonexistent/redis-server did not start');
    const none = await redops(
      ['script', 'test', 'cas.test.yaml'],
      options({ env: { REDOPS_SERVER: '', PATH: '/nonexistent' } }),
    );
    expect(none.status).toBe(1);
    expect(none.err).toContain('name one with --server or REDOPS_SERVER');
    expect(await leftOver()).toEqual([]);
  });

  test('arguments that are wrong: status 2', async () => {
    expect((await run('cas.test.yaml', '--timeout', 'soon')).status).toBe(2);
    expect((await run('cas.test.yaml', '--watch', '--json')).status).toBe(2);
    expect((await run()).status).toBe(2);
  });

  test('--timeout bounds a script that does not end', async () => {
    await writeFile(join(dir, 'cas.lua'), 'while true do end');
    const { status, out } = await run('cas.test.yaml', '--timeout', '300ms');
    expect(out).toContain('the script did not end within 300 ms: it was killed');
    expect(status).toBe(4);
    expect(await leftOver()).toEqual([]);
  });
});

test('Ctrl-C ends a run at once, also one that waits for a script; no server is left', async () => {
  await writeFile(join(dir, 'cas.lua'), "redis.call('SET', KEYS[1], 1) while true do end");
  const waiting = start(
    process.execPath,
    [main, 'script', 'test', 'cas.test.yaml', '--timeout', '10m', '--json'],
    options(),
  );
  try {
    await waitFor('its server', async () => (await leftOver()).length === 1);
    const [folder = ''] = await leftOver();
    // the server answers nobody while the script runs: its log says that it is slow
    await waitFor('the script', async () =>
      /[Ss]low script/.test(await readFile(join(temp, folder, 'server.log'), 'utf8')),
    );
    waiting.child.kill('SIGINT');
    const { status, out } = await waiting.ended;
    expect(status).toBe(130);
    expect(ScriptTestReport.parse(JSON.parse(out))).toMatchObject({ passed: 0, failed: 0, results: [] });
    expect(await leftOver()).toEqual([]);
  } finally {
    waiting.child.kill('SIGKILL');
  }
});

describe('fixtures as a module', () => {
  const asModule = `export const fixtures = {
  script: 'cas.lua',
  tests: [{ name: 'a' + 1, given: { k: 'old' }, run: { keys: ['k'], args: ['old', 'new'] }, expect: { reply: 1, keys: { k: 'new' } } }],
};
`;

  test('.mjs, by name or as the default', async () => {
    await writeFile(join(dir, 'named.mjs'), asModule);
    await writeFile(join(dir, 'default.mjs'), asModule.replace('const fixtures =', 'default'));
    const { status, out } = await run('named.mjs', 'default.mjs');
    expect(steady(out)).toContain('ok   named.mjs: a1');
    expect(steady(out)).toContain('ok   default.mjs: a1');
    expect(status).toBe(0);
  });

  test('.ts where this Node runs it, else one clear message', async () => {
    await writeFile(
      join(dir, 'cas.test.ts'),
      asModule.replace('fixtures =', 'fixtures: { script: string; tests: unknown[] } ='),
    );
    const { status, out, err } = await run('cas.test.ts');
    if ('typescript' in process.features && process.features.typescript !== false) {
      expect(out).toContain('ok   cas.test.ts: a1');
      expect(status).toBe(0);
    } else {
      expect(err).toContain('cas.test.ts: this Node does not run TypeScript by itself');
      expect(err).toContain('Node 22.18');
      expect(status).toBe(2);
    }
  });

  test('mistakes in one are told by name', async () => {
    await writeFile(join(dir, 'a.mjs'), asModule.replace("keys: ['k']", "keyz: ['k']"));
    await writeFile(join(dir, 'b.mjs'), 'export const other = 1;');
    await writeFile(join(dir, 'c.mjs'), 'this is no module');
    const { status, err } = await run('a.mjs', 'b.mjs', 'c.mjs');
    expect(err).toContain('a.mjs: keyz is not a field of tests[0].run');
    expect(err).toContain('b.mjs: the module exports no fixtures');
    expect(err).toContain('c.mjs: the module cannot be loaded: ');
    expect(status).toBe(2);
  });
});

describe('--watch', () => {
  test('runs again when the script or the fixtures change, on the same server, and Ctrl-C ends it', async () => {
    const watching = start(process.execPath, [main, 'script', 'test', 'cas.test.yaml', '--watch'], options());
    let said = '';
    for (const stream of [watching.child.stdout, watching.child.stderr]) {
      stream?.on('data', (text: string) => {
        said += text;
      });
    }
    // a write may be seen in two parts, and then it runs twice: what counts is what it says in the end
    const saysAfter = async (change: () => Promise<unknown>, expected: string): Promise<void> => {
      const from = said.length;
      await change();
      await waitFor(expected, () => said.slice(from).includes(expected));
    };
    const write = (name: string, text: string) => () => writeFile(join(dir, name), text);
    try {
      await saysAfter(async () => undefined, '1 passed, 0 failed');
      await waitFor('the watch', () => said.includes('Watching. Ctrl-C ends it.'));
      const servers = await leftOver();
      expect(servers).toHaveLength(1);
      await saysAfter(write('cas.lua', cas.replace('return 1', 'return 2')), 'got      the integer 2');
      // replaced, as editors do it
      await writeFile(join(dir, 'other'), fixtures.replace('reply: 1', 'reply: 2'));
      await saysAfter(() => rename(join(dir, 'other'), join(dir, 'cas.test.yaml')), '1 passed, 0 failed');
      await saysAfter(write('cas.test.yaml', fixtures.replace('run:', 'runs:')), 'runs is not a field of tests[0]');
      await saysAfter(write('cas.test.yaml', fixtures.replace('reply: 1', 'reply: 2')), '1 passed, 0 failed');
      expect(await leftOver()).toEqual(servers);
      watching.child.kill('SIGINT');
      expect((await watching.ended).status).toBe(130);
      expect(await leftOver()).toEqual([]);
    } finally {
      watching.child.kill('SIGKILL');
    }
  });
});

describe('the library', () => {
  const folder = fileURLToPath(new URL('../../lua/', import.meta.url));

  test('lists every script with its contract, and prints one', async () => {
    const names = (await readdir(folder)).filter((file) => file.endsWith('.lua')).map((file) => file.slice(0, -4));
    const list = await redops(['script', 'library'], options());
    expect(
      list.out
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    ).toEqual(names.sort());
    for (const line of list.out.trim().split('\n')) expect(line).toMatch(/^[a-z-]+ {2,}[a-z].{20,}$/);
    const { scripts } = JSON.parse((await redops(['script', 'library', '--json'], options())).out);
    expect(scripts).toHaveLength(names.length);
    const one = await redops(['script', 'library', 'transfer'], options());
    expect(one.out).toBe(await readFile(join(folder, 'transfer.lua'), 'utf8'));
  });

  test('a name that it does not have: status 2, and the names that it has', async () => {
    const { status, err } = await redops(['script', 'library', '../package.json'], options());
    expect(status).toBe(2);
    expect(err).toContain('It has: capped-increment, compare-and-delete');
  });

  test('script run --library runs one on a target', async () => {
    const server = await startServer();
    const call = (...argv: string[]) =>
      redops(
        ['script', 'run', ...argv, '--yes', '--json'],
        options({ env: { REDIS_URL: server.url, REDOPS_STATE: dir } }),
      );
    await server.cli('SET', 'k', 'old');
    const { out, status } = await call('--library', 'compare-and-set', '--keys', 'k', '--args', 'old', 'new');
    expect(Report.parse(JSON.parse(out)).results[0]).toMatchObject({ outcome: 'ok', reply: 1 });
    expect(status).toBe(0);
    expect(await server.cli('GET', 'k')).toBe('new');
    expect((await call('--keys', 'k')).err).toContain('no script is given');
    expect((await call('cas.lua', '--library', 'transfer')).err).toContain('a file and --library are both given');
  });
});
