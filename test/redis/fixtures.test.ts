/** The fixtures hold what they promise: each kind of server starts, answers and leaves neither a process nor a file. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { obtainServer } from '../../scripts/servers.mjs';
import { startThrowaway } from '../../src/redis/throwaway.ts';
import {
  matrix,
  startCluster,
  startReplica,
  startSentinel,
  startServer,
  type TestServer,
  waitFor,
} from '../support/servers.ts';

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function expectGone(...servers: readonly TestServer[]): Promise<void> {
  for (const { pid, dir } of servers) {
    await waitFor(`the end of process ${pid}`, () => !alive(pid), 3_000);
    expect(existsSync(dir)).toBe(false);
  }
}

describe.each(matrix().map((version) => ({ version })))('a server of version $version', ({ version }) => {
  const options = version === undefined ? {} : { version };

  test('answers, is empty and private, and leaves nothing behind', async () => {
    const server = await startServer(options);
    expect(await server.cli('SET', 'key', 'value')).toBe('OK');
    expect(await server.cli('GET', 'key')).toBe('value');
    expect(await server.cli('CONFIG', 'GET', 'save')).toBe('save\n');
    expect(server.url).toBe(`redis://127.0.0.1:${server.port}`);
    expect(await server.cli('INFO', 'server')).toContain(`process_id:${server.pid}`);
    await server.stop();
    await server.stop();
    await expectGone(server);
  });

  test('asks for its password, and knows its ACL user', async () => {
    const user = { name: 'app', password: 'p@ss', rules: ['~app:*', '+get'] };
    const server = await startServer({ ...options, password: 'secret', user });
    expect(server.url).toBe(`redis://:secret@127.0.0.1:${server.port}`);
    expect(server.userUrl).toBe(`redis://app:p%40ss@127.0.0.1:${server.port}`);
    expect(await server.cli('PING')).toBe('PONG');
    const asUser = ['--user', 'app', '--pass', 'p@ss', '--no-auth-warning'];
    expect(await server.cli(...asUser, 'GET', 'app:1')).toBe('');
    expect(await server.cli(...asUser, 'SET', 'app:1', 'x')).toMatch(/^NOPERM/);
    await server.stop();
    await expectGone(server);
  });

  test('speaks TLS to a client with a certificate, and to nobody else', async () => {
    const server = await startServer({ ...options, tls: true });
    expect(server.url).toBe(`rediss://127.0.0.1:${server.port}`);
    expect(await server.cli('PING')).toBe('PONG');
    await expect(server.cli('--cert', '/dev/null', '--key', '/dev/null', 'PING')).rejects.toThrow();
    const plain = connect(server.port, '127.0.0.1');
    const closed = new Promise((resolve) => plain.on('error', resolve).on('close', resolve));
    plain.write('PING\r\n');
    await closed;
    await server.stop();
    await expectGone(server);
  });

  test('listens on a unix socket alone', async () => {
    const server = await startServer({ ...options, unixSocket: true });
    expect(server.url).toBe(`unix://${server.socket}`);
    expect(await server.cli('PING')).toBe('PONG');
    const refused = new Promise((resolve) => connect(server.port, '127.0.0.1').on('error', resolve));
    expect(await refused).toMatchObject({ code: 'ECONNREFUSED' });
    await server.stop();
    await expectGone(server);
  });

  test('replicates', async () => {
    const primary = await startServer({ ...options, password: 'secret' });
    const replica = await startReplica(primary);
    await primary.cli('SET', 'key', 'value');
    await waitFor('the key on the replica', async () => (await replica.cli('GET', 'key')) === 'value');
    expect(replica.version).toBe(primary.version);
    await Promise.all([primary.stop(), replica.stop()]);
    await expectGone(primary, replica);
  });
});

test('a Sentinel deployment announces its primary', async () => {
  const deployment = await startSentinel();
  expect(await deployment.currentPort()).toBe(deployment.primary.port);
  await deployment.stop();
  await expectGone(deployment.primary, ...deployment.replicas, ...deployment.sentinels);
});

test('a cluster serves every slot, and moves some', async () => {
  const cluster = await startCluster();
  expect([cluster.primaries.length, cluster.replicas.length]).toEqual([3, 3]);
  for (const key of ['a', 'b', 'c', 'd']) expect(await cluster.cli('SET', key, key)).toBe('OK');
  const [from, to] = cluster.primaries as [TestServer, TestServer];
  const owned = async (node: TestServer) =>
    /cluster_slots_assigned:16384/.test(await node.cli('CLUSTER', 'INFO')) &&
    (await node.cli('CLUSTER', 'NODES')).split('\n').find((line) => line.includes('myself'));
  const before = await owned(to);
  await cluster.reshard(from, to, 10);
  expect(await owned(to)).not.toBe(before);
  expect(await cluster.cli('GET', 'a')).toBe('a');
  await cluster.stop();
  await expectGone(...cluster.nodes);
});

describe('a throwaway server', () => {
  test('that is stopped (SIGSTOP) or busy ends all the same', async () => {
    const stopped = await startServer();
    process.kill(stopped.pid, 'SIGSTOP');
    const busy = await startServer({ args: ['--lua-time-limit', '50'] });
    const spinning = busy.cli('EVAL', 'while true do end', '0').catch(() => '');
    await waitFor('a busy server', async () => (await busy.cli('GET', 'x')).startsWith('BUSY'));
    await Promise.all([stopped.stop(), busy.stop()]);
    await spinning;
    await expectGone(stopped, busy);
  });

  test('says why it does not start, and leaves nothing', async () => {
    await expect(startServer({ args: ['--no-such-option', 'x'] })).rejects.toThrow(/no-such-option/);
    await expect(startThrowaway({ server: '/no/such/server' })).rejects.toThrow(/did not start: .*ENOENT/);
  });

  test('does not take a foreign server on its port for its own', async () => {
    const first = await startServer();
    await expect(startServer({ port: first.port })).rejects.toThrow(/did not start/);
    expect(await first.cli('PING')).toBe('PONG');
  });

  test('that never answers is given up in time', async () => {
    const mute = createServer(() => {});
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as { port: number };
    const { server } = await obtainServer();
    const open = () => connect(port, '127.0.0.1');
    await expect(startThrowaway({ server, open, waitMs: 300 })).rejects.toThrow(/no answer within 300 ms/);
    mute.close();
  });

  test('dies with the process that started it, even by kill -9', async () => {
    const { server } = await obtainServer();
    const built = await mkdtemp(join(tmpdir(), 'redops-orphan-'));
    onTestFinished(() => rm(built, { recursive: true, force: true }));
    await compile('src/redis/throwaway.ts', built);
    const script = `
      import { startThrowaway } from './redis/throwaway.js';
      const { pid, dir, port } = await startThrowaway({ server: process.argv[2] });
      console.log(JSON.stringify({ pid, dir, port }));
      setInterval(() => {}, 1000);`;
    await writeFile(join(built, 'parent.mjs'), script);
    await writeFile(join(built, 'package.json'), '{"type":"module"}');
    const parent = spawn(process.execPath, [join(built, 'parent.mjs'), server], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const orphan = JSON.parse(String(line)) as TestServer;
    expect(alive(orphan.pid)).toBe(true);
    parent.kill('SIGKILL');
    await waitFor('the end of the orphan', () => !alive(orphan.pid) && !existsSync(orphan.dir), 5_000);
  });
});

/** Node 20 runs no TypeScript, and a separate process is the point: the file is compiled as the build does it. */
async function compile(file: string, outDir: string): Promise<void> {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const project = { extends: join(root, 'tsconfig.build.json'), files: [join(root, file)], include: [] };
  const options = {
    outDir,
    rootDir: join(root, 'src'),
    declaration: false,
    typeRoots: [join(root, 'node_modules/@types')],
  };
  await writeFile(join(outDir, 'tsconfig.json'), JSON.stringify({ ...project, compilerOptions: options }));
  await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', outDir], { timeout: 20_000 });
}
