/** Keys exported to a file and loaded again by redops pipe: equal content by the server's own digest, equal deadlines. */
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '../../src/agent.ts';
import type { Event } from '../../src/plan/event.ts';
import { applied, withAgent } from '../support/agent.ts';
import { startServer, type TestServer } from '../support/servers.ts';

let server: TestServer;
let dir: string;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await server.cli('flushall');
  dir = await mkdtemp(join(tmpdir(), 'redops-export-'));
  return () => rm(dir, { recursive: true, force: true });
});

const withFiles = <T>(use: (agent: Agent) => Promise<T>, database = 0) =>
  withAgent(`${server.url.replace(/\/\d*$/, '')}/${database}`, use, { filePath: (path) => resolve(dir, path) });
const find = (members: object = {}) => ({
  operation_type: 'key_management',
  action: 'find',
  export: { file: 'out.resp' },
  ...members,
});
const script = (lua: string) => server.cli('eval', lua, '0');

/** One key of every type and size that is read differently; every other one with a deadline. */
const fill = `
  local put = redis.call
  put('set', 'str', 'a\\0\\255\\r\\n"b"')
  put('set', 'int', '12345')
  put('set', 'empty', '')
  put('set', '\\255key\\0', 'v')
  put('set', 'large', string.rep('x', 5 * 1024 * 1024))
  put('rpush', 'list', 'c', 'a', 'b', 'a')
  for i = 1, 1300 do put('rpush', 'biglist', 'item:' .. i) end
  for i = 1, 50 do put('sadd', 'intset', i) end
  for i = 1, 2500 do put('sadd', 'bigset', 'member:' .. i) put('hset', 'bighash', 'f' .. i, 'v\\255' .. i) end
  put('hset', 'hash', 'f', 'v', 'empty', '', '\\0', '\\255')
  put('zadd', 'zset', '1.5', 'a', '-inf', 'b', 'inf', 'c', '3.141592653589793', 'd', '1e-320', 'e', '9007199254740993', 'f')
  for i = 1, 2200 do put('zadd', 'bigzset', i / 7, 'm' .. i) end
  for i = 1, 1100 do put('xadd', 'stream', i .. '-' .. (i % 3 + 1), 'n', i, 'b', '\\255') end
  put('xadd', 'trimmed', '5-1', 'a', '1')
  put('xadd', 'trimmed', '6-1', 'a', '2')
  put('xdel', 'trimmed', '6-1')
  put('zadd', 'geo', '3479099956230698', 'x')
  put('pfadd', 'hll', 'a', 'b', 'c')
  put('setbit', 'bits', 1000, 1)
  put('expire', 'str', 1000) put('pexpire', 'bighash', 987654321) put('expire', 'stream', 5000) put('expire', 'zset', 60)
  return put('dbsize')`;

/** Digest and deadline (Unix milliseconds, -1 for none) of every key of a database. */
async function contents(database: number): Promise<Map<string, readonly [string, number]>> {
  const lua = `
    local time = redis.call('time')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    local all = {}
    for _, key in ipairs(redis.call('keys', '*')) do
      local ttl = redis.call('pttl', key)
      all[#all + 1] = key
      all[#all + 1] = ttl < 0 and '-1' or string.format('%.0f', now + ttl)
    end
    return all`;
  const lines = (await server.cli('-n', String(database), 'eval', lua, '0')).split('\n');
  const found = new Map<string, readonly [string, number]>();
  for (let at = 0; at + 1 < lines.length; at += 2) {
    const [key, deadline] = [lines[at]!, Number(lines[at + 1])];
    if (/[^\x20-\x7e]/.test(key)) continue; // the command line cannot name it; its value is compared below
    found.set(key, [await server.cli('-n', String(database), 'debug', 'digest-value', key), deadline]);
  }
  return found;
}

describe('an export in the protocol form', () => {
  it('loads again to equal values and deadlines, for every type and size', async () => {
    const keys = Number(await script(fill));
    const report = await withFiles((agent) => applied(agent, find()));
    expect(report.verification).toEqual({ complete: true, unproven: [] });
    expect(report).toMatchObject({
      status: 'succeeded',
      exported: { format: 'resp', keys, path: join(dir, 'out.resp') },
    });
    expect(report.exported!.bytes).toBe((await readFile(join(dir, 'out.resp'))).length);
    expect(await readdir(dir)).toEqual(['out.resp']);

    const load = { operation_type: 'pipelining', file: 'out.resp' };
    const loaded = await withFiles((agent) => applied(agent, load), 1);
    expect(loaded).toMatchObject({ status: 'succeeded', totals: { failed: 0, unknown: 0 } });
    expect(await server.cli('-n', '1', 'dbsize')).toBe(String(keys));
    const [before, after] = [await contents(0), await contents(1)];
    expect(before.size).toBe(keys - 1);
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    for (const [key, [digest, deadline]] of before) {
      expect([key, after.get(key)![0]]).toEqual([key, digest]);
      expect(Math.abs(after.get(key)![1] - deadline), key).toBeLessThanOrEqual(5);
    }
    expect(before.get('zset')![1]).toBeGreaterThan(0);
    const same = `redis.call('select', 1) local v = redis.call('get', '\\255key\\0') return v == 'v' and 1 or 0`;
    expect(await script(same)).toBe('1');
    const last = async (database: string) =>
      /last-generated-id\n(\S+)/.exec(await server.cli('-n', database, 'xinfo', 'stream', 'trimmed'))?.[1];
    expect([await last('0'), await last('1')]).toEqual(['6-1', '6-1']);
  });

  it('names what it cannot write in full', async () => {
    await script(`
      redis.call('xadd', 'grouped', '1-1', 'a', 'b') redis.call('xgroup', 'create', 'grouped', 'g', '0')
      redis.call('xadd', 'drained', '1-1', 'a', 'b') redis.call('xdel', 'drained', '1-1')
      redis.call('set', 'plain', '1')`);
    const report = await withFiles((agent) => applied(agent, find()));
    expect(report.verification.complete).toBe(false);
    expect([...report.verification.unproven].sort()).toEqual([
      'drained: not exported: a stream without entries',
      'grouped: exported without its consumer groups',
    ]);
    expect(report.exported!.keys).toBe(2);
  });

  it('takes the keys that match, of one type, and no more than it is told', async () => {
    await script(
      `for i = 1, 30 do redis.call('set', 'a:' .. i, i) redis.call('rpush', 'a:l' .. i, i) redis.call('set', 'b:' .. i, i) end`,
    );
    const typed = await withFiles((agent) => applied(agent, find({ match: 'a:*', type: 'string' })));
    expect(typed.exported!.keys).toBe(30);
    const some = await withFiles((agent) => applied(agent, find({ limit: 7, export: { file: 'some.resp' } })));
    expect(some.exported!.keys).toBe(7);
    expect(some.verification.unproven.join()).toContain('limit 7');
  });

  it('keeps the deadlines of hash fields where the server has them', async (context) => {
    await server.cli('hset', 'h', 'a', '1', 'b', '2');
    const set = await server.cli('hpexpire', 'h', '100000', 'FIELDS', '1', 'a');
    if (set !== '1') return context.skip();
    await withFiles((agent) => applied(agent, find()));
    await withFiles((agent) => applied(agent, { operation_type: 'pipelining', file: 'out.resp' }), 1);
    const deadline = (database: string) => server.cli('-n', database, 'hpexpiretime', 'h', 'FIELDS', '2', 'a', 'b');
    expect(await deadline('1')).toBe(await deadline('0'));
  });
});

describe('an export that may not ask for the deadlines of hash fields', () => {
  it.for([
    ['NOPERM', { user: { name: 'app', password: 'p', rules: ['~*', '&*', '+@all', '-hpexpiretime'] } }],
    ['unknown command', { args: ['--rename-command', 'HPEXPIRETIME', ''] }],
  ] as const)('says so of every hash, and is not complete: %s', async ([answer, options], context) => {
    const limited = await startServer(options).catch(() => undefined); // a version without the command may not start so
    const has = limited !== undefined && (await limited.cli('command', 'info', 'hpexpire')).includes('hpexpire');
    if (!has) {
      await limited?.stop();
      return context.skip();
    }
    await limited.cli('hset', 'small', 'a', '1', 'b', '2');
    await limited.cli('hpexpire', 'small', '100000', 'FIELDS', '1', 'a');
    await limited.cli('eval', `for i = 1, 1300 do redis.call('hset', 'large', 'f' .. i, i) end`, '0');
    await limited.cli('set', 'plain', '1');
    const settings = { filePath: (path: string) => resolve(dir, path) };
    const report = await withAgent(limited.userUrl ?? limited.url, (agent) => applied(agent, find()), settings);
    const why = `exported without knowing whether its fields have deadlines: the server answered HPEXPIRETIME with ${answer}`;
    expect(report.verification.complete).toBe(false);
    expect([...report.verification.unproven].sort()).toEqual([`large: ${why}`, `small: ${why}`]);
    const many = `for key = 1, 128 do for i = 1, 1300 do redis.call('hset', 'many:' .. key, 'f' .. i, i) end end`;
    await limited.cli('eval', many, '0');
    const all = find({ export: { file: 'all.resp' } });
    const more = await withAgent(limited.userUrl ?? limited.url, (agent) => applied(agent, all), settings);
    expect(more.verification.unproven).toHaveLength(101);
    expect(more.verification.unproven.at(-1)).toBe('30 more keys are not exported in full');
    await limited.stop();
  });
});

describe('an export in JSON lines', () => {
  it('is a line a key, bytes exact, with its deadline', async () => {
    await script(`
      redis.call('set', 's', 'a\\255') redis.call('zadd', 'z', '1.5', 'm') redis.call('hset', 'h', 'f', 'v')
      redis.call('xadd', 'x', '1-1', 'a', 'b') redis.call('rpush', 'l', '1', '2') redis.call('pexpireat', 'h', 4102444800000)`);
    await withFiles((agent) => applied(agent, find({ export: { file: 'out.jsonl', format: 'jsonl' } })));
    const rows = (await readFile(join(dir, 'out.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const deadline = rows.find(({ key }) => key === 'h').pexpireat;
    expect(Math.abs(deadline - 4_102_444_800_000)).toBeLessThanOrEqual(5); // exact from 7.0, which has PEXPIRETIME
    expect(rows.sort((a, b) => (a.key < b.key ? -1 : 1))).toEqual([
      { key: 'h', type: 'hash', value: [['f', 'v']], pexpireat: deadline },
      { key: 'l', type: 'list', value: ['1', '2'] },
      { key: 's', type: 'string', value: { base64: 'Yf8=' } },
      { key: 'x', type: 'stream', value: [['1-1', 'a', 'b']] },
      { key: 'z', type: 'zset', value: [['m', '1.5']] },
    ]);
  });
});

describe('an export that cannot go on', () => {
  it('overwrites nothing', async () => {
    await server.cli('set', 'a', '1');
    await writeFile(join(dir, 'out.resp'), 'precious');
    const report = await withFiles((agent) => applied(agent, find()));
    expect([report.status, await readFile(join(dir, 'out.resp'), 'utf8')]).toEqual(['failed', 'precious']);
    expect(await readdir(dir)).toEqual(['out.resp']);
  });

  it('leaves whole keys beside the name when it is interrupted, and they load', async () => {
    await script(`for i = 1, 4000 do redis.call('set', 'k:' .. i, string.rep('x', 100)) end`);
    const stop = new AbortController();
    const watch = (event: Event) => event.kind === 'page' && stop.abort();
    const report = await withFiles((agent) => applied(agent, find(), { yes: true, signal: stop.signal }, watch));
    expect(report.status).toBe('interrupted');
    expect(await readdir(dir)).toEqual(['out.resp.partial']);
    expect(report.exported).toMatchObject({ path: join(dir, 'out.resp.partial') });
    const request = { operation_type: 'pipelining', file: 'out.resp.partial', format: 'resp' };
    const loaded = await withFiles((agent) => applied(agent, request), 1);
    expect(loaded.totals.changed).toBe(report.exported!.keys);
    expect(loaded.totals.changed).toBeGreaterThan(0);
  });

  it('closes its file, and leaves whole keys beside the name, when nobody reads its events any more', async () => {
    await script(`for i = 1, 4000 do redis.call('set', 'k:' .. i, string.rep('x', 100)) end`);
    const open = async () => {
      const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
      return (await Promise.all(links)).filter((path) => path.startsWith(dir));
    };
    await withFiles(async (agent) => {
      const run = await agent.apply(find(), { yes: true });
      if (!('events' in run)) throw new Error('no run');
      let during: readonly string[] = [];
      for await (const event of run.events) {
        if (event.kind !== 'page') continue;
        during = await open();
        break;
      }
      expect([during, await open()]).toEqual([[join(dir, 'out.resp.partial')], []]);
      await expect(run.report).rejects.toThrow('not read to their end');
    });
    const load = { operation_type: 'pipelining', file: 'out.resp.partial', format: 'resp' };
    expect((await withFiles((agent) => applied(agent, load), 1)).totals.changed).toBeGreaterThan(0);
  });

  it('writes nothing in a dry run', async () => {
    await server.cli('set', 'a', '1');
    const report = await withFiles((agent) => applied(agent, find(), { dryRun: true }));
    expect([report.status, report.totals.matched, await readdir(dir)]).toEqual(['succeeded', 1, []]);
  });
});
