/** plan and apply on every kind of server that redops runs on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openAgent } from '../../src/agent.ts';
import { applied, faultOf, planOf, withAgent } from '../support/agent.ts';
import { matrix, startCluster, startReplica, startServer, type TestServer } from '../support/servers.ts';

const request = { operation_type: 'pipelining', commands: ['SET greeting hello PX 100000', 'GET greeting'] };

/** One write and one job, planned and applied, and what the server then holds. */
async function works(server: TestServer, url = server.url, settings = {}): Promise<void> {
  await withAgent(
    url,
    async (agent) => {
      const plan = await planOf(agent, request);
      expect(plan.target.server).toMatchObject({ role: 'master', cluster: false });
      expect((await applied(agent, plan)).results.map((result) => result.reply)).toEqual(['OK', 'hello']);
      await server.cli('mset', 'job:1', 'a', 'job:2', 'b');
      const job = { operation_type: 'batch', select: { match: 'job:*' }, do: { action: 'unlink' } };
      expect((await applied(agent, job)).totals.changed).toBe(2);
    },
    settings,
  );
  expect(await server.cli('keys', '*')).toBe('greeting');
}

describe('a single server', () => {
  it.each(matrix().map((version) => [version ?? 'the default server', version] as const))(
    'of %s',
    async (_name, version) => {
      const server = await startServer(version === undefined ? {} : { version });
      await works(server);
      await server.stop();
    },
    60_000,
  );

  it('with a password, and as an ACL user', async () => {
    const server = await startServer({
      password: 'secret',
      user: { name: 'ops', password: 'p', rules: ['~*', '&*', '+@all'] },
    });
    await works(server);
    await server.cli('flushall');
    await works(server, server.userUrl);
    await server.stop();
  });

  it('behind TLS with client certificates', async () => {
    const server = await startServer({ tls: true });
    const { ca, cert, key } = server.tls!;
    await works(server, server.url, { tls: { ca, cert, key } });
    await server.stop();
  });

  it('on a unix socket', async () => {
    const server = await startServer({ unixSocket: true });
    await works(server);
    await server.stop();
  });
});

describe('a replica', () => {
  it('is read, and a write to it is refused before anything is sent, naming the primary', async () => {
    const primary = await startServer();
    const replica = await startReplica(primary);
    await withAgent(replica.url, async (agent) => {
      expect(agent.target.tag).toBe('production');
      const report = await applied(agent, request);
      expect(report.status).toBe('refused');
      const finding = report.warnings.find((warning) => warning.error === 'E205');
      expect(`${finding?.message} ${finding?.fix}`).toContain(`127.0.0.1:${primary.port}`);
      expect((await applied(agent, { operation_type: 'key_management', action: 'find' })).status).toBe('succeeded');
    });
    expect(await primary.cli('dbsize')).toBe('0');
    await replica.stop();
    await primary.stop();
  });

  it('makes its primary count as production: --yes does not approve what destroys', async () => {
    const primary = await startServer();
    const replica = await startReplica(primary);
    await primary.cli('set', 'k', 'v');
    await withAgent(primary.url, async (agent) => {
      expect(agent.target.tag).toBe('production');
      const destroy = { operation_type: 'key_management', action: 'delete', keys: ['k'] };
      expect((await applied(agent, destroy, { yes: true })).status).toBe('needs_approval');
      expect(await primary.cli('get', 'k')).toBe('v');
      expect((await applied(agent, destroy, { yes: true, typedName: agent.target.name })).status).toBe('succeeded');
      expect(await primary.cli('exists', 'k')).toBe('0');
    });
    await replica.stop();
    await primary.stop();
  });
});

describe('a cluster', () => {
  it.each(matrix().map((version) => [version ?? 'the default server', version] as const))(
    'of %s: by its URL, and when one of its nodes is named',
    async (_name, version) => {
      const cluster = await startCluster(version === undefined ? {} : { version });
      for (const url of [cluster.url, cluster.replicas[0]!.url]) {
        await withAgent(url, async (agent) => {
          const yes = { yes: true, typedName: agent.target.name };
          const plan = await planOf(agent, request);
          expect(plan.target.server).toMatchObject({ role: 'master', cluster: true });
          expect((await applied(agent, plan, yes)).results.map((result) => result.reply)).toEqual(['OK', 'hello']);
          const sets = ['SET job:1 a', 'SET job:2 b', 'SET job:3 c'];
          await applied(agent, { operation_type: 'pipelining', commands: sets }, yes);
          const job = { operation_type: 'batch', select: { match: 'job:*' }, do: { action: 'unlink' } };
          const report = await applied(agent, job, yes);
          expect(report).toMatchObject({ totals: { changed: 3 }, verification: { complete: true } });
        });
      }
      await cluster.stop();
    },
    60_000,
  );

  it('with a password and an ACL user, and not where a user may not ask for the map', async () => {
    const auth = ['--requirepass', 'secret', '--masterauth', 'secret'];
    const cluster = await startCluster({ args: auth, password: 'secret' });
    for (const node of cluster.nodes) {
      await node.cli('acl', 'setuser', 'ops', 'on', '>p', '~*', '+@all');
      await node.cli('acl', 'setuser', 'blind', 'on', '>p', '~*', '+@all', '-cluster');
    }
    const as = (user: string) => `redis+cluster://${user}:p@${new URL(cluster.primaries[0]!.url).host}`;
    await withAgent(as('ops'), async (agent) => {
      expect((await applied(agent, request, { yes: true, typedName: agent.target.name })).status).toBe('succeeded');
      expect(agent.target.name).not.toContain('p@');
    });
    const fault = await faultOf(openAgent({ url: as('blind') }));
    expect([fault.code, fault.remedy]).toEqual(['auth', expect.stringContaining('+cluster|nodes')]);
    await cluster.stop();
  }, 60_000);
});

describe('state on disk', () => {
  it('keeps the plan, the journal and the report of a run, and an audit record', async () => {
    const stateDir = mkdtempSync(join(tmpdir(), 'redops-state-'));
    const server = await startServer();
    await server.cli('mset', 'job:1', 'a', 'job:2', 'b');
    await withAgent(
      server.url,
      async (agent) => {
        const report = await applied(agent, { operation_type: 'expiration', action: 'set', match: 'job:*', ttl: '1h' });
        const { readFileSync } = await import('node:fs');
        const run = join(stateDir, 'runs', report.run_id);
        const journal = readFileSync(join(run, 'journal.jsonl'), 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
        expect(journal.map((record) => record.kind)).toEqual(['run', 'started', 'chunk', 'page']);
        expect(journal[2].time_ms).toBeTypeOf('number');
        expect(journal[3]).toMatchObject({ cursor: '0', last: true, matched: 2, changed: 2 });
        expect(JSON.parse(readFileSync(join(run, 'report.json'), 'utf8'))).toEqual(report);
        expect(readFileSync(join(stateDir, 'audit.jsonl'), 'utf8')).toContain(report.plan_digest);
      },
      { stateDir },
    );
    rmSync(stateDir, { recursive: true });
    await server.stop();
  });
});
