/** What a job finds when it walks its selection once more at its end. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { reportText } from '../../src/report/report-text.ts';
import { applied, faultOf, withAgent } from '../support/agent.ts';
import { startServer } from '../support/servers.ts';

const batch = (action: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}) => ({
  operation_type: 'batch',
  select: { match: 'session:*' },
  do: action,
  verify: true,
  ...more,
});

describe('a job that verifies', () => {
  it.each([{ action: 'unlink' }, { action: 'expire', ttl: '1h' }, { action: 'persist' }] as const)(
    'finds that nothing is left: $action',
    async (action) => {
      const server = await startServer();
      await server.cli('eval', "for i = 1, 300 do redis.call('SET', 'session:' .. i, i) end", '0');
      await withAgent(server.url, async (agent) => {
        const report = await applied(agent, batch(action));
        expect(report.verification).toEqual({
          complete: true,
          unproven: [],
          walked: { left: 0, not_applied: 0, others: 0, sample: [] },
        });
        expect(reportText(report)).toContain('walked again: nothing is left to do');
      });
    },
  );

  it('tells new keys as new or missed, and is not complete', async () => {
    const server = await startServer();
    await server.cli('eval', "for i = 1, 300 do redis.call('SET', 'session:' .. i, i) end", '0');
    await withAgent(server.url, async (agent) => {
      const plan = (await agent.plan(batch({ action: 'unlink' }))).plan!;
      const run = await agent.apply(plan, { yes: true });
      if (!('events' in run)) throw new Error('no run');
      for await (const event of run.events) {
        if (event.kind === 'page' && event.totals.matched > 0) await server.cli('set', 'session:new', '1');
      }
      const report = await run.report;
      expect(report.status).toBe('succeeded');
      expect(report.verification).toMatchObject({ complete: false, walked: { left: 1, not_applied: 0, others: 1 } });
      expect(report.verification.unproven).toEqual([expect.stringContaining('new since, or were missed')]);
    });
  });

  it('tells keys that were refused apart from others', async () => {
    const server = await startServer({
      user: { name: 'some', password: 'pw', rules: ['+@all', '~session:1*', '%R~session:*'] },
    });
    await server.cli('eval', "for i = 1, 30 do redis.call('SET', 'session:' .. i, i) end", '0');
    await withAgent(server.userUrl!, async (agent) => {
      const report = await applied(agent, batch({ action: 'unlink' }));
      const refused = report.totals.failed;
      expect(refused).toBeGreaterThan(0);
      expect(report.verification.walked).toMatchObject({ left: refused, not_applied: refused, others: 0 });
    });
  });

  it('says in the plan where there is nothing that could be verified, and walks nothing', async () => {
    const server = await startServer();
    await server.cli('set', 'session:1', '1');
    await withAgent(server.url, async (agent) => {
      const plan = (await agent.plan(batch({ action: 'touch' }))).plan!;
      expect(plan.execution_plan.reasons.at(-1)).toContain('Nothing is verified');
      expect((await applied(agent, plan)).verification).toEqual({ complete: true, unproven: [] });
    });
  });
});

describe('a run that is verified later', () => {
  it('has left nothing, or says how many keys match now', async () => {
    const server = await startServer();
    const dir = await mkdtemp(join(tmpdir(), 'redops-verify-'));
    try {
      await server.cli('eval', "for i = 1, 300 do redis.call('SET', 'session:' .. i, i) end", '0');
      await withAgent(
        server.url,
        async (agent) => {
          const { run_id } = await applied(agent, batch({ action: 'unlink' }, { verify: false }));
          const clean = { left: 0, not_applied: 0, others: 0, sample: [] };
          expect(await agent.verify(run_id)).toEqual({ run_id, walked: clean, unproven: [] });
          await server.cli('set', 'session:new', '1');
          expect(await agent.verify(run_id)).toMatchObject({
            walked: { left: 1, not_applied: 0, others: 1, sample: ['session:new'] },
            unproven: [expect.stringContaining('new since')],
          });
          expect((await faultOf(agent.verify('nobody'))).message).toContain('there is no run');
          const { run_id: touched } = await applied(agent, batch({ action: 'touch' }, { verify: false }));
          expect((await faultOf(agent.verify(touched))).message).toContain('cannot be verified');
        },
        { stateDir: dir },
      );
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});
