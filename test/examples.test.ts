/**
 * What people copy works: every request of examples/requests is planned and applied on real data, and every program of
 * examples/ is run as its users would, on the built package (`npm test` builds dist/). Each is judged by the data
 * afterwards, as redis-cli shows it.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Report } from '../src/plan/report.ts';
import { applied, planOf, withAgent } from './support/agent.ts';
import { startServer, type TestServer, waitFor } from './support/servers.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const filesOf = (folder: string, ending: string): string[] =>
  readdirSync(new URL(folder, new URL('../', import.meta.url)))
    .filter((name) => name.endsWith(ending))
    .sort();

let server: TestServer;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redops-examples-'));
  server = await startServer({ args: ['--lua-time-limit', '100'] });
});
afterAll(() => rm(dir, { recursive: true, force: true }));
beforeEach(async () => {
  await server.cli('FLUSHALL');
  await server.cli('SCRIPT', 'FLUSH');
  await server.cli('FUNCTION', 'FLUSH');
});

/** What an example finds, and what must be true afterwards. */
interface Case {
  /** Command lines, words separated by single blanks. */
  readonly before?: readonly string[];
  /** The library of lua_script-function_load.json is there before. */
  readonly library?: true;
  /** Default: succeeded. */
  readonly status?: Report['status'];
  /** Command lines and their output. */
  readonly after?: Readonly<Record<string, string>>;
  /** Keys and the range, in seconds, that their TTL lies in. */
  readonly ttl?: Readonly<Record<string, readonly [number, number]>>;
  readonly report?: object;
}

const shop = (): string => String((requestOf('lua_script-function_load.json') as { script?: string }).script);
const sha1 = (script: string): string => createHash('sha1').update(script).digest('hex');
const day = 86_400;

const requests: Readonly<Record<string, Case>> = {
  'batch-expire.json': {
    before: ['SET cache:1 v', 'SET cache:2 v EX 10', 'HSET cache:3 f v', 'SET other v'],
    ttl: { 'cache:1': [3590, 3960], 'cache:2': [1, 10], 'cache:3': [-1, -1], other: [-1, -1] },
  },
  'batch-persist.json': {
    before: ['SET profile:1 v EX 100', 'SET other v EX 100'],
    ttl: { 'profile:1': [-1, -1], other: [1, 100] },
  },
  'batch-touch.json': {
    before: ['SET profile:1 v', 'SETRANGE profile:2 150000 x', 'SET other v'],
    report: { totals: expect.objectContaining({ matched: 1, changed: 1 }) },
  },
  'batch-unlink.json': {
    before: ['SET session:1 v', 'HSET session:2 f v', 'SET other v'],
    after: { 'EXISTS session:1 session:2': '0', DBSIZE: '1' },
  },
  'expiration-audit.json': {
    before: ['SET session:1 v', 'SET session:2 v EX 100', 'SET cache:1 v EX 100'],
    report: {
      audit: expect.arrayContaining([
        expect.objectContaining({ prefix: 'session:', keys: 2, without_ttl: 1 }),
        expect.objectContaining({ prefix: 'cache:', keys: 1, without_ttl: 0 }),
      ]),
    },
  },
  'expiration-get.json': {
    before: ['SET cart:1 v'],
    report: { results: [expect.objectContaining({ reply: -1 }), expect.objectContaining({ reply: -2 })] },
  },
  'expiration-persist.json': { before: ['SET cart:1 v EX 100'], ttl: { 'cart:1': [-1, -1] } },
  'expiration-set-at.json': {
    before: ['SET offer:1 v'],
    ttl: { 'offer:1': [secondsUntil('2040-01-01T00:00:00Z') - 30, secondsUntil('2040-01-01T00:00:00Z') + 30] },
  },
  'expiration-set-keys.json': {
    before: ['SET cart:1 v', 'SET cart:2 v'],
    ttl: { 'cart:1': [7190, 7200], 'cart:2': [7190, 7200] },
  },
  'expiration-set.json': {
    before: ['SET session:1 v', 'SET session:2 v EX 5', 'SET other v'],
    ttl: { 'session:1': [day - 10, day * 1.1], 'session:2': [day - 10, day * 1.1], other: [-1, -1] },
  },
  'key_management-copy.json': {
    before: ['SET report:2030 figures'],
    after: { 'GET report:2030': 'figures', 'GET report:2030:copy': 'figures' },
  },
  'key_management-delete-match.json': {
    before: ['SET tmp:1 v', 'SADD tmp:2 m', 'SET other v'],
    after: { 'EXISTS tmp:1 tmp:2': '0', DBSIZE: '1' },
  },
  'key_management-delete.json': {
    before: ['SET user:1 v', 'SET other v', "EVAL redis.call('SET','\\255\\0\\254','v') 0"],
    after: { 'EXISTS user:1': '0', DBSIZE: '1' },
  },
  'key_management-find.json': {
    before: ['HSET user:1 f v', 'SET user:2 v', 'HSET other f v'],
    report: { found: { keys: ['user:1'], more: false } },
  },
  'key_management-inspect.json': {
    before: ['HSET user:1 f v'],
    report: {
      results: expect.arrayContaining([
        expect.objectContaining({ argv: ['TYPE', 'user:1'], reply: 'hash' }),
        expect.objectContaining({ argv: ['TYPE', 'user:2'], reply: 'none' }),
      ]),
    },
  },
  'key_management-rename.json': {
    before: ['SET report:draft figures'],
    after: { 'GET report:2030': 'figures', 'EXISTS report:draft': '0' },
  },
  'key_management-touch.json': {
    before: ['SET user:1 v'],
    report: { results: [expect.objectContaining({ reply: 1 }), expect.objectContaining({ reply: 0 })] },
    after: { 'GET user:1': 'v' },
  },
  'lua_script-call.json': {
    library: true,
    before: ['SET stock:42 10'],
    report: { results: [expect.objectContaining({ reply: 7 })] },
    after: { 'GET stock:42': '7' },
  },
  'lua_script-function_delete.json': { library: true, after: { 'FUNCTION LIST': '' } },
  'lua_script-function_dump.json': {
    library: true,
    report: { saved: expect.objectContaining({ bytes: expect.any(Number) }) },
  },
  'lua_script-function_flush.json': { library: true, after: { 'FUNCTION LIST': '' } },
  'lua_script-function_list.json': { library: true, report: { results: [expect.objectContaining({ outcome: 'ok' })] } },
  'lua_script-function_load.json': { report: { results: [expect.objectContaining({ reply: 'shop' })] } },
  'lua_script-function_restore.json': { after: { 'FCALL one 0': '1' } },
  'lua_script-function_stats.json': { report: { results: [expect.objectContaining({ outcome: 'ok' })] } },
  'lua_script-exists.json': { report: { results: [expect.objectContaining({ reply: [0] })] } },
  'lua_script-flush.json': {
    before: ['SCRIPT LOAD return(1)'],
    after: { [`SCRIPT EXISTS ${sha1('return(1)')}`]: '0' },
  },
  // LUA002 is an error, which refuses
  'lua_script-lint.json': {
    status: 'refused',
    report: { results: [], warnings: expect.arrayContaining([expect.objectContaining({ code: 'LUA002' })]) },
    after: { DBSIZE: '0' },
  },
  'lua_script-load.json': { after: { [`SCRIPT EXISTS ${sha1("return redis.call('GET', KEYS[1])")}`]: '1' } },
  'lua_script-run.json': { before: ['SET lock:job old'], after: { 'GET lock:job': 'new' } },
  'pipelining.json': {
    after: { 'HGET user:1 name': 'Ada Lovelace', 'SISMEMBER users user:1': '1', 'STRLEN blob:1': '3' },
  },
  'transaction-watch.json': {
    before: ['SET config:version 6'],
    report: { transaction: expect.objectContaining({ outcome: 'committed' }) },
    after: { 'HGET config mode': 'fast', 'GET config:version': '7' },
  },
  'transaction.json': {
    before: ['SET account:1 120', 'SET account:2 3'],
    report: { transaction: expect.objectContaining({ outcome: 'committed', attempts: 1 }) },
    after: { 'GET account:1': '70', 'GET account:2': '53' },
  },
};

describe('examples/requests', () => {
  // SCRIPT KILL and FUNCTION KILL need something that runs: they have tests of their own
  test('every one is tested here', () => {
    const tested = [...Object.keys(requests), 'lua_script-kill.json', 'lua_script-function_kill.json'].sort();
    expect(filesOf('examples/requests/', '.json')).toEqual(tested);
  });

  test.each(Object.entries(requests))(
    '%s',
    async (name, { before = [], library, status = 'succeeded', ...expected }) => {
      if (library) await server.cli('FUNCTION', 'LOAD', shop());
      for (const line of before) await command(line);
      const report = await withAgent(
        server.url,
        async (agent) => applied(agent, await planOf(agent, requestOf(name))),
        { filePath: (path) => join(dir, path) },
      );
      expect(report).toMatchObject({ status, ...expected.report });
      for (const [line, output] of Object.entries(expected.after ?? {})) {
        expect({ line, output: await command(line) }).toEqual({ line, output });
      }
      for (const [key, [low, high]] of Object.entries(expected.ttl ?? {})) {
        const seconds = Number(await server.cli('TTL', key));
        expect(seconds, key).toBeGreaterThanOrEqual(low);
        expect(seconds, key).toBeLessThanOrEqual(high);
      }
    },
  );

  test('a transfer that the account does not have writes nothing', async () => {
    await command('SET account:1 49');
    const report = await withAgent(server.url, (agent) => applied(agent, requestOf('transaction.json')));
    expect(report).toMatchObject({ status: 'succeeded', transaction: { outcome: 'not_met' } });
    expect([await command('GET account:1'), await command('EXISTS account:2')]).toEqual(['49', '0']);
  });

  test('lua_script-kill.json', async () => {
    await withAgent(server.url, async (agent) => {
      const endless = server.cli('EVAL', 'while true do end', '0').catch(String);
      await waitFor('BUSY', async () => (await server.cli('PING').catch(String)).includes('BUSY'));
      const report = await applied(agent, requestOf('lua_script-kill.json'));
      expect(report).toMatchObject({ status: 'succeeded' });
      expect(await endless).toMatch(/killed/i);
      expect(await server.cli('PING')).toBe('PONG');
    });
  });

  test('lua_script-function_kill.json', async () => {
    const endlessly = "#!lua name=shop\nredis.register_function('endless', function() while true do end end)";
    await server.cli('FUNCTION', 'LOAD', endlessly);
    await withAgent(server.url, async (agent) => {
      const endless = server.cli('FCALL', 'endless', '0').catch(String);
      await waitFor('BUSY', async () => (await server.cli('PING').catch(String)).includes('BUSY'));
      expect(await applied(agent, requestOf('lua_script-function_kill.json'))).toMatchObject({ status: 'succeeded' });
      expect(await endless).toMatch(/killed/i);
    });
  });
});

describe('examples/*.mjs', () => {
  test('every one is tested here', () => {
    expect(filesOf('examples/', '.mjs')).toEqual([
      'expire-sessions.mjs',
      'pipeline-outcomes.mjs',
      'purge-cache.mjs',
      'transaction-library.mjs',
      'transfer.mjs',
    ]);
  });

  test('expire-sessions.mjs gives a TTL to those without, and to nobody else', async () => {
    for (const line of ['SET session:1 v', 'SET session:2 v EX 50', 'SET other v']) await command(line);
    const { status, stdout } = await example('expire-sessions.mjs');
    expect(stdout).toContain('1 given a TTL, 1 had one\n0 without a TTL now\n');
    expect(status).toBe(0);
    expect(Number(await command('TTL session:1'))).toBeGreaterThan(day - 60);
    expect(Number(await command('TTL session:2'))).toBeLessThanOrEqual(50);
    expect(await command('TTL other')).toBe('-1');
  });

  test('pipeline-outcomes.mjs tells of each command what became of it', async () => {
    const { status, stdout } = await example('pipeline-outcomes.mjs');
    expect(status).toBe(4);
    expect(stdout.match(/^\d+ {2}ok /gm)).toHaveLength(6);
    expect(stdout).toMatch(/^5 {2}error {2}LPUSH .*WRONGTYPE/m);
    expect(await command('HGET visits:today /')).toBe('3');
    expect(Number(await command('TTL visits:today'))).toBeGreaterThan(172_700);
  });

  test('transaction-library.mjs gives a seat while there is one, and to nobody twice', async () => {
    await command('SET {concert:7}:free 1');
    const first = await example('transaction-library.mjs', 'concert:7', 'ada');
    expect(first).toMatchObject({ status: 0, stdout: 'ada has a seat, after 1 attempt(s)\n' });
    for (const guest of ['ada', 'grace']) {
      const next = await example('transaction-library.mjs', 'concert:7', guest);
      expect(next).toMatchObject({ status: 0, stdout: `no seat for ${guest}, and nothing was written\n` });
    }
    expect([await command('GET {concert:7}:free'), await command('HGETALL {concert:7}:seats')]).toEqual([
      '0',
      'ada\n1',
    ]);
  });

  test('transfer.mjs moves what is there, and nothing that is not', async () => {
    await command('SET account:1 70');
    const first = await example('transfer.mjs', 'account:1', 'account:2', '50');
    expect(first).toMatchObject({ status: 0, stdout: expect.stringContaining('committed after 1 attempt') });
    const second = await example('transfer.mjs', 'account:1', 'account:2', '50');
    expect(second).toMatchObject({ status: 0, stdout: expect.stringContaining('not_met') });
    expect([await command('GET account:1'), await command('GET account:2')]).toEqual(['20', '50']);
  });

  test('purge-cache.mjs deletes only once the target is named', async () => {
    for (const line of ['SET cache:1 v', 'SET cache:2 v', 'SET a v', 'SET b v']) await command(line);
    const asked = await example('purge-cache.mjs', 'cache:*');
    expect(asked.stdout).toContain('dry run: succeeded, 2 keys would go\nnothing was deleted');
    expect(await command('DBSIZE')).toBe('4');
    const named = await example('purge-cache.mjs', 'cache:*', server.url);
    expect(named).toMatchObject({ status: 0, stdout: expect.stringContaining('succeeded: 2 keys unlinked') });
    expect([await command('DBSIZE'), await command('EXISTS cache:1 cache:2')]).toEqual(['2', '0']);
  });

  test('they are written to the published types', async () => {
    const options = '--noEmit --ignoreConfig --allowJs --checkJs --strict --skipLibCheck --module nodenext';
    const files = filesOf('examples/', '.mjs').map((name) => `examples/${name}`);
    const args = ['--target', 'es2023', '--types', 'node', ...options.split(' '), ...files];
    expect(await run(`${root}node_modules/.bin/tsc`, args)).toEqual({ status: 0, stdout: '' });
  });
});

function requestOf(name: string): unknown {
  return JSON.parse(readFileSync(`${root}examples/requests/${name}`, 'utf8'));
}

function command(line: string): Promise<string> {
  return server.cli(...line.split(' '));
}

function secondsUntil(instant: string): number {
  return Math.round((Date.parse(instant) - Date.now()) / 1000);
}

function example(name: string, ...args: string[]): Promise<{ status: number; stdout: string }> {
  return run(process.execPath, [`examples/${name}`, ...args], { REDIS_URL: server.url });
}

/** Runs a program in the checkout; its exit status and standard output. Bounded by 25 s. */
async function run(program: string, args: readonly string[], env: Record<string, string> = {}) {
  const options = { cwd: root, timeout: 25_000, killSignal: 'SIGKILL', env: { ...process.env, ...env } } as const;
  const done = promisify(execFile)(program, [...args], options).then(
    ({ stdout }) => ({ status: 0, stdout }),
    (error: { code?: number; stdout?: string }) => {
      if (typeof error.code !== 'number') throw error;
      return { status: error.code, stdout: error.stdout ?? '' };
    },
  );
  return done;
}
