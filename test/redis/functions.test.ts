/** Functions on real servers: loaded, called, dumped, restored, deleted; refused before anything is sent where that is known. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '../../src/agent.ts';
import { applied, planOf, withAgent } from '../support/agent.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { applyWithLostReply } from '../support/lost-replies.ts';
import { matrix, startProxy, startServer, type TestServer } from '../support/servers.ts';

const shop = `#!lua name=shop
local function reserve(keys, args)
  local left = tonumber(redis.call('GET', keys[1]) or '0')
  if left < tonumber(args[1]) then return 0 end
  return redis.call('DECRBY', keys[1], args[1])
end
local function fail(keys)
  redis.call('SET', keys[1], 'written')
  return redis.error_reply('ERR Function not found')
end
redis.register_function('reserve', reserve)
redis.register_function('fail', fail)
redis.register_function{function_name='left', callback=function(keys) return redis.call('GET', keys[1]) end, flags={'no-writes'}}
`;
const request = (action: string, members: object = {}) => ({ operation_type: 'lua_script', action, ...members });
const load = request('function_load', { script: shop });
const call = (name: string, args: readonly string[] = [], members: object = {}) =>
  request('call', { function: name, keys: ['stock'], args, ...members });

let server: TestServer;
let dir: string;
beforeAll(async () => {
  server = await startServer();
  dir = await mkdtemp(join(tmpdir(), 'redops-functions-'));
});
afterAll(async () => {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  await server.cli('function', 'flush');
  await server.cli('flushall');
  await server.cli('set', 'stock', '10');
});

const files = { filePath: (path: string) => join(dir, path) };
const on = <T>(use: (agent: Agent) => Promise<T>, url = server.url): Promise<T> =>
  withAgent(url, use, { ...files, tag: 'dev' });
const codes = (agent: Agent, document: unknown) =>
  agent.plan(document).then(({ plan, diagnostics }) => (plan?.warnings ?? diagnostics).map(({ code }) => code));

describe('functions', () => {
  it('are loaded, called by FCALL or FCALL_RO as their flags say, listed and deleted', async () => {
    await on(async (agent) => {
      expect((await applied(agent, load)).results[0]).toMatchObject({ outcome: 'ok', reply: 'shop' });
      const reserved = await applied(agent, call('reserve', ['3']));
      expect(reserved).toMatchObject({ status: 'succeeded', totals: { changed: 1 }, results: [{ reply: 7 }] });
      expect(reserved.results[0]!.argv[0]).toBe('FCALL');
      const left = await planOf(agent, call('left'));
      expect(left.execution_plan).toMatchObject({ writes: false, destructive: false });
      expect((await applied(agent, left, {})).results[0]).toMatchObject({
        argv: ['FCALL_RO', 'left', '1', 'stock'],
        reply: '7',
      });
      const list = await applied(agent, request('function_list'), {});
      expect(JSON.stringify(list.results[0]!.reply)).toContain('"reserve"');
      expect((await applied(agent, request('function_stats'), {})).status).toBe('succeeded');
      expect((await applied(agent, request('function_delete', { library: 'shop' }))).status).toBe('succeeded');
      expect(await server.cli('function', 'list')).toBe('');
    });
  });

  it('are refused before anything is sent where the server would refuse them', async () => {
    await on(async (agent) => {
      await applied(agent, load);
      const status = async (document: unknown) => (await applied(agent, document)).status;
      expect(await codes(agent, call('reserv', ['3']))).toContain('LUA015');
      expect(await status(call('reserv', ['3']))).toBe('refused');
      expect(await status(call('reserve', ['3'], { read_only: true }))).toBe('refused');
      expect(await status(load)).toBe('refused');
      expect(await status({ ...load, replace: true })).toBe('succeeded');
      expect(await status(request('function_delete', { library: 'shops' }))).toBe('refused');
      expect(await codes(agent, request('function_load', { script: 'return 1' }))).toEqual(['LUA000']);
      expect(await codes(agent, request('function_load', { script: '#!lua name=a\nlocal x = 1' }))).toEqual(['LUA000']);
      expect(await codes(agent, request('function_load', { script: '#!lua name=a\nlocal = 1' }))).toEqual(['LUA000']);
      expect(await codes(agent, request('function_flush'))).toContain('SEC001');
      expect(await server.cli('get', 'stock')).toBe('10');
    });
  });

  it('that answer in the words of the server after they wrote are not taken for refused', async () => {
    await on(async (agent) => {
      await applied(agent, load);
      const report = await applied(agent, call('fail'));
      expect(report.results[0]).toMatchObject({ outcome: 'unknown' });
      expect(await server.cli('get', 'stock')).toBe('written');
    });
  });

  it('whose reply was lost are unknown, and not called again', async () => {
    await on(async (agent) => applied(agent, load));
    const proxy = await startProxy(server.port);
    const url = `redis://127.0.0.1:${proxy.port}`;
    try {
      await on(async (agent) => {
        const report = await applyWithLostReply(agent, proxy, url, call('reserve', ['1']), 1);
        expect(report.results[0]!.outcome).toBe('unknown');
      }, url);
      expect(await server.cli('get', 'stock')).toBe('9');
    } finally {
      await proxy.stop();
    }
  });

  it('are the same after a dump, a flush and a restore; nothing is overwritten', async () => {
    await on(async (agent) => {
      await applied(agent, load);
      const before = await server.cli('function', 'list', 'withcode');
      const dumped = await applied(agent, request('function_dump', { save_to: 'all.dump' }), {});
      expect(dumped).toMatchObject({ status: 'succeeded', saved: { path: join(dir, 'all.dump') } });
      const bytes = await readFile(join(dir, 'all.dump'));
      expect(dumped.saved!.bytes).toBe(bytes.length);
      expect((await stat(join(dir, 'all.dump'))).mode & 0o777).toBe(0o600);
      const again = await applied(agent, request('function_dump', { save_to: 'all.dump' }), {});
      expect(again).toMatchObject({ status: 'failed', results: [] });
      expect(await readFile(join(dir, 'all.dump'))).toEqual(bytes);
      expect((await applied(agent, request('function_flush'))).status).toBe('succeeded');
      const payload = { payload: { base64: bytes.toString('base64') } };
      expect((await applied(agent, request('function_restore', payload))).status).toBe('succeeded');
      expect(await server.cli('function', 'list', 'withcode')).toBe(before);
      // append refuses what is there, replace does not
      expect((await applied(agent, request('function_restore', payload))).status).toBe('partial');
      expect((await applied(agent, request('function_restore', { ...payload, policy: 'replace' }))).status).toBe(
        'succeeded',
      );
      const garbage = await applied(agent, request('function_restore', { payload: 'garbage' }));
      expect(garbage).toMatchObject({ status: 'partial', results: [{ outcome: 'error' }] });
      expect(await server.cli('function', 'list', 'withcode')).toBe(before);
    });
  });

  it('write no file in a dry run', async () => {
    await on(async (agent) => {
      const report = await applied(agent, request('function_dump', { save_to: 'dry.dump' }), { dryRun: true });
      expect(report.status).toBe('succeeded');
      await expect(stat(join(dir, 'dry.dump'))).rejects.toThrow();
      await writeFile(join(dir, 'there.dump'), 'x');
      expect((await applied(agent, load, { yes: true, dryRun: true })).would_send).toBe(1);
      expect(await server.cli('function', 'list')).toBe('');
    });
  });

  it('that only read run on a full server, and others are refused there', async () => {
    await on(async (agent) => {
      await applied(agent, load);
      await server.cli('config', 'set', 'maxmemory', '1');
      try {
        expect((await applied(agent, call('left'), {})).status).toBe('succeeded');
        const refused = await applied(agent, call('reserve', ['1']));
        expect(refused.results[0]!.error?.name).toBe('OOM');
      } finally {
        await server.cli('config', 'set', 'maxmemory', '0');
      }
      expect(await server.cli('get', 'stock')).toBe('10');
    });
  });
});

describe('functions of a cluster', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  }, 60_000);
  afterAll(() => cluster.stop());

  it('are loaded on every primary, and what one of them lacks is said', async () => {
    await on(async (agent) => {
      expect((await applied(agent, load)).status).toBe('succeeded');
      for (const node of cluster.primaries) expect(await node.cli('function', 'list')).toContain('reserve');
      await cluster.cli('set', 'stock', '5');
      expect((await applied(agent, call('reserve', ['2']))).results[0]!.reply).toBe(3);
      await cluster.primaries[1]!.cli('function', 'flush');
      const { plan } = await agent.plan(call('reserve', ['2']));
      const said = plan!.warnings.find(({ code }) => code === 'LUA015');
      expect(said?.message).toContain(`127.0.0.1:${cluster.primaries[1]!.port}`);
      expect((await applied(agent, { ...load, replace: true })).status).toBe('succeeded');
      for (const node of cluster.primaries) expect(await node.cli('function', 'list')).toContain('reserve');
      expect((await applied(agent, request('function_flush'))).status).toBe('succeeded');
      for (const node of cluster.primaries) expect(await node.cli('function', 'list')).toBe('');
    }, cluster.url);
  });
});

describe.each(matrix())('on %s', (version) => {
  it('functions run, or the plan says that there are none', async () => {
    const own = await startServer(version === undefined ? {} : { version });
    try {
      await on(async (agent) => {
        if (own.version.startsWith('6.')) {
          expect(await codes(agent, load)).toEqual(['VER001']);
          expect(await codes(agent, call('left'))).toEqual(['VER001']);
          return;
        }
        await own.cli('set', 'stock', '10');
        expect((await applied(agent, load)).status).toBe('succeeded');
        expect((await applied(agent, call('reserve', ['3']))).results[0]!.reply).toBe(7);
        expect((await applied(agent, call('left'), {})).results[0]!.reply).toBe('7');
        expect(await codes(agent, call('lefft'))).toContain('LUA015');
      }, own.url);
    } finally {
      await own.stop();
    }
  });
});
