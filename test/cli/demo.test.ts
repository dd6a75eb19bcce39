/** The tour keeps its word: it runs to its end, holds what it claims, and leaves nothing behind, however it ends. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { obtainServer } from '../../scripts/servers.mjs';
import { runDemo } from '../../src/cli/demo/demo.ts';
import type { Chapter } from '../../src/cli/demo/scene.ts';
import { bigHash, seedCommands, seedKeys } from '../../src/cli/demo/seed.ts';
import { openStage } from '../../src/cli/demo/stage.ts';
import { Request } from '../../src/plan/request.ts';
import { openWire } from '../../src/throwaway.ts';
import { matrix, startServer, waitFor } from '../support/servers.ts';
import { runFake } from './fake-io.ts';

/** Runs the demo on a server of its own; its status and what it wrote. */
async function demo(server: string, chapters?: readonly Chapter[], env: Record<string, string> = {}) {
  let text = '';
  const write = (words: string): void => {
    text += words;
  };
  const status = await runDemo({ write, width: 80, env: { REDOPS_SERVER: server, ...env } }, chapters);
  const [, pid = '', dir = ''] = /process (\d+) has ended and (\S+) is gone/.exec(text) ?? [];
  return { status, text, pid: Number(pid), dir };
}

describe.each(matrix().map((version) => ({ version, name: version ?? 'the default server' })))(
  'on $name',
  ({ version }) => {
    test('shows every operation type, and everything it claims holds', { timeout: 90_000 }, async () => {
      const { status, text, pid, dir } = await demo((await obtainServer(version)).server);
      expect(text).not.toContain('does not hold');
      expect(status).toBe(0);
      for (const option of Request.options) {
        const [type] = ('options' in option ? option.options[0] : option).shape.operation_type.values;
        expect(text).toMatch(new RegExp(`^\\d/7 {2}${String(type)}`, 'm'));
      }
      expect(text).toMatch(/session: +60,000 +60,000[\s\S]*changed +60,000[\s\S]*session: +60,000 +0 /);
      expect(text).toContain('600 outcomes for 600 commands, in order: 599 ok, 1 error (number 341)');
      expect(text).toMatch(/transaction +committed: every command was applied/);
      expect(text).toMatch(/Needs approval: nothing was sent\.\n +info APR001/);
      const wide = text.split('\n').filter((line) => line.length > 80);
      expect(wide).toEqual([]);
      expect(text).not.toContain('\u001b');
      expect(dir).not.toBe('');
      expect(existsSync(dir)).toBe(false);
      expect(alive(pid)).toBe(false);
      const commands = commandsOf(text);
      expect(commands.length).toBeGreaterThanOrEqual(10);
      expect(await notTaken(commands)).toEqual([]);
    });
  },
);

describe('on a server of its own', () => {
  let server: string;
  beforeAll(async () => {
    server = (await obtainServer()).server;
  });

  test('says what does not hold, and fails', async () => {
    const { status, text, dir } = await demo(server, [async ({ claim }) => claim(false, 'water runs uphill')]);
    expect(status).toBe(1);
    expect(text).toContain('This does not hold: water runs uphill.');
    expect(existsSync(dir)).toBe(false);
  });

  test('an interruption ends the server and removes its folder', async () => {
    // the handlers are what a signal would call; SIGHUP, since the test runner listens to the others
    const interrupt: Chapter = async ({ signal }) => {
      process.emit('SIGHUP');
      expect(signal.aborted).toBe(true);
    };
    const never: Chapter = async ({ claim }) => claim(false, 'a chapter runs after the interruption');
    const { status, text, pid, dir } = await demo(server, [interrupt, never]);
    expect(status).toBe(130);
    expect(text).toContain('Interrupted. Nothing was left behind');
    expect(text).not.toContain('does not hold');
    expect([existsSync(dir), alive(pid)]).toEqual([false, false]);
    expect(process.listeners('SIGHUP')).toEqual([]);
  });

  test('a chapter that breaks leaves nothing behind either', async () => {
    let pid = 0;
    const broken: Chapter = async ({ wire }) => {
      pid = Number(/process_id:(\d+)/.exec(String(await wire.ask('INFO', 'server')))?.[1]);
      await wire.ask('NO-SUCH-COMMAND');
    };
    await expect(demo(server, [broken])).rejects.toThrow(/NO-SUCH-COMMAND was refused/);
    expect(pid).toBeGreaterThan(0);
    expect(alive(pid)).toBe(false);
  });
});

describe('REDIS_URL', () => {
  test('is not used when its database holds data, which stays as it is', async () => {
    const theirs = await startServer();
    await theirs.cli('SET', 'session:1', 'theirs');
    const { server } = await obtainServer();
    const { text } = await demo(server, [], { REDIS_URL: theirs.url });
    expect(text).toMatch(/Not on REDIS_URL: .* has 1 key, and the demo only plays\swhere nothing is\./);
    expect(await theirs.cli('DBSIZE')).toBe('1');
    expect(await theirs.cli('GET', 'session:1')).toBe('theirs');
  });

  test('is not used when its server is replicated, or does not answer', async () => {
    const primary = await startServer();
    const replica = await startServer({ args: ['--replicaof', '127.0.0.1', String(primary.port)] });
    await waitFor('the replica', async () => (await primary.cli('INFO', 'replication')).includes('connected_slaves:1'));
    const { server } = await obtainServer();
    for (const [url, why] of [
      [primary.url, 'production'],
      [replica.url, 'production'],
      ['redis://127.0.0.1:1', 'cannot reach'],
    ] as const) {
      const stage = await openStage({ REDOPS_SERVER: server, REDIS_URL: url });
      expect(stage.declined).toContain(why);
      expect(stage.url).not.toBe(url);
      await stage.strike();
    }
  });

  test('is used when it is empty: what the demo brought is taken away, and nothing else', async () => {
    const empty = await startServer();
    const stage = await openStage({ REDIS_URL: empty.url });
    expect(stage).toMatchObject({ url: empty.url });
    const wire = await openWire(stage.url);
    await wire.load(seedCommands());
    expect(Number(await wire.ask('DBSIZE'))).toBe(seedKeys().size);
    await empty.cli('SET', 'somebody-elses', 'v');
    expect(await stage.strike()).toMatchObject({ clean: false, words: expect.stringContaining('1 key') });
    expect(await empty.cli('KEYS', '*')).toBe('somebody-elses');
    await empty.cli('DEL', 'somebody-elses');
    expect(await stage.strike()).toEqual({ clean: true, words: 'the database of REDIS_URL is empty again' });
    await wire.close();
  });
});

test('the seed is the same every time, and has what the chapters rely on', () => {
  const keys = seedKeys();
  expect([...seedKeys()]).toEqual([...keys]);
  expect(keys.size).toBeGreaterThan(200_000);
  expect(keys.has(bigHash)).toBe(true);
});

/** The arguments of every `$ redops` on the screen. */
function commandsOf(text: string): string[][] {
  const lines = text.replaceAll(/ \\\n +/g, ' ').matchAll(/^ {2}\$ redops (.*)$/gm);
  return [...lines].map(([, line = '']) => (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", '')));
}

/** Those that the command line does not take (status 2), with what it says of them. */
async function notTaken(commands: readonly string[][]): Promise<string[]> {
  const cwd = await mkdtemp(join(tmpdir(), 'redops-demo-test-'));
  const files = {
    'tonight.redis': 'KEYS *',
    'night.redis': 'INCR a',
    'transfer.json': '{"operation_type":"transaction","commands":["INCR a"]}',
    'cas.lua': 'return 1',
    'cas-first.lua': 'return 1',
    'redops.yaml': 'targets: { shop-production: { url: "redis://127.0.0.1", tag: production } }',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(cwd, name), content);
  const refused: string[] = [];
  for (const argv of commands) {
    const { status, err } = await runFake(argv, { cwd });
    if (status === 2 || status === 1) refused.push(`${argv.join(' ')}: ${err}`);
  }
  await rm(cwd, { recursive: true });
  return refused;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
