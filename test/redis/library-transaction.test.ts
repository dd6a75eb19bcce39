/** The library's transaction: what a program reads, decides and writes, each end told apart, nothing left on a connection. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { slotOf } from '../../src/catalog/slots.ts';
import { connect, type Redops } from '../../src/connect.ts';
import type { TransactionFunction } from '../../src/transaction-types.ts';
import { faultOf } from '../support/agent.ts';
import {
  startCluster,
  startReplica,
  startSentinel,
  startServer,
  type TestServer,
  waitFor,
} from '../support/servers.ts';

let server: TestServer;
let redops: Redops;
beforeAll(async () => {
  server = await startServer();
  redops = await connect(server.url);
});
afterAll(async () => {
  await redops.close();
  await server.stop();
});
beforeEach(async () => {
  await server.cli('flushall');
});

const spend: TransactionFunction = async (tx) => {
  const balance = Number(await tx.read('GET', 'balance'));
  return balance < 50
    ? undefined
    : [
        ['SET', 'balance', balance - 50],
        ['INCR', 'spent'],
      ];
};
const clients = async () => (await server.cli('client', 'list')).split('\n');
/** The id of the transaction's connection that was opened last: older ones of other tests may be closing still. */
const newest = async () => Math.max(...(await transactionClients()).map((line) => Number(/^id=(\d+)/.exec(line)?.[1])));
const transactionClients = async () => (await clients()).filter((line) => line.includes('name=redops:transaction'));

describe('redops.transaction', () => {
  it('commits what the function returns, and sends nothing where it returns undefined', async () => {
    await server.cli('set', 'balance', '60');
    expect(await redops.transaction(['balance'], spend)).toEqual({
      status: 'committed',
      attempts: 1,
      replies: ['OK', 1],
    });
    await server.cli('config', 'resetstat');
    expect(await redops.transaction(['balance'], spend)).toEqual({ status: 'not_met', attempts: 1 });
    expect(await server.cli('info', 'commandstats')).not.toMatch(/cmdstat_(multi|exec|set):/);
    expect(await server.cli('mget', 'balance', 'spent')).toBe('10\n1');
  });

  it('reads anew after a conflict, and says how many attempts it took', async () => {
    await server.cli('set', 'balance', '60');
    const outcome = await redops.transaction(['balance'], async (tx) => {
      const balance = Number(await tx.read('GET', 'balance'));
      if (tx.attempt < 3) await server.cli('incr', 'balance');
      return [['SET', 'balance', balance - 50]];
    });
    expect(outcome).toEqual({ status: 'committed', attempts: 3, replies: ['OK'] });
    expect(await server.cli('get', 'balance')).toBe('12');
  });

  it('says conflict when its retries are used up: nothing was applied', async () => {
    const calls: number[] = [];
    const outcome = await redops.transaction(
      ['k'],
      async (tx) => {
        calls.push(tx.attempt);
        await tx.read('GET', 'k');
        await server.cli('incr', 'k');
        return [['SET', 'other', '1']];
      },
      { maxRetries: 2 },
    );
    expect(outcome).toEqual({ status: 'conflict', attempts: 3 });
    expect(calls).toEqual([1, 2, 3]);
    expect(await server.cli('exists', 'other')).toBe('0');
  });

  it('64 at once lose no update, over at most 16 connections', async () => {
    await server.cli('set', 'n', '0');
    const add: TransactionFunction = async (tx) => [['SET', 'n', Number(await tx.read('GET', 'n')) + 1]];
    const outcomes = await Promise.all(
      Array.from({ length: 64 }, () => redops.transaction(['n'], add, { maxRetries: 1000 })),
    );
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['committed']));
    expect(await server.cli('get', 'n')).toBe('64');
    expect((await transactionClients()).length).toBeLessThanOrEqual(16);
  });

  it('tells a command that fails inside EXEC as partial, with every reply', async () => {
    await server.cli('rpush', 'list', 'x');
    const outcome = await redops.transaction([], () => [
      ['SET', 'a', '1'],
      ['INCR', 'list'],
      ['SET', 'b', '2'],
    ]);
    expect(outcome).toMatchObject({
      status: 'partial',
      attempts: 1,
      replies: ['OK', { error: { name: 'WRONGTYPE' } }, 'OK'],
      errors: [{ index: 1, code: 'E218', name: 'WRONGTYPE' }],
    });
    expect(await server.cli('mget', 'a', 'b')).toBe('1\n2');
  });

  it('tells what was refused when queued, and what a read was refused for, as aborted', async () => {
    const limited = await startServer({ user: { name: 'app', password: 'p', rules: ['~*', '+@all', '-incr'] } });
    const app = await connect(limited.userUrl!);
    const queued = await app.transaction([], () => [
      ['SET', 'a', '1'],
      ['INCR', 'a'],
    ]);
    expect(queued).toMatchObject({ status: 'aborted', attempts: 1, errors: [{ index: 1, name: 'NOPERM' }] });
    await limited.cli('rpush', 'list', 'x');
    const read = await app.transaction(['list'], async (tx) => [['SET', 'a', String(await tx.read('GET', 'list'))]]);
    expect(read).toMatchObject({ status: 'aborted', attempts: 1, errors: [{ name: 'WRONGTYPE' }] });
    expect(read).not.toHaveProperty('errors.0.index');
    expect(await limited.cli('exists', 'a')).toBe('0');
    await app.close();
    await limited.stop();
  });

  it('sends no command when MULTI itself is refused', async () => {
    const limited = await startServer({ user: { name: 'app', password: 'p', rules: ['~*', '+@all', '-multi'] } });
    const app = await connect(limited.userUrl!);
    const outcome = await app.transaction(['n'], () => [['INCR', 'n']]);
    expect(outcome).toMatchObject({ status: 'aborted', errors: [{ name: 'NOPERM' }] });
    expect(await limited.cli('exists', 'n')).toBe('0');
    await app.close();
    await limited.stop();
  });

  it('runs again when it was redirected, here by BUSY, and says so when that does not end', async () => {
    await server.cli('config', 'set', 'lua-time-limit', '20');
    const script = server.cli('eval', 'while true do end', '0').catch(() => '');
    await waitFor('a busy server', async () => (await server.cli('get', 'x')).startsWith('BUSY'));
    const given = await redops.transaction([], () => [['INCR', 'n']], { maxRetries: 1, baseMs: 1 });
    expect(given).toMatchObject({ status: 'redirected', attempts: 2, reason: 'BUSY' });
    const running = redops.transaction([], () => [['INCR', 'n']], { maxRetries: 1000, baseMs: 1 });
    await server.cli('script', 'kill');
    await script;
    expect(await running).toMatchObject({ status: 'committed', replies: [1] });
  });

  it('rethrows what the function throws, and leaves nothing watched or queued on the connection', async () => {
    const own = await connect(server.url);
    const boom = new Error('boom');
    const thrown = own.transaction(['k'], async (tx) => {
      await tx.read('GET', 'k');
      throw boom;
    });
    await expect(thrown).rejects.toBe(boom);
    const used = await newest();
    await server.cli('set', 'k', '1'); // would fail the next EXEC of that connection if k were watched still
    expect(await own.transaction([], () => [['GET', 'k']], { maxRetries: 0 })).toMatchObject({
      status: 'committed',
      replies: ['1'],
    });
    const after = await newest();
    expect(after).toEqual(used); // the same connection
    await own.close();
  });

  it.each([
    [
      'a read of a key that is not watched',
      ['k'],
      async (tx) => [['SET', 'k', String(await tx.read('GET', 'other'))]],
      'other is not watched',
    ],
    [
      'a read where no key is watched',
      [],
      async (tx) => [['SET', 'k', String(await tx.read('GET', 'k'))]],
      'no key is watched',
    ],
    ['a read that writes', ['k'], async (tx) => [['SET', 'k', String(await tx.read('INCR', 'k'))]], 'not a plain read'],
    ['an unknown command', ['k'], () => [['SETT', 'k', '1']], 'unknown command'],
    ['a wrong number of arguments', ['k'], () => [['SET', 'k']], 'SET takes at least 2'],
    ['an option that does not exist', ['k'], () => [['SET', 'k', 'v', 'EXX', '10']], 'EXX does not fit SET'],
    ['a blocking command', ['k'], () => [['BLPOP', 'k', '0']], 'BLPOP blocks'],
    ['SUBSCRIBE', ['k'], () => [['SUBSCRIBE', 'k']], 'changes the state of the connection'],
    ['MULTI', ['k'], () => [['MULTI']], 'changes the state of the connection'],
    ['FLUSHALL', ['k'], () => [['FLUSHALL']], 'DEL003'],
    ['CONFIG', ['k'], () => [['CONFIG', 'SET', 'maxmemory', '1']], 'administration'],
    ['no commands', ['k'], () => [], 'there are none'],
    ['1001 commands', ['k'], () => Array.from({ length: 1001 }, () => ['INCR', 'k']), '1000 is the most'],
    ['101 keys', Array.from({ length: 101 }, (_, index) => `k${index}`), () => [['INCR', 'k']], '100 is the most'],
  ] satisfies [string, string[], TransactionFunction, string][])(
    'refuses %s before anything is sent',
    async (_, keys, make, message) => {
      await server.cli('set', 'witness', '1');
      const fault = await faultOf(redops.transaction(keys, make));
      expect(fault).toMatchObject({ code: 'refused' });
      expect(fault.message).toContain(message);
      expect(fault.remedy).toBeTruthy();
      expect(await server.cli('dbsize')).toBe('1');
      // and the connection that it had is fit for the next one
      expect(await redops.transaction(['k'], () => [['SET', 'k', '1']], { maxRetries: 0 })).toMatchObject({
        status: 'committed',
      });
    },
  );

  it('takes more where the options say so', async () => {
    const many = Array.from({ length: 1001 }, () => ['INCR', 'k']);
    const keys = Array.from({ length: 101 }, (_, index) => `k${index}`);
    expect(await redops.transaction(keys, () => many, { maxCommands: 2000, maxKeys: 200 })).toMatchObject({
      status: 'committed',
    });
    expect(await server.cli('get', 'k')).toBe('1001');
  });

  it('keeps bytes that are no text as they are', async () => {
    const key = Buffer.from([0xff, 0x00, 0xfe]);
    await redops.transaction([], () => [['SET', key, Buffer.from([0x80, 0x81])]]);
    const seen: unknown[] = [];
    const outcome = await redops.transaction([key], async (tx) => {
      seen.push(await tx.read('GET', key));
      return [
        ['APPEND', key, Buffer.from([0x82])],
        ['GET', key],
      ];
    });
    expect(seen).toEqual([{ base64: 'gIE=' }]);
    expect(outcome).toMatchObject({ replies: [3, { base64: 'gIGC' }] });
  });

  it('goes on after the server was restarted: another process is met, and looked at anew', async () => {
    const own = await startServer();
    const redis = await connect(own.url);
    expect(await redis.transaction(['k'], () => [['INCR', 'k']])).toMatchObject({ status: 'committed' });
    await own.stop();
    const next = await startServer({ port: own.port });
    expect(await redis.transaction(['k'], () => [['INCR', 'k']], { baseMs: 5 })).toMatchObject({
      status: 'committed',
      replies: [1],
    });
    await redis.close();
    await next.stop();
  });

  it('keeps to the caps of the target, and asks for its name where data would be destroyed on production', async () => {
    const own = await connect({
      url: server.url,
      name: 'shop',
      tag: 'production',
      caps: { prefixes: ['app:'], max_keys: 2 },
    });
    const outside = await faultOf(own.transaction(['app:1'], () => [['INCR', 'other']]));
    expect(outside.message).toContain('none of the allowed prefixes');
    expect((await faultOf(own.transaction(['other'], () => [['INCR', 'app:1']]))).message).toContain(
      'allowed prefixes',
    );
    const three = await faultOf(own.transaction([], () => ['1', '2', '3'].map((id) => ['INCR', `app:${id}`])));
    expect(three.message).toContain('more than 2 keys');
    const unnamed = await faultOf(own.transaction([], () => [['DEL', 'app:1']]));
    expect(unnamed.message).toContain('typedName');
    expect(await own.transaction([], () => [['DEL', 'app:1']], { typedName: 'shop' })).toMatchObject({
      status: 'committed',
    });
    expect(await server.cli('dbsize')).toBe('0');
    await own.close();
  });

  it('asks replicas to confirm, and says what is known', async () => {
    const primary = await startServer();
    const replica = await startReplica(primary);
    const own = await connect({ url: primary.url, tag: 'dev' });
    const write: TransactionFunction = () => [['INCR', 'k']];
    expect(await own.transaction([], write)).toMatchObject({ status: 'committed', replicated: 'not_known' });
    expect(await own.transaction([], write, { waitReplicas: 1, waitTimeoutMs: 10_000 })).toMatchObject({
      replicas: 1,
      replicated: 'confirmed',
    });
    expect(await own.transaction([], write, { waitReplicas: 2, waitTimeoutMs: 50 })).toMatchObject({
      status: 'committed',
      replicas: 1,
      replicated: 'not_known',
    });
    expect(await redops.transaction([], write)).not.toHaveProperty('replicated');
    await own.close();
    await replica.stop();
    await primary.stop();
  });
});

describe('redops.transaction in a cluster', () => {
  it('goes to the node of its slot, follows it, and proposes the hash tag where there is none in common', async () => {
    const cluster = await startCluster();
    const own = await connect({ url: cluster.url, tag: 'dev' });
    const add = (tag: string) =>
      own.transaction(
        [`{${tag}}:n`],
        async (tx) => [['SET', `{${tag}}:n`, Number(await tx.read('GET', `{${tag}}:n`)) + 1]],
        { baseMs: 5, maxRetries: 50 },
      );
    for (const tag of ['a', 'b', 'c', 'd']) expect(await add(tag)).toMatchObject({ status: 'committed', attempts: 1 });
    const apart = await faultOf(own.transaction(['user:1:a'], () => [['INCR', 'user:1:b']]));
    expect(apart.message).toMatch(/user:1:a \(slot \d+\), user:1:b \(slot \d+\)/);
    expect(apart.remedy).toContain('{user:1}:a and {user:1}:b');
    expect((await faultOf(own.transaction(['x', 'y'], () => undefined))).message).toContain('different slots');
    // without keys the commands say where to
    expect(await own.transaction([], () => [['INCR', '{c}:n']])).toMatchObject({ status: 'committed', replies: [2] });
    // the first slots of the first primary, with a key in one of them
    const moving = Array.from({ length: 5000 }, (_, index) => `t${index}`).find((tag) => slotOf(tag) < 50)!;
    expect(await add(moving)).toMatchObject({ status: 'committed', attempts: 1 });
    const [from, to] = cluster.primaries as [TestServer, TestServer];
    await cluster.reshard(from, to, 50);
    expect(await to.cli('get', `{${moving}}:n`)).toBe('1');
    expect(await add(moving)).toMatchObject({ status: 'committed', replies: ['OK'] });
    expect(await to.cli('get', `{${moving}}:n`)).toBe('2');
    for (const tag of ['a', 'b', 'c', 'd']) expect(await add(tag)).toMatchObject({ status: 'committed' });
    expect(await Promise.all(['a', 'b', 'c', 'd'].map((tag) => cluster.cli('get', `{${tag}}:n`)))).toEqual([
      '2',
      '2',
      '3',
      '2',
    ]);
    await own.close();
    await cluster.stop();
  }, 60_000);
});

describe('redops.transaction behind Sentinels', () => {
  it('goes on at the new primary after a failover', async () => {
    const deployment = await startSentinel();
    const own = await connect({ url: deployment.url, tag: 'dev' });
    const add = () =>
      own.transaction(['n'], async (tx) => [['SET', 'n', Number(await tx.read('GET', 'n')) + 1]], {
        waitReplicas: 1,
        waitTimeoutMs: 10_000,
        maxRetries: 100,
        baseMs: 50,
      });
    expect(await add()).toMatchObject({ status: 'committed', replicated: 'confirmed' });
    process.kill(deployment.primary.pid, 'SIGKILL');
    // all of them: while they disagree, what is acknowledged is not vouched for, and unknown
    await waitFor('another primary, which all Sentinels name', async () => {
      const { primary, sentinels, service } = deployment;
      const names = await Promise.all(sentinels.map((one) => one.cli('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', service)));
      return names.every((name) => !name.endsWith(`\n${primary.port}`));
    });
    // Sentinels that call a server down after half a second may fail over again at once: what is acknowledged meanwhile
    // is unknown, since nobody vouches for it, and may be there or not
    const outcomes = [await add()];
    while (outcomes.at(-1)?.status === 'unknown' && outcomes.length < 10) outcomes.push(await add());
    expect(outcomes.at(-1), JSON.stringify(outcomes)).toMatchObject({ status: 'committed', replicated: 'confirmed' });
    const port = await deployment.currentPort();
    const now = deployment.replicas.find((replica) => replica.port === port)!;
    const n = Number(await now.cli('get', 'n'));
    expect(n).toBeGreaterThanOrEqual(2);
    expect(n).toBeLessThanOrEqual(1 + outcomes.length);
    await own.close();
    await deployment.stop();
  }, 120_000);
});
