/** Targets behind Sentinels: found by a majority, worked on like one server, found again after a failover. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAgent } from '../../src/agent.ts';
import { connectTarget } from '../../src/redis/connect.ts';
import { LostConnection } from '../../src/redis/connection.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { applied, faultOf, planOf, withAgent } from '../support/agent.ts';
import { startSentinel, type TestSentinel, type TestServer, waitFor } from '../support/servers.ts';
import { conforms } from './conformance.ts';

let deployment: TestSentinel;
beforeAll(async () => {
  deployment = await startSentinel();
}, 60_000);
afterAll(() => deployment.stop());

const dev = { tag: 'dev' } as const;
const open = (url = deployment.url) => connectTarget(parseUrl(url));

/** A failover without any trouble, until all of them name the new primary; the old one may follow it later. Sentinels that were paused (TILT) would begin none for 30 s. */
async function failover({ sentinels, service, ...own }: TestSentinel): Promise<TestServer> {
  const before = await own.currentPort();
  expect(await sentinels[0]!.cli('SENTINEL', 'FAILOVER', service)).toBe('OK');
  await waitFor('another primary, which all Sentinels name', async () => {
    const names = await Promise.all(sentinels.map((one) => one.cli('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', service)));
    return names.every((name) => !name.endsWith(`\n${before}`));
  });
  const port = await own.currentPort();
  return own.replicas.find((server) => server.port === port)!;
}

/** Runs it while these processes are stopped. */
async function paused<T>(servers: readonly TestServer[], run: () => Promise<T>): Promise<T> {
  for (const { pid } of servers) process.kill(pid, 'SIGSTOP');
  try {
    return await run();
  } finally {
    for (const { pid } of servers) process.kill(pid, 'SIGCONT');
  }
}

describe('a connection to the primary that Sentinels name', () => {
  conforms(
    () => ({
      cli: (...args) => deployment.primary.cli(...args),
      at: (_address, ...args) => deployment.primary.cli(...args),
      addresses: [`127.0.0.1:${deployment.primary.port}`],
    }),
    () => open(),
  );

  it('needs only one of them in its URL: it announces the others', async () => {
    const { sentinels, service } = deployment;
    const connection = await open(`redis+sentinel://127.0.0.1:${sentinels[1]!.port}/${service}`);
    expect(connection.nodes()).toEqual([{ address: `127.0.0.1:${deployment.primary.port}` }]);
    await connection.close();
  });

  it('is found while one of them is paused, without waiting for it, and not while two are', async () => {
    const connection = await open();
    const { runId } = await connection.lease();
    const [first, second] = deployment.sentinels as [TestServer, TestServer];
    await paused([first], async () => {
      const begun = performance.now();
      await connection.confirm(runId!);
      expect(performance.now() - begun).toBeLessThan(500);
    });
    const fault = await paused([first, second], () => faultOf(connection.confirm(runId!)));
    expect(fault.code).toBe('unreachable');
    for (const { port } of [first, second]) expect(fault.message).toContain(`127.0.0.1:${port} does not answer`);
    expect(fault.message).toContain(
      `127.0.0.1:${deployment.sentinels[2]!.port} names 127.0.0.1:${deployment.primary.port}`,
    );
    expect(fault.remedy).toContain('More than half');
    await connection.confirm(runId!);
    await connection.close();
  });

  it('is not believed on what came after a pause that nobody vouches for', async () => {
    const connection = await open();
    const lease = await connection.lease();
    await lease.send(['SET', 'k', 'v']);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const fault = await paused(deployment.sentinels.slice(1), () => faultOf(lease.send(['GET', 'k'])));
    expect(fault).toBeInstanceOf(LostConnection);
    expect(lease.lost).toBe(true);
    expect(await connection.send(['GET', 'k'])).toEqual(Buffer.from('v'));
    await connection.close();
  });

  it('says what is wrong: a service that is not known, a server that is no Sentinel, a password', async () => {
    const [sentinel] = deployment.sentinels as [TestServer];
    const unknown = await faultOf(open(deployment.url.replace(/[^/]+$/, 'other')));
    expect([unknown.code, unknown.remedy]).toEqual(['unreachable', expect.stringContaining('name of the service')]);
    const plain = await faultOf(open(`redis+sentinel://127.0.0.1:${deployment.primary.port}/${deployment.service}`));
    expect([plain.code, plain.message]).toEqual(['unreachable', expect.stringContaining('is no Sentinel')]);
    const asServer = await faultOf(openAgent({ url: sentinel.url }));
    expect([asServer.code, asServer.remedy]).toEqual(['unsupported', expect.stringContaining('redis+sentinel://')]);
  });

  it('logs in to the Sentinels by a user of their own', async ({ skip }) => {
    if (deployment.primary.version.startsWith('6.0.')) skip('Sentinels of Redis 6.0 have no users');
    for (const sentinel of deployment.sentinels)
      await sentinel.cli('ACL', 'SETUSER', 'watcher', 'on', '>s', '+hello', '+auth', '+client', '+info', '+sentinel');
    const as = (password: string) => `${deployment.url}?sentinel_username=watcher&sentinel_password=${password}`;
    const connection = await open(as('s'));
    const list = await deployment.sentinels[0]!.cli('CLIENT', 'LIST');
    expect(list).toContain('user=watcher');
    await connection.close();
    const fault = await faultOf(open(as('secret')));
    expect([fault.code, fault.remedy]).toEqual(['auth', expect.stringContaining('sentinel_password')]);
    expect(`${fault.message} ${fault.remedy}`).not.toContain('secret');
  });
});

describe('an agent behind Sentinels', () => {
  it('plans, applies and runs a job; untagged it counts as production', async () => {
    await withAgent(deployment.url, async ({ target }) => {
      expect(target).toEqual({
        name: deployment.url,
        tag: 'production',
        reason: expect.stringContaining('not tagged'),
      });
    });
    await withAgent(
      deployment.url,
      async (agent) => {
        const plan = await planOf(agent, {
          operation_type: 'pipelining',
          commands: ['SET greeting hello', 'GET greeting'],
        });
        expect(plan.target.identity.topology).toBe('sentinel');
        expect((await applied(agent, plan)).results.map(({ reply }) => reply)).toEqual(['OK', 'hello']);
        await applied(agent, { operation_type: 'pipelining', commands: ['MSET job:1 a job:2 b'] });
        const job = { operation_type: 'batch', select: { match: 'job:*' }, do: { action: 'unlink' } };
        expect(await applied(agent, job)).toMatchObject({ totals: { changed: 2 }, verification: { complete: true } });
      },
      dev,
    );
  });

  it('finds the new primary after a failover; a plan made before it is drift', async () => {
    const own = await startSentinel();
    await withAgent(
      own.url,
      async (agent) => {
        const write = { operation_type: 'pipelining', commands: ['SET after failover'] };
        const before = await planOf(agent, write);
        const now = await failover(own);
        expect((await faultOf(agent.apply(before, { yes: true }))).code).toBe('drift');
        expect((await applied(agent, write)).status).toBe('succeeded');
        const outcomes = [];
        for await (const { outcome } of agent.pipeline([['INCR', 'n']])) outcomes.push(outcome);
        expect(outcomes).toEqual(['ok']);
        expect([await now.cli('GET', 'after'), await now.cli('GET', 'n')]).toEqual(['failover', '1']);
        const replaced = await planOf(agent, write);
        expect([before, replaced].map(({ target }) => target.identity.topology)).toEqual(['sentinel', 'sentinel']);
        expect(replaced.target.server.previous_id).toBe(before.target.identity.id);
      },
      dev,
    );
    await own.stop();
  }, 60_000);
});
