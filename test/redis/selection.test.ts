/** Selecting by time to live, size and memory, on real servers: exactly the keys that it says, also when they change meanwhile. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { guardedCommand, guardSource, isGuarded } from '../../src/plan/guarded-command.ts';
import type { Selection } from '../../src/plan/step.ts';
import { connectTarget } from '../../src/redis/connect.ts';
import type { Connection } from '../../src/redis/connection.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { applied, planOf, withAgent } from '../support/agent.ts';
import { matrix, startCluster, startServer, type TestCluster, type TestServer, waitFor } from '../support/servers.ts';

const batch = { operation_type: 'batch' };
const unlink = { action: 'unlink' };
const hour = 3_600_000;

/** 60 keys: each of the six types, 1 to 5 elements (a string: bytes), without a TTL or with one of 1 or 100 hours. */
const script = `
local write = {
  string = function(key, size) redis.call('SET', key, string.rep('x', size)) end,
  list = function(key, size) for i = 1, size do redis.call('RPUSH', key, i) end end,
  set = function(key, size) for i = 1, size do redis.call('SADD', key, i) end end,
  zset = function(key, size) for i = 1, size do redis.call('ZADD', key, i, i) end end,
  hash = function(key, size) for i = 1, size do redis.call('HSET', key, i, i) end end,
  stream = function(key, size) for i = 1, size do redis.call('XADD', key, i .. '-0', 'f', 'v') end end,
}
for kind, put in pairs(write) do
  for size = 1, 5 do
    for _, hours in ipairs({'0', '1', '100'}) do
      local key = 'k:' .. kind .. ':' .. size .. ':' .. hours
      put(key, size)
      if hours ~= '0' then redis.call('EXPIRE', key, hours * 3600) end
    end
  end
end
redis.call('SET', 'other', 'x')`;
const all = ['string', 'list', 'set', 'zset', 'hash', 'stream'].flatMap((type) =>
  [1, 2, 3, 4, 5].flatMap((size) =>
    [0, 1, 100].map((hours) => ({ key: `k:${type}:${size}:${hours}`, type, size, hours })),
  ),
);

describe.each(matrix())('on %s', (version) => {
  let server: TestServer;
  let direct: Connection;
  beforeAll(async () => {
    server = await startServer(version === undefined ? {} : { version });
    direct = await connectTarget(parseUrl(server.url));
  });
  afterAll(async () => {
    await direct.close();
    await server.stop();
  });
  beforeEach(async () => {
    await server.cli('flushall');
  });

  const run = (request: unknown) => withAgent(server.url, (agent) => applied(agent, request));
  const plan = (request: unknown) => withAgent(server.url, (agent) => planOf(agent, request));
  const left = async () => (await server.cli('keys', 'k:*')).split('\n').filter(Boolean).sort();

  const cases: readonly [object, (one: (typeof all)[number]) => boolean][] = [
    [{ ttl: 'none' }, ({ hours }) => hours === 0],
    [{ ttl: 'any' }, ({ hours }) => hours > 0],
    [{ ttl: { max: '2h' } }, ({ hours }) => hours === 1],
    [{ ttl: { min: '2h' } }, ({ hours }) => hours === 100],
    [{ size: { min: 4 } }, ({ size }) => size >= 4],
    [{ size: { max: 2 }, type: 'hash' }, ({ size, type }) => size <= 2 && type === 'hash'],
    [{ size: { min: 3, max: 3 }, ttl: 'none' }, ({ size, hours }) => size === 3 && hours === 0],
    [{ bytes: { min: 1 } }, () => true],
    [{ bytes: { min: 100_000 } }, () => false],
  ];

  it.each(cases)('%j: the same keys are counted, found and unlinked, and no others', async (select, chosen) => {
    await server.cli('eval', script, '0');
    const wanted = all.filter(chosen).map(({ key }) => key);
    const found = await run({ operation_type: 'key_management', action: 'find', match: 'k:*', ...select });
    expect([...(found.found?.keys ?? [])].sort()).toEqual([...wanted].sort());
    const request = { ...batch, select: { match: 'k:*', ...select }, do: unlink };
    const { execution_plan: how, target } = await plan(request);
    expect(how.estimate).toMatchObject({ basis: 'counted', keys: wanted.length, low: wanted.length });
    expect(target.selections[0]).toMatchObject({ candidates: 'type' in select ? 15 : all.length });
    const report = await run(request);
    expect(report.totals).toMatchObject({ matched: wanted.length, changed: wanted.length, failed: 0, unknown: 0 });
    expect(await left()).toEqual(
      all
        .map(({ key }) => key)
        .filter((key) => !wanted.includes(key))
        .sort(),
    );
    expect(await server.cli('exists', 'other')).toBe('1');
  });

  it('gives a TTL only to keys that have none, and removes it only where it is long', async () => {
    await server.cli('eval', script, '0');
    const ttls = async () => Promise.all(all.map(async ({ key }) => Number(await server.cli('pttl', key))));
    const long = await run({ ...batch, select: { match: 'k:*', ttl: { min: '50h' } }, do: { action: 'persist' } });
    expect(long.totals).toMatchObject({ matched: 30, changed: 30 });
    expect((await ttls()).filter((ms) => ms === -1)).toHaveLength(60);
    const select = { match: 'k:*', ttl: 'none', size: { max: 1 } };
    const expire = await run({ ...batch, select, do: { action: 'expire', ttl: '30m' } });
    expect(expire.totals).toMatchObject({ matched: 12, changed: 12 });
    const after = await ttls();
    expect(after.filter((ms) => ms > 0 && ms <= 33 * 60_000)).toHaveLength(12);
    expect(after.filter((ms) => ms > 50 * 60_000 && ms <= hour)).toHaveLength(30);
  });

  it('samples what it does not count: the interval holds the true number, and no count is claimed', async () => {
    await server.cli(
      'eval',
      "for i = 1, 150000 do redis.call('SET', 'k:' .. i, i) if i % 50 == 0 then redis.call('EXPIRE', 'k:' .. i, 1000) end end",
      '0',
    );
    const request = { ...batch, select: { match: 'k:*', ttl: 'any' }, do: unlink };
    await withAgent(server.url, async (agent) => {
      let held = 0;
      for (let round = 0; round < 12; round += 1) {
        const { execution_plan, target } = await planOf(agent, request);
        const { estimate } = execution_plan;
        // cursors of an engine that is not known to give them in this order are not jumped to
        expect(estimate.basis).toBe(target.server.engine === 'redict' ? 'bound' : 'sampled');
        expect(estimate.low).toBeLessThan(estimate.high);
        if (estimate.low <= 3_000 && 3_000 <= estimate.high) held += 1;
      }
      // of 12 rounds at 95 %, fewer than 8 come once in a hundred thousand
      expect(held).toBeGreaterThanOrEqual(8);
    });
    // a run keeps to the interval that it is priced by: where that lies too low, it stops, and another one goes on
    let changed = 0;
    for (let attempt = 0; attempt < 5 && changed < 3_000; attempt += 1) changed += (await run(request)).totals.changed;
    expect(changed).toBe(3_000);
    expect(await server.cli('dbsize')).toBe('147000');
  }, 60_000);

  it('touches what is selected', async () => {
    await server.cli('eval', script, '0');
    const report = await run({ ...batch, select: { match: 'k:*', size: { min: 5 } }, do: { action: 'touch' } });
    expect(report.totals).toMatchObject({ matched: 18, changed: 18, unchanged: 0 });
  });

  it('leaves alone what another client changes between the look and the act', async () => {
    await server.cli('eval', "for i = 1, 300 do redis.call('SET', 'k:' .. i, i) end", '0');
    const request = { ...batch, select: { match: 'k:*', ttl: 'none' }, do: unlink, limits: { rate: 200 } };
    const running = run(request);
    // the first keys are gone: all of this page passed the filter, most of it is still to be acted on
    await waitFor('the first unlink', async () => Number(await server.cli('dbsize')) < 300);
    const kept = await server.cli(
      'eval',
      "local n = 0 for _, key in ipairs(redis.call('KEYS', '*')) do n = n + redis.call('EXPIRE', key, 1000) end return n",
      '0',
    );
    const { totals } = await running;
    expect(Number(kept)).toBeGreaterThan(100);
    expect(await server.cli('dbsize')).toBe(kept);
    expect(totals.changed).toBe(300 - Number(kept));
    expect(totals).toMatchObject({ failed: 0, unknown: 0 });
  });

  it('removes nothing for a user who may not run scripts, and says why', async () => {
    await server.cli('eval', script, '0');
    await server.cli('acl', 'setuser', 'bob', 'on', '>pw', '~*', '+@all', '-evalsha', '-script');
    const url = server.url.replace('redis://', 'redis://bob:pw@');
    const request = { ...batch, select: { match: 'k:*', ttl: 'none' }, do: unlink };
    const as = (document: unknown) => withAgent(url, (agent) => applied(agent, document));
    if (Number.parseInt(server.version, 10) >= 7) {
      const refused = await as(request);
      expect(refused.status).toBe('refused');
      expect(refused.warnings.map(({ code, message }) => `${code} ${message.split(':')[0]}`)).toEqual([
        'SEC002 the user bob may not run evalsha',
        'SEC002 the user bob may not run script',
      ]);
    }
    const report = await as({ ...request, accept: ['SEC002'] });
    expect(report.totals).toMatchObject({ changed: 0, failed: 30 });
    expect(report.errors).toMatchObject([{ code: 'E215', count: 30 }]);
    expect(await left()).toHaveLength(90);
  });

  it('sends no script in a dry run, and says how many commands it would send', async () => {
    await server.cli('eval', script, '0');
    await server.cli('script', 'flush');
    const request = { ...batch, select: { match: 'k:*', ttl: 'none', type: 'hash' }, do: unlink };
    const report = await withAgent(server.url, (agent) => applied(agent, request, { yes: true, dryRun: true }));
    expect(report).toMatchObject({ dry_run: true, would_send: 5 });
    expect(await left()).toHaveLength(90);
    expect(await server.cli('info', 'memory')).toContain('number_of_cached_scripts:0');
  });

  describe('the script that looks again', () => {
    const call = async (
      argv: readonly string[],
      selection: Omit<Selection, 'match'> | undefined,
      redis_version = '7.0',
    ) => {
      const sent = guardedCommand(argv, selection, { redis_version });
      expect(isGuarded(sent)).toBe(true);
      await direct.send(['SCRIPT', 'LOAD', guardSource]);
      return direct.send([...sent]);
    };

    it.each(cases)('%j: unlinks a key exactly when it is selected', async (select, chosen) => {
      await server.cli('eval', script, '0');
      const { execution_plan: how } = await plan({ ...batch, select: { match: 'k:*', ...select }, do: unlink });
      const [step] = how.steps;
      if (step?.kind !== 'for_each') throw new Error('not a job');
      const { match: _, ...filters } = step.selection;
      for (const one of all) expect(await call(['UNLINK', one.key], filters), one.key).toBe(chosen(one) ? 1 : 0);
      expect(await call(['UNLINK', 'missing'], filters)).toBe(0);
    });

    it('knows the conditions of PEXPIREAT as Redis 7.0 does', async () => {
      const now = Date.now();
      const native = Number.parseInt(server.version, 10) >= 7;
      for (const condition of ['NX', 'XX', 'GT', 'LT']) {
        for (const before of [undefined, now + hour, now + 3 * hour]) {
          for (const wanted of [now + 2 * hour, now + 3 * hour, now + 4 * hour]) {
            const set = async (): Promise<void> => {
              await direct.send(['SET', 'k:1', 'x']);
              if (before !== undefined) await direct.send(['PEXPIREAT', 'k:1', String(before)]);
            };
            const argv = ['PEXPIREAT', 'k:1', String(wanted), condition];
            await set();
            const reply = await call(argv, undefined, '6.2.14');
            const ms = Number(await direct.send(['PTTL', 'k:1']));
            expect(reply, argv.join(' ')).toBe(holds(condition, before, wanted) ? 1 : 0);
            const then = reply === 1 ? wanted : before;
            if (then === undefined) expect(ms).toBe(-1);
            else expect(Math.abs(ms - (then - Date.now()))).toBeLessThan(2_000);
            await set();
            if (native) expect(await direct.send(argv), argv.join(' ')).toBe(reply);
          }
        }
        expect(await call(['PEXPIREAT', 'missing', String(now + hour), condition], undefined, '6.2.14')).toBe(0);
      }
    });
  });

  it('sets conditional TTLs on this version, by name and by pattern', async () => {
    await server.cli('eval', script, '0');
    const set = { operation_type: 'expiration', action: 'set', ttl: '10h', jitter: '0%' };
    const named = await run({ ...set, keys: ['k:hash:1:0', 'k:hash:1:1', 'missing'], condition: 'nx' });
    expect(named.results.map(({ argv, outcome, reply }) => [argv[0], argv[1], outcome, reply])).toEqual([
      ['PEXPIREAT', 'k:hash:1:0', 'ok', 1],
      ['PEXPIREAT', 'k:hash:1:1', 'ok', 0],
      ['PEXPIREAT', 'missing', 'ok', 0],
    ]);
    expect(named.totals).toMatchObject({ changed: 1, unchanged: 2 });
    // 30 of an hour; 29 without and 30 of 100 hours are not shorter than 10, nor is the one that has just got them
    const greater = await run({ ...set, match: 'k:*', condition: 'gt' });
    expect(greater.totals).toMatchObject({ matched: 90, failed: 0 });
    expect([30, 31]).toContain(greater.totals.changed);
    const { commands, warnings, execution_plan: how } = await plan({ ...set, keys: ['k:hash:1:1'], condition: 'lt' });
    expect(warnings.filter(({ severity }) => severity === 'error')).toEqual([]);
    const before7 = Number.parseInt(server.version, 10) < 7;
    expect(isGuarded(commands[0]!.argv)).toBe(before7);
    expect(how.permissions.includes('+evalsha')).toBe(before7);
    expect(how.min_version.redis).toBe('6.0');
  });
});

function holds(condition: string, before: number | undefined, wanted: number): boolean {
  if (condition === 'NX') return before === undefined;
  if (condition === 'XX') return before !== undefined;
  if (condition === 'GT') return before !== undefined && wanted > before;
  return before === undefined || wanted < before;
}

describe('on a cluster', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  }, 60_000);
  afterAll(() => cluster.stop());

  it('selects, counts and unlinks on every node', async () => {
    const direct = await connectTarget(parseUrl(cluster.url));
    try {
      const keys = Array.from({ length: 400 }, (_, index) => `k:${index}`);
      await Promise.all(
        keys.map((key, index) => direct.send(['SET', key, 'x', ...(index % 4 === 0 ? ['EX', '1000'] : [])])),
      );
      const request = { ...batch, select: { match: 'k:*', ttl: 'any', size: { max: 1 } }, do: unlink };
      const report = await withAgent(cluster.url, async (agent) => {
        const { execution_plan: how } = await planOf(agent, request);
        expect(how.estimate).toMatchObject({ basis: 'counted', keys: 100 });
        return applied(agent, request, { yes: true, typedName: agent.target.name });
      });
      expect(report.totals).toMatchObject({ matched: 100, changed: 100, failed: 0, unknown: 0 });
      const there = await Promise.all(keys.map((key) => direct.send(['EXISTS', key])));
      expect(there).toEqual(keys.map((_, index) => (index % 4 === 0 ? 0 : 1)));
    } finally {
      await direct.close();
    }
  });
});
