/** What a job finds when it walks its selection once more at its end. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesId } from '../../src/base/bytes.ts';
import { systemClock } from '../../src/base/clock.ts';
import { type Calls, callsThatMake, isQuiet } from '../../src/execute/quiet.ts';
import { Session } from '../../src/execute/session.ts';
import { verification } from '../../src/execute/verify-job.ts';
import type { Event } from '../../src/plan/event.ts';
import { connectServer } from '../../src/redis/server-connection.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { reportText } from '../../src/report/report-text.ts';
import { applied, faultOf, withAgent } from '../support/agent.ts';
import { startReplica, startServer } from '../support/servers.ts';

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

  it('tells new keys as new or missed, and vouches for nothing then', async () => {
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
      expect(report.verification).toEqual({
        complete: false,
        unproven: [expect.stringContaining('new since, or were missed')],
        walked: { left: 1, not_applied: 0, others: 1, sample: ['session:new'] },
      });
      expect(reportText(report).replace(/\s+/g, ' ')).toContain('1 new since or missed');
    });
  });

  it('says of keys that nobody can have made meanwhile that they were missed', async () => {
    const server = await startServer();
    await server.cli('eval', "for i = 1, 5 do redis.call('SET', 'session:' .. i, i) end", '0');
    await withAgent(server.url, async (agent) => {
      const plan = (await agent.plan(batch({ action: 'unlink' }))).plan!;
      const step = plan.execution_plan.steps[0]!;
      if (step.kind !== 'for_each') throw new Error('no job');
      const connection = await connectServer(parseUrl(server.url));
      const session = new Session({
        plan,
        runId: 'test',
        connection,
        clock: systemClock,
        signal: new AbortController().signal,
        journal: undefined,
      });
      const found = async (calls: Calls | undefined): Promise<Event[]> => {
        const events: Event[] = [];
        const known = { open: new Set([bytesId('session:1')]), notApplied: 1, calls };
        for await (const event of verification(session, step, known)) events.push(event);
        return events;
      };
      try {
        const calls = await callsThatMake(session, step);
        await server.cli('get', 'session:1');
        await server.cli('persist', 'session:2');
        await server.cli('eval', "return redis.call('del', 'session:5')", '0');
        const [verified, unproven] = await found(calls);
        expect(verified).toMatchObject({ facts: { left: 4, not_applied: 1, others: 3, quiet: true } });
        expect(unproven).toMatchObject({ reason: expect.stringContaining('3 of the keys were missed') });
        // by a script: what it calls counts
        await server.cli('eval', "return redis.call('set', 'other', '1')", '0');
        const later = await found(calls);
        expect(later[0]).not.toHaveProperty('facts.quiet');
        expect(later[1]).toMatchObject({ reason: expect.stringContaining('new since, or were missed') });
        // counts that were forgotten are no proof
        const again = await callsThatMake(session, step);
        await server.cli('config', 'resetstat');
        expect(isQuiet(again, await callsThatMake(session, step))).toBe(false);
        expect((await found(undefined))[0]).not.toHaveProperty('facts.quiet');
      } finally {
        await session.close();
        await connection.close();
      }
    });
  });

  it('takes no count of commands for a proof where a key can come to pass a filter by itself', async () => {
    const server = await startServer();
    await server.cli('set', 'session:1', '1');
    await withAgent(server.url, async (agent) => {
      const connection = await connectServer(parseUrl(server.url));
      try {
        const known = async (filter: Readonly<Record<string, unknown>>): Promise<boolean> => {
          const select = { match: 'session:*', ...filter };
          const plan = (await agent.plan({ operation_type: 'batch', select, do: { action: 'unlink' } })).plan!;
          const step = plan.execution_plan.steps[0]!;
          if (step.kind !== 'for_each') throw new Error('no job');
          const signal = new AbortController().signal;
          const session = new Session({
            plan,
            runId: 'test',
            connection,
            clock: systemClock,
            signal,
            journal: undefined,
          });
          const calls = await callsThatMake(session, step);
          await session.close();
          return calls !== undefined;
        };
        expect(await known({})).toBe(true);
        expect(await known({ ttl: 'none' })).toBe(true);
        expect(await known({ ttl: { max: '1h' } })).toBe(false);
        expect(await known({ size: { max: 10 } })).toBe(false);
        expect(await known({ bytes: { min: 1 } })).toBe(false);
      } finally {
        await connection.close();
      }
    });
  });

  it('does not believe a replica', async () => {
    const server = await startServer();
    const replica = await startReplica(server);
    await server.cli('set', 'session:1', '1');
    await withAgent(server.url, async (agent) => {
      const plan = (await agent.plan(batch({ action: 'unlink' }))).plan!;
      const step = plan.execution_plan.steps[0]!;
      if (step.kind !== 'for_each') throw new Error('no job');
      const connection = await connectServer(parseUrl(replica.url));
      const session = new Session({
        plan: { ...plan, target: { ...plan.target, server: { ...plan.target.server, run_id: '' } } },
        runId: 'test',
        connection,
        clock: systemClock,
        signal: new AbortController().signal,
        journal: undefined,
      });
      try {
        const events: Event[] = [];
        for await (const event of verification(session, step, { open: new Set(), notApplied: 0 })) events.push(event);
        expect(events).toMatchObject([{ kind: 'unproven', reason: expect.stringContaining('is a replica now') }]);
      } finally {
        await session.close();
        await connection.close();
      }
    });
  });

  it('has the second walk in the price of the plan', async () => {
    const server = await startServer();
    await server.cli('eval', "for i = 1, 5000 do redis.call('SET', 'session:' .. i, i) end", '0');
    await withAgent(server.url, async (agent) => {
      const price = async (verify: boolean) =>
        (await agent.plan(batch({ action: 'unlink' }, { verify }))).plan!.execution_plan;
      const [once, twice] = [await price(false), await price(true)];
      expect(twice.estimate.server_ms).toBeGreaterThan(once.estimate.server_ms);
      expect(twice.estimate.keys).toBe(once.estimate.keys);
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
