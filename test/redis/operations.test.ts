/** Each of the six operation types, from request to report, on a real server: the data afterwards is what the plan said. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Plan } from '../../src/plan/plan.ts';
import { applied, faultOf, planOf, withAgent } from '../support/agent.ts';
import { startServer, type TestServer } from '../support/servers.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await server.cli('flushall');
});

const run = (request: unknown) => withAgent(server.url, (agent) => applied(agent, request));

describe('key_management', () => {
  it('deletes named keys, and tells what was there from what was not', async () => {
    await server.cli('mset', 'user:1', 'a', 'user:2', 'b', 'other', 'c');
    const report = await run({
      operation_type: 'key_management',
      action: 'delete',
      keys: ['user:1', 'user:2', 'user:3'],
    });
    expect(report.status).toBe('succeeded');
    expect(report.totals).toMatchObject({ changed: 2, unchanged: 1, failed: 0, unknown: 0 });
    expect(report.results.map((result) => [result.argv, result.outcome, result.reply])).toEqual([
      [['UNLINK', 'user:1'], 'ok', 1],
      [['UNLINK', 'user:2'], 'ok', 1],
      [['UNLINK', 'user:3'], 'ok', 0],
    ]);
    expect(await server.cli('keys', '*')).toBe('other');
  });

  it('deletes by pattern and type, and nothing else', async () => {
    await server.cli(
      'eval',
      "for i = 1, 5000 do redis.call('set', 'session:' .. i, i) end for i = 1, 50 do redis.call('rpush', 'session:list:' .. i, i) redis.call('set', 'keep:' .. i, i) end",
      '0',
    );
    const report = await run({
      operation_type: 'key_management',
      action: 'delete',
      match: 'session:*',
      type: 'string',
    });
    expect(report.totals).toMatchObject({ matched: 5000, changed: 5000, failed: 0 });
    expect(report.verification).toEqual({ complete: true, unproven: [] });
    expect(await server.cli('dbsize')).toBe('100');
  });

  it('finds, inspects, renames, copies and touches', async () => {
    await server.cli('mset', 'a:1', 'x', 'a:2', 'y', 'b', 'z');
    const found = await run({ operation_type: 'key_management', action: 'find', match: 'a:*' });
    expect([...(found.found?.keys ?? [])].sort()).toEqual(['a:1', 'a:2']);
    expect(found.found?.more).toBe(false);
    const inspected = await run({ operation_type: 'key_management', action: 'inspect', keys: ['a:1'] });
    expect(inspected.results.map((result) => result.argv[0])).toContain('TYPE');
    expect(inspected.results.find((result) => result.argv[0] === 'STRLEN')?.reply).toBe(1);
    expect(
      (await run({ operation_type: 'key_management', action: 'rename', keys: ['b'], to: 'c' })).totals.changed,
    ).toBe(1);
    const taken = await run({ operation_type: 'key_management', action: 'rename', keys: ['c'], to: 'a:1' });
    expect([taken.totals.changed, await server.cli('get', 'a:1'), await server.cli('get', 'c')]).toEqual([0, 'x', 'z']);
    await run({ operation_type: 'key_management', action: 'copy', keys: ['c'], to: 'd' });
    expect(await server.cli('get', 'd')).toBe('z');
    const touched = await run({ operation_type: 'key_management', action: 'touch', keys: ['c', 'none'] });
    expect(touched.results.map((result) => result.reply)).toEqual([1, 0]);
  });

  it('finds no more keys than asked for, and then asks the server nothing more', async () => {
    await server.cli('eval', "for i = 1, 20000 do redis.call('set', 'k:' .. i, i) end", '0');
    const find = { operation_type: 'key_management', action: 'find', match: 'k:*', limit: 10 };
    const report = await run({ ...find, retry: { max_retries: 3, base_ms: 1 } });
    expect(report.found).toMatchObject({ keys: { length: 10 }, more: true });
    await new Promise((resolve) => setTimeout(resolve, 200)); // the page that was asked for ahead would be retried by now
    expect(await server.cli('client', 'list')).not.toContain('name=redops');
  });

  it('keeps keys of arbitrary bytes as they are', async () => {
    const bytes = [
      Buffer.from([0xff, 0x00, 0x0d, 0x0a]),
      Buffer.from('__proto__'),
      Buffer.from(''),
      Buffer.from('{"base64":"x"}'),
    ];
    await server.cli(
      'eval',
      "redis.call('set', string.char(255, 0, 13, 10), 1) redis.call('set', '__proto__', 1) redis.call('set', '', 1) redis.call('set', '{\"base64\":\"x\"}', 1)",
      '0',
    );
    const found = await run({ operation_type: 'key_management', action: 'find' });
    expect(found.found?.keys.length).toBe(4);
    const keys = bytes.map((key) => (key[0] === 0xff ? { base64: key.toString('base64') } : key.toString()));
    const report = await run({ operation_type: 'key_management', action: 'delete', keys });
    expect(report.totals.changed).toBe(4);
    expect(await server.cli('dbsize')).toBe('0');
  });
});

describe('expiration', () => {
  it('sets a strategy on every match, spread by jitter, from the moment it is sent', async () => {
    await server.cli(
      'eval',
      "for i = 1, 2000 do redis.call('set', 'session:' .. i, i) end redis.call('set', 'session:old', 1, 'EX', 5)",
      '0',
    );
    const report = await run({
      operation_type: 'expiration',
      action: 'set',
      match: 'session:*',
      strategy: 'session',
      condition: 'nx',
    });
    expect(report.totals).toMatchObject({ matched: 2001, changed: 2000, unchanged: 1 });
    const ttls = (
      await server.cli(
        'eval',
        "local t = {} for _, k in ipairs(redis.call('keys', 'session:*')) do t[#t + 1] = redis.call('pttl', k) end return t",
        '0',
      )
    )
      .split('\n')
      .map(Number);
    const day = 86_400_000;
    const long = ttls.filter((ttl) => ttl > 10_000);
    expect(long.length).toBe(2000);
    expect(Math.min(...long)).toBeGreaterThan(day - 60_000);
    expect(Math.max(...long)).toBeLessThanOrEqual(day * 1.1 + 1_000); // the time of many chunks is up to a second ahead
    expect(Math.max(...long) - Math.min(...long)).toBeGreaterThan(day * 0.08);
  });

  it('sets, reads and removes the TTL of named keys, and audits prefixes', async () => {
    await server.cli('mset', 'k', '1', 'p:1', '1', 'p:2', '1');
    await run({ operation_type: 'expiration', action: 'set', keys: ['k'], ttl: '30m' });
    const got = await run({ operation_type: 'expiration', action: 'get', keys: ['k', 'none'] });
    expect(got.results[0]?.reply).toBeGreaterThan(1_790_000);
    expect(got.results[1]?.reply).toBe(-2);
    expect((await run({ operation_type: 'expiration', action: 'persist', keys: ['k', 'p:1'] })).totals).toMatchObject({
      changed: 1,
      unchanged: 1,
    });
    expect(await server.cli('ttl', 'k')).toBe('-1');
    const audit = await run({ operation_type: 'expiration', action: 'audit' });
    expect(audit.audit).toContainEqual({ prefix: 'p:', keys: 2, without_ttl: 2 });
  });

  it('never sends a deadline that has passed: the keys stay', async () => {
    await server.cli('set', 'k', '1');
    const past = Math.floor(Date.now() / 1000) - 3600;
    const report = await withAgent(server.url, async (agent) => {
      const plan = await planOf(agent, {
        operation_type: 'expiration',
        action: 'set',
        keys: ['k'],
        at: past,
        accept: ['TTL006', 'DEL001'],
      });
      return applied(agent, plan);
    });
    expect(report.status).not.toBe('succeeded');
    expect(report.totals.changed).toBe(0);
    expect(await server.cli('get', 'k')).toBe('1');
  });
});

describe('pipelining', () => {
  it('gives every command its own outcome; one failure loses nothing else', async () => {
    await server.cli('rpush', 'list', 'x');
    const report = await run({
      operation_type: 'pipelining',
      commands: ['SET a 1', 'GET list', ['SET', 'b', { base64: '/wA=' }], 'INCR a', 'HGETALL none'],
    });
    expect(report.status).toBe('partial');
    expect(report.results.map((result) => result.outcome)).toEqual(['ok', 'error', 'ok', 'ok', 'ok']);
    expect(report.results[1]?.error).toMatchObject({ code: 'E218', name: 'WRONGTYPE' });
    expect(report.results[3]?.reply).toBe(2);
    expect(await server.cli('strlen', 'b')).toBe('2');
    expect(report.errors).toMatchObject([{ code: 'E218', count: 1 }]);
  });

  it('runs many batches in order and keeps to a rate', async () => {
    const commands = Array.from({ length: 3000 }, (_, index) => ['RPUSH', 'list', String(index)]);
    const report = await run({ operation_type: 'pipelining', commands });
    expect(report.totals.changed).toBe(3000);
    expect(await server.cli('lrange', 'list', '0', '-1')).toBe(commands.map((argv) => argv[2]).join('\n'));
    const slow = await run({ operation_type: 'pipelining', commands: commands.slice(0, 60), limits: { rate: 100 } });
    expect(slow.timing.duration_ms).toBeGreaterThan(400);
  });

  it('is one MULTI/EXEC when atomicity is required', async () => {
    const plan = await withAgent(server.url, (agent) =>
      planOf(agent, { operation_type: 'pipelining', commands: ['SET a 1', 'INCR a'], atomicity_required: true }),
    );
    expect(plan.execution_plan).toMatchObject({ strategy: 'transaction', atomic: true, rollback: 'none' });
    const report = await run({
      operation_type: 'pipelining',
      commands: ['SET a 1', 'INCR a'],
      atomicity_required: true,
    });
    expect(report.transaction?.outcome).toBe('committed');
    expect(await server.cli('get', 'a')).toBe('2');
  });
});

describe('a pipeline of the library', () => {
  it('runs its commands once, in order, also for who asks ahead of the answers', async () => {
    await withAgent(server.url, async (agent) => {
      const commands = ['a', 'b', 'c', 'd'].map((value) => ['APPEND', 'k', value]);
      const outcomes = agent.pipeline(commands)[Symbol.asyncIterator]();
      const asked = await Promise.all(commands.map(() => outcomes.next()));
      expect(asked.map(({ value }) => value.reply)).toEqual([1, 2, 3, 4]);
      expect(await outcomes.next()).toEqual({ done: true, value: undefined });
    });
    expect(await server.cli('get', 'k')).toBe('abcd');
  });

  it('leaves nothing open when its reader ends it at once', async () => {
    await withAgent(server.url, async (agent) => {
      const clients = async () => (await server.cli('client', 'list', 'type', 'normal')).split('\n').length;
      const before = await clients();
      const outcomes = agent.pipeline([['SET', 'k', 'v']])[Symbol.asyncIterator]();
      const [first] = await Promise.all([outcomes.next(), outcomes.return?.()]);
      expect(first.done === true || first.value.outcome === 'ok').toBe(true);
      expect(await outcomes.next()).toEqual({ done: true, value: undefined });
      expect(await clients()).toBe(before);
    });
  });
});

describe('a script sent as a plain command', () => {
  it('that wrote and then answers with an error of its own is unknown and ran once, planned or streamed', async () => {
    const lua = "redis.call('INCR', KEYS[1]); return redis.error_reply('BUSY mine')";
    await server.cli('del', 'once');
    const report = await run({ operation_type: 'pipelining', commands: [['EVAL', lua, '1', 'once'], 'PING'] });
    expect(report.results.map((one) => one.outcome)).toEqual(['unknown', 'ok']);
    expect(await server.cli('get', 'once')).toBe('1');
    await withAgent(server.url, async (agent) => {
      const outcomes: string[] = [];
      for await (const one of agent.pipeline([['EVAL', lua, '1', 'once'], ['PING']])) outcomes.push(one.outcome);
      expect(outcomes).toEqual(['unknown', 'ok']);
    });
    expect(await server.cli('get', 'once')).toBe('2');
  });
});

describe('lua_script', () => {
  it.each([
    'BUSY try later',
    'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
    'LOADING more',
    'NOSCRIPT of mine',
    'NOSCRIPT No matching script.',
    'TRYAGAIN soon',
    'CLUSTERDOWN',
  ])('that wrote and then answers with an error of its own, %s, is unknown and ran once', async (word) => {
    const lua = `redis.call('INCR', KEYS[1]); return redis.error_reply('${word}')`;
    const request = { operation_type: 'lua_script', action: 'run', script: lua, keys: ['once'] };
    await server.cli('del', 'once');
    await run({ operation_type: 'lua_script', action: 'load', script: lua });
    const report = await run({ ...request, retry: { max_retries: 3, base_ms: 1 } });
    expect(report.results).toMatchObject([{ outcome: 'unknown' }]);
    expect(await server.cli('get', 'once')).toBe('1');
  });

  it('runs a script, loading it when the server does not have it, also after SCRIPT FLUSH', async () => {
    const script =
      "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('SET', KEYS[1], ARGV[2]) end return false";
    await server.cli('set', 'k', 'old');
    const request = { operation_type: 'lua_script', action: 'run', script, keys: ['k'], args: ['old', 'new'] };
    expect((await run(request)).results[0]).toMatchObject({ outcome: 'ok', reply: 'OK' });
    await server.cli('script', 'flush');
    expect((await run(request)).results[0]).toMatchObject({ outcome: 'ok', reply: null });
    expect(await server.cli('get', 'k')).toBe('new');
  });

  it('loads, finds and flushes', async () => {
    const script = 'return 1';
    await run({ operation_type: 'lua_script', action: 'load', script });
    expect((await run({ operation_type: 'lua_script', action: 'exists', script })).results[0]?.reply).toEqual([1]);
    await withAgent(server.url, (agent) =>
      applied(agent, { operation_type: 'lua_script', action: 'flush', accept: ['SEC001'] }),
    );
    expect((await run({ operation_type: 'lua_script', action: 'exists', script })).results[0]?.reply).toEqual([0]);
  });

  it('calls a script that failed after a write unknown, not "not applied"', async () => {
    const script = "redis.call('SET', KEYS[1], 'half') return redis.call('INCR', KEYS[2])";
    await server.cli('rpush', 'list', 'x');
    const report = await run({ operation_type: 'lua_script', action: 'run', script, keys: ['k', 'list'], args: [] });
    expect(report.results[0]).toMatchObject({
      outcome: 'unknown',
      error: { message: expect.stringContaining('WRONGTYPE') },
    });
    expect(await server.cli('get', 'k')).toBe('half');
  });
});

describe('batch', () => {
  const fill = () =>
    server.cli(
      'eval',
      "for i = 1, 3000 do redis.call('set', 'cache:' .. i, i, 'EX', 1000) redis.call('set', 'user:' .. i, i) end",
      '0',
    );

  it('unlinks, expires and persists what matches', async () => {
    await fill();
    const persisted = await run({ operation_type: 'batch', select: { match: 'cache:*' }, do: { action: 'persist' } });
    expect(persisted.totals).toMatchObject({ matched: 3000, changed: 3000 });
    const expired = await run({
      operation_type: 'batch',
      select: { match: 'cache:*' },
      do: { action: 'expire', ttl: '1h' },
    });
    expect(expired.totals.changed).toBe(3000);
    const unlinked = await run({ operation_type: 'batch', select: { match: 'cache:*' }, do: { action: 'unlink' } });
    expect(unlinked.totals).toMatchObject({ matched: 3000, changed: 3000, unknown: 0 });
    expect(await server.cli('dbsize')).toBe('3000');
  });

  it('stops by itself, before acting, where more matches than was planned', async () => {
    await fill();
    const error = await withAgent(server.url, async (agent) => {
      const plan = await planOf(agent, {
        operation_type: 'batch',
        select: { match: 'user:*' },
        do: { action: 'unlink' },
      });
      await server.cli('eval', "for i = 1, 3000 do redis.call('set', 'user:more:' .. i, i) end", '0');
      return faultOf(applied(agent, plan));
    });
    expect(error.code).toBe('drift');
    expect(await server.cli('dbsize')).toBe('9000');
  });

  it('refuses a plan that goes over its caps', async () => {
    await fill();
    const report = await run({
      operation_type: 'batch',
      select: { match: 'user:*' },
      do: { action: 'unlink' },
      limits: { max_keys: 100 },
    });
    expect(report.status).toBe('refused');
    expect(report.warnings.map((warning) => warning.code)).toContain('CAP001');
    expect(await server.cli('dbsize')).toBe('6000');
  });
});

describe('plans', () => {
  it('round-trip through JSON byte for byte, and a changed one is found out', async () => {
    await server.cli('set', 'k', '1');
    await withAgent(server.url, async (agent) => {
      const plan = await planOf(agent, {
        operation_type: 'key_management',
        action: 'delete',
        keys: ['k', { base64: '/w==' }],
      });
      const text = JSON.stringify(plan);
      expect(JSON.stringify(Plan.parse(JSON.parse(text)))).toBe(text);
      const steps = JSON.parse(text);
      steps.execution_plan.steps[0].steps[0].argv[1] = 'other';
      expect((await faultOf(applied(agent, steps))).code).toBe('tampered');
      const quiet = JSON.parse(text);
      quiet.execution_plan.destructive = false;
      expect((await faultOf(applied(agent, quiet))).code).toBe('tampered');
      const report = await applied(agent, JSON.parse(text));
      expect(report.plan_digest).toBe(plan.digest);
      expect(report.totals.changed).toBe(1);
    });
  });

  it('send nothing in a dry run, and say so', async () => {
    await server.cli('eval', "for i = 1, 300 do redis.call('set', 'k:' .. i, i) end", '0');
    for (const request of [
      { operation_type: 'key_management', action: 'delete', keys: ['k:1'] },
      { operation_type: 'batch', select: { match: 'k:*' }, do: { action: 'unlink' } },
      { operation_type: 'transaction', commands: ['SET k:1 x'], let: { v: 'GET k:1' }, when: 'v == 1' },
      { operation_type: 'lua_script', action: 'run', script: "return redis.call('DEL', KEYS[1])", keys: ['k:1'] },
    ]) {
      const report = await withAgent(server.url, (agent) => applied(agent, request, { dryRun: true }));
      expect(report.dry_run).toBe(true);
      expect(report.would_send).toBe('select' in request ? 300 : 1);
      expect(report.totals.changed).toBe(0);
    }
    expect(await server.cli('dbsize')).toBe('300');
    expect(await server.cli('get', 'k:1')).toBe('1');
  });

  it('are refused by another data set and by a restarted server', async () => {
    const other = await startServer();
    const plan = await withAgent(server.url, (agent) =>
      planOf(agent, { operation_type: 'key_management', action: 'delete', keys: ['k'] }),
    );
    expect((await faultOf(withAgent(other.url, (agent) => applied(agent, plan)))).code).toBe('drift');
    const own = await withAgent(other.url, (agent) =>
      planOf(agent, { operation_type: 'key_management', action: 'delete', keys: ['k'] }),
    );
    await other.stop();
    const again = await startServer({ port: other.port });
    await again.cli('set', 'k', '1');
    expect((await faultOf(withAgent(again.url, (agent) => applied(agent, own)))).code).toBe('drift');
    expect(await again.cli('get', 'k')).toBe('1');
    await again.stop();
  });
});
