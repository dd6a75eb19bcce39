/** What a plan is warned of on a real server: forks, full memory, replicas that are behind, listeners, the append-only file. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '../../src/agent.ts';
import { lintFiles } from '../../src/lint-verbs.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { connectTarget } from '../../src/redis/connect.ts';
import type { Connection } from '../../src/redis/connection.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { applied, planOf, withAgent } from '../support/agent.ts';
import { matrix, startCluster, startReplica, startServer, type TestServer, waitFor } from '../support/servers.ts';

const fill = "for i = 1, tonumber(ARGV[1]) do redis.call('SET', 's:' .. i, 'v') end return 1";
const fillTtl = "for i = 1, tonumber(ARGV[1]) do redis.call('SET', 's:' .. i, 'v', 'EX', 1000) end return 1";
const unlink = { operation_type: 'batch', select: { match: 's:*' }, do: { action: 'unlink' } };
const write = (bytes: number, accept: readonly string[] = []) => ({
  operation_type: 'pipelining',
  commands: [['SET', 'large', 'v'.repeat(bytes)]],
  accept,
});
const ops = (plan: Plan) => plan.warnings.filter(({ code }) => code.startsWith('OPS')).map(({ code }) => code);
const MB = 1024 * 1024;

describe.each(matrix().map((version) => ({ version, name: version ?? 'the default server' })))(
  'on $name',
  ({ version }) => {
    let server: TestServer;
    beforeAll(async () => {
      server = await startServer({
        ...(version === undefined ? {} : { version }),
        user: { name: 'plain', password: 'p', rules: ['~*', '+@all', '-config'] },
      });
    });
    afterAll(() => server.stop());
    beforeEach(async () => {
      for (const [name, value] of settings) await server.cli('CONFIG', 'SET', name!, value!);
      await server.cli('FLUSHALL');
      await server.cli('EVAL', fill, '0', '12000');
    });
    const settings = [
      ['rdb-key-save-delay', '0'],
      ['maxmemory', '0'],
      ['notify-keyspace-events', ''],
      ['appendonly', 'no'],
      ['appendfsync', 'everysec'],
    ];
    const planned = (request: unknown, url = server.url) => withAgent(url, (agent) => planOf(agent, request));

    it('says what it knows, and a calm server is warned of nothing', async () => {
      const plan = await planned(unlink);
      expect(ops(plan)).toEqual([]);
      expect(plan.unchecked.filter(({ code }) => code.startsWith('OPS'))).toEqual([]);
      expect(plan.target.server).toMatchObject({
        uncounted_memory: 0,
        load: { fork: 'none', loading: false, bytes_behind: 0, silent_seconds: 0, replica_buffers: 0 },
        aof: { enabled: false, fsync: 'everysec' },
        events: { notify: '', subscriptions: 0, tracking: 0 },
      });
    });

    it('what may not be asked is not known, and the rules say so', async () => {
      await server.cli('CONFIG', 'SET', 'appendonly', 'yes');
      await waitFor('the rewrite', async () =>
        /aof_rewrite_in_progress:0[\s\S]*aof_rewrite_scheduled:0/.test(await server.cli('INFO', 'persistence')),
      );
      const { target, unchecked } = await planned(unlink, server.userUrl);
      expect(target.server.events?.notify).toBeUndefined();
      expect(target.server.aof).toMatchObject({ enabled: true });
      expect(target.server.aof?.fsync).toBeUndefined();
      const reasons = unchecked
        .filter(({ code }) => code.startsWith('OPS'))
        .map(({ code, reason }) => `${code}: ${reason}`);
      expect(reasons.join('\n')).toMatch(/^OPS006: needs appendonly and appendfsync/m);
    });

    it('OPS001: a snapshot is being written', async () => {
      await server.cli('CONFIG', 'SET', 'rdb-key-save-delay', '10000');
      await server.cli('BGSAVE');
      expect(ops(await planned(unlink))).toEqual(['OPS001']);
      expect(ops(await planned(write(10)))).toEqual([]);
      await server.cli('CONFIG', 'SET', 'rdb-key-save-delay', '0');
      await server.cli('FLUSHALL'); // ends the child
      await waitFor('the end of the snapshot', async () =>
        (await server.cli('INFO', 'persistence')).includes('rdb_bgsave_in_progress:0'),
      );
    });

    it('OPS002: what cannot fit is refused, and the server would have refused it', async () => {
      const used = Number(/used_memory:(\d+)/.exec(await server.cli('INFO', 'memory'))?.[1]);
      await server.cli('CONFIG', 'SET', 'maxmemory', String(used + 4 * MB));
      const plan = await planned(write(8 * MB));
      expect(plan.warnings.filter(({ severity }) => severity === 'error').map(({ code }) => code)).toEqual(['OPS002']);
      expect(ops(await planned(write(MB)))).toEqual([]);
      await withAgent(server.url, async (agent) => {
        expect((await applied(agent, write(8 * MB))).status).toBe('refused');
        await server.cli('CONFIG', 'SET', 'maxmemory', String(used - MB));
        const accepted = await applied(agent, write(100, ['OPS002']));
        expect(accepted.results[0]?.error?.code).toBe('E206');
      });
      await server.cli('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
      await server.cli('CONFIG', 'SET', 'maxmemory', String(used + 4 * MB));
      const evicting = await planned(write(8 * MB));
      expect(evicting.warnings.filter(({ code }) => code === 'OPS002')).toMatchObject([{ severity: 'warning' }]);
      await server.cli('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    });

    it('OPS005: somebody listens to keyspace events', async () => {
      await server.cli('CONFIG', 'SET', 'notify-keyspace-events', 'Kg');
      expect(ops(await planned(unlink))).toEqual([]);
      await withConnection(server.url, async (connection) => {
        await (await connection.lease()).send(['SUBSCRIBE', '__keyspace@0__:s:1']);
        expect(ops(await planned(unlink))).toEqual(['OPS005']);
        await server.cli('CONFIG', 'SET', 'notify-keyspace-events', 'Kh');
        expect(ops(await planned(unlink))).toEqual([]);
      });
    });

    it('OPS005: a client tracks keys', async () => {
      await withConnection(server.url, async (connection) => {
        const lease = await connection.lease();
        const id = String(await lease.send(['CLIENT', 'ID']));
        await lease.send(['CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, 'BCAST']);
        expect(ops(await planned(unlink))).toEqual(['OPS005']);
      });
    });

    it('DEL004: consumer groups go with their stream', async () => {
      await server.cli('XADD', 'orders', '1-1', 'f', 'v');
      await server.cli('XGROUP', 'CREATE', 'orders', 'workers', '0');
      await server.cli('XGROUP', 'CREATE', 'orders', 'others', '$');
      await server.cli('XREADGROUP', 'GROUP', 'workers', 'w1', 'STREAMS', 'orders', '>');
      await server.cli('XADD', 'plain', '1-1', 'f', 'v');
      const remove = { operation_type: 'key_management', action: 'delete', keys: ['orders', 'plain', 's:1'] };
      const { target, warnings } = await planned(remove);
      expect(target.keys.map(({ groups, pending }) => [groups, pending])).toEqual([
        [2, 1],
        [0, 0],
        [undefined, undefined],
      ]);
      expect(warnings.filter(({ code }) => code === 'DEL004').map(({ message }) => message)).toEqual([
        'orders is a stream with 2 consumer groups, with 1 entry pending',
      ]);
    });

    it('TTL007: a job that takes TTLs away', async () => {
      const persist = { operation_type: 'expiration', action: 'persist', match: 's:*' };
      expect((await planned(persist)).warnings.map(({ code }) => code)).not.toContain('TTL007');
      await server.cli('EVAL', fillTtl, '0', '12000');
      expect((await planned(persist)).warnings.map(({ code }) => code)).toContain('TTL007');
    });

    it('OPS006: every batch waits for the disk', async () => {
      await server.cli('CONFIG', 'SET', 'appendonly', 'yes');
      await server.cli('CONFIG', 'SET', 'appendfsync', 'always');
      await waitFor('the rewrite', async () =>
        (await server.cli('INFO', 'persistence')).includes('aof_rewrite_in_progress:0'),
      );
      expect(ops(await planned(unlink))).toContain('OPS006');
      expect(ops(await planned(write(10)))).toEqual([]);
    });
  },
);

it('OPS003: a replica that does not read is behind', async () => {
  const server = await startServer({ args: ['--client-output-buffer-limit', 'replica 0 0 0'] });
  const replica = await startReplica(server);
  process.kill(replica.pid, 'SIGSTOP');
  try {
    for (let at = 0; at < 5; at += 1)
      await server.cli('EVAL', "return redis.call('SET', 'x', string.rep('v', 10000000))", '0');
    await server.cli('EVAL', fill, '0', '12000');
    const plan = await withAgent(server.url, (agent) => planOf(agent, unlink));
    expect(plan.target.server.load?.bytes_behind).toBeGreaterThan(32 * MB);
    expect(ops(plan)).toContain('OPS003');
  } finally {
    process.kill(replica.pid, 'SIGCONT');
  }
}, 60_000);

it('of a cluster the worst of the primaries counts', async () => {
  const cluster = await startCluster();
  try {
    await cluster.primaries[1]!.cli('CONFIG', 'SET', 'notify-keyspace-events', 'Kg');
    await cluster.primaries[2]!.cli('CONFIG', 'SET', 'appendfsync', 'always');
    const request = { operation_type: 'key_management', action: 'inspect', keys: ['a'] };
    const { target } = await withAgent(cluster.url, (agent) => planOf(agent, request));
    expect([...(target.server.events?.notify ?? '')].sort()).toEqual(['K', 'g']);
    expect(target.server.aof).toMatchObject({ fsync: 'always' });
    expect(target.server.load).toMatchObject({ loading: false });
    const lines = 'SELECT 1\nSELECT 0\nSCAN 0\nDBSIZE\nSET a v\n';
    const linted = await lintFiles([{ name: 'app.redis', source: Buffer.from(lines) }], { url: cluster.url });
    expect(linted.diagnostics.map(({ code, span }) => `${code}:${span?.line}`)).toEqual([
      'CLU004:1',
      'CLU003:3',
      'KEY006:4',
    ]);
    const skewed = { operation_type: 'batch', select: { match: '{app}:*' }, do: { action: 'expire', ttl: '1h' } };
    const codesOf = async () =>
      (await withAgent(cluster.url, (agent) => planOf(agent, skewed))).warnings.map(({ code }) => code);
    expect(await codesOf()).not.toContain('CLU002');
    const tagged = Array.from({ length: 1000 }, (_, at) => ['SET', `{app}:${at}`, 'v']);
    const { status } = await withAgent(cluster.url, (agent) =>
      applied(agent, { operation_type: 'pipelining', commands: tagged }, typed(agent)),
    );
    expect(status).toBe('succeeded');
    expect(await codesOf()).toContain('CLU002');
  } finally {
    await cluster.stop();
  }
}, 60_000);

/** As a person who typed the target's name: a cluster counts as production. */
function typed(agent: Agent) {
  return { yes: true, typedName: agent.target.name };
}

async function withConnection(url: string, use: (connection: Connection) => Promise<void>): Promise<void> {
  const connection = await connectTarget(parseUrl(url));
  try {
    await use(connection);
  } finally {
    await connection.close();
  }
}
