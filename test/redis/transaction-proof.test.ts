/** What a plan's transaction can prove beside its outcome: that replicas have it, that its keys were of the right type, what its marker is. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exitOfReport } from '../../src/cli/exit.ts';
import { reportText } from '../../src/report/report-text.ts';
import { applied, planOf, withAgent } from '../support/agent.ts';
import { startReplica, startServer, type TestServer } from '../support/servers.ts';

let primary: TestServer;
let replica: TestServer;
beforeAll(async () => {
  primary = await startServer({ user: { name: 'app', password: 'p', rules: ['~*', '+@all', '-wait'] } });
  replica = await startReplica(primary);
});
afterAll(async () => {
  await replica.stop();
  await primary.stop();
});
beforeEach(async () => {
  await primary.cli('flushall');
});

const request = { operation_type: 'transaction', commands: ['INCR k', 'INCR k'] };
const run = (more: object, url = primary.url) =>
  withAgent(url, (agent) => applied(agent, { ...request, ...more }, { yes: true }), { tag: 'dev' });

describe('a transaction with limits.wait_replicas', () => {
  it('says how many replicas confirmed it, and is done', async () => {
    const report = await run({ limits: { wait_replicas: 1, wait_timeout_ms: 10_000 } });
    expect(report).toMatchObject({
      status: 'succeeded',
      transaction: { outcome: 'committed', replicas: 1, replicated: 'confirmed' },
      verification: { complete: true, unproven: [] },
    });
    expect(exitOfReport(report)).toBe(0);
    expect(await primary.cli('info', 'commandstats')).toContain('cmdstat_wait:calls=1');
    expect(reportText(report).replace(/\s+/g, ' ')).toContain(
      'committed: every command was applied; 1 replica confirmed it',
    );
  });

  it('stays committed where fewer confirmed: that is unproven, and no failure of the commands', async () => {
    const report = await run({ limits: { wait_replicas: 2, wait_timeout_ms: 50 } });
    expect(report).toMatchObject({
      status: 'succeeded',
      totals: { changed: 2, failed: 0, unknown: 0 },
      transaction: { outcome: 'committed', replicas: 1, replicated: 'not_known' },
      verification: {
        complete: false,
        unproven: [expect.stringContaining('1 of 2 replicas confirmed it within 50 ms')],
      },
    });
    expect(exitOfReport(report)).toBe(1);
    expect(reportText(report).replace(/\s+/g, ' ')).toContain('committed, not known to be replicated');
    expect(await primary.cli('get', 'k')).toBe('2');
  });

  it('stays committed where WAIT is not permitted', async () => {
    const report = await run({ limits: { wait_replicas: 1 }, accept: ['SEC002'] }, primary.userUrl);
    expect(report).toMatchObject({
      transaction: { outcome: 'committed', replicated: 'not_known' },
      verification: { complete: false, unproven: [expect.stringContaining('WAIT was not answered')] },
    });
    expect(report.transaction).not.toHaveProperty('replicas');
  });

  it('says that nobody was asked on a target with replicas, and nothing on one without', async () => {
    const asked = await run({});
    expect(asked.transaction).toMatchObject({ outcome: 'committed', replicated: 'not_known' });
    expect(asked.verification).toMatchObject({ complete: true });
    expect(reportText(asked).replace(/\s+/g, ' ')).toContain('committed, not known to be replicated');
    const alone = await startServer();
    expect((await run({}, alone.url)).transaction).not.toHaveProperty('replicated');
    await alone.stop();
  });

  it('is in the plan: the step, the commands, the permissions, the reasons', async () => {
    const plan = await withAgent(primary.url, (agent) =>
      planOf(agent, { ...request, limits: { wait_replicas: 1 }, marker: { key: 'mark', ttl: '2m' } }),
    );
    const marking = ['SET', 'mark', { param: 'attempt' }, 'PX', '120000'];
    expect(plan.execution_plan.steps).toMatchObject([
      {
        wait: { replicas: 1, timeout_ms: 1000 },
        marker: { key: 'mark', ttl_ms: 120_000 },
        steps: [{}, {}, { argv: marking }],
      },
    ]);
    expect(plan.commands.map(({ argv }) => argv)).toEqual([
      ['MULTI'],
      ['INCR', 'k'],
      ['INCR', 'k'],
      marking,
      ['EXEC'],
      ['WAIT', '1', '1000'],
    ]);
    expect(plan.execution_plan.permissions).toEqual(expect.arrayContaining(['+wait', '+get', '+set', '~k', '~mark']));
    expect(plan.execution_plan.reasons.join('\n')).toMatch(/marker mark[\s\S]*WAIT after EXEC/);
  });

  it('is refused for what does not wait', async () => {
    const { diagnostics } = await withAgent(primary.url, (agent) =>
      agent.plan({ operation_type: 'pipelining', commands: ['INCR k'], limits: { wait_replicas: 1 } }),
    );
    expect(diagnostics).toMatchObject([{ code: 'REQ002', at: 'limits.wait_replicas', severity: 'error' }]);
    const timeout = await withAgent(primary.url, (agent) => agent.plan({ ...request, limits: { wait_timeout_ms: 5 } }));
    expect(timeout.diagnostics).toMatchObject([{ code: 'REQ002', at: 'limits.wait_timeout_ms' }]);
  });
});

describe('a marker of a plan', () => {
  it('is written with the commands, names the run and its attempt, and expires', async () => {
    const report = await run({ marker: { key: 'mark', ttl: '2m' } });
    expect(report).toMatchObject({ status: 'succeeded', transaction: { outcome: 'committed' } });
    expect(await primary.cli('get', 'mark')).toBe(`${report.run_id}/1`);
    expect(Number(await primary.cli('pttl', 'mark'))).toBeGreaterThan(100_000);
  });

  it.each([
    [{ key: 'k' }, 'marker.key'],
    [{ key: 'mark', ttl: '1s' }, 'marker.ttl'],
  ])('%j is refused', async (marker, at) => {
    const { diagnostics } = await withAgent(primary.url, (agent) => agent.plan({ ...request, marker }));
    expect(diagnostics).toMatchObject([{ severity: 'error', at }]);
  });

  it('keeps to the prefixes that the keys keep to', async () => {
    const { plan } = await withAgent(primary.url, (agent) =>
      agent.plan({ ...request, limits: { prefixes: ['k'] }, marker: { key: 'mark' } }),
    );
    expect(plan?.warnings).toMatchObject([{ code: 'CAP003', severity: 'error' }]);
  });
});

describe('the types of the keys', () => {
  it('are looked at before anything is sent: a command that does not fit is told in the plan', async () => {
    await primary.cli('rpush', 'list', 'x');
    const { plan } = await withAgent(primary.url, (agent) =>
      agent.plan({ operation_type: 'transaction', commands: ['INCR k', 'INCR list'] }),
    );
    expect(plan?.warnings).toMatchObject([
      {
        code: 'TX009',
        message: expect.stringContaining('the key holds a list'),
        at: 'commands[1]',
      },
    ]);
  });
});
