/**
 * A compare-and-set as the one command that the server has for it: the same outcomes and the same data as under WATCH,
 * and only where comparing bytes means the same as the request's condition.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Plan } from '../../src/plan/plan.ts';
import { applied, planOf, withAgent } from '../support/agent.ts';
import { applyWithLostReply } from '../support/lost-replies.ts';
import { startProxy, startServer, type TestServer } from '../support/servers.ts';

const unpacked = (version: string) =>
  existsSync(fileURLToPath(new URL(`../../.cache/servers/${version}`, import.meta.url)));
/** What each of them has (COMMAND DOCS SET, COMMAND INFO). */
const servers = [
  { version: 'redis-7.0', has: [] },
  { version: 'valkey-8.1', has: ['set_ifeq'] },
  { version: 'valkey-9', has: ['set_ifeq', 'delifeq'] },
];

const stored: Readonly<Record<string, readonly string[]>> = {
  nothing: [],
  'the value': ['set', 'k', 'old', 'EX', '500'],
  'another value': ['set', 'k', 'older'],
  'an integer': ['set', 'k', '50', 'EX', '500'],
  'an integer with a zero before': ['set', 'k', '050'],
  'an empty string': ['set', 'k', ''],
  'a list': ['rpush', 'k', 'old'],
};
const conditions = ['v == "old"', 'v == 50', '50 == v', 'v == ""'];
const commands = ['SET k new', 'SET k new KEEPTTL', 'SET k new EX 100', 'DEL k'];

const nativeOf = ({ execution_plan: { steps } }: Plan) => {
  const [step] = steps;
  return step?.kind === 'transaction' ? step.native?.argv : undefined;
};
const request = (when: string, command: string, more: object = {}) => ({
  operation_type: 'transaction',
  let: { v: 'GET k' },
  when,
  commands: [command],
  ...more,
});

describe.each(servers)('on $version', ({ version, has }) => {
  describe.skipIf(!unpacked(version))(`which is unpacked (node scripts/servers.mjs ${version})`, () => {
    let server: TestServer;
    beforeAll(async () => {
      server = await startServer({ version });
    }, 30_000);
    afterAll(() => server.stop());
    beforeEach(async () => {
      await server.cli('flushall');
    });

    const state = async () => {
      const [type, ttl] = [await server.cli('type', 'k'), Number(await server.cli('ttl', 'k'))];
      const value = type === 'string' ? await server.cli('get', 'k') : '';
      return { type, value, ttl: ttl > 200 ? 'kept' : ttl > 0 ? 'new' : ttl };
    };

    it('runs as that command where there is one, with the outcome and the data that WATCH gives', async () => {
      await withAgent(server.url, async (agent) => {
        for (const command of commands) {
          const native = has.includes(command.startsWith('SET') ? 'set_ifeq' : 'delifeq');
          for (const when of conditions) {
            for (const [what, setUp] of Object.entries(stored)) {
              const at = `${command}, ${when}, ${what}`;
              const run = async (more: object) => {
                await server.cli('flushall');
                if (setUp.length > 0) await server.cli(...setUp);
                const report = await applied(agent, request(when, command, { ...more, accept: ['TX009'] }));
                return { report, after: await state() };
              };
              // a second watched key makes more of it than a plain compare-and-set
              const watched = await run({ watch: ['other'] });
              const compared = await run({});
              expect(watched.report.transaction?.engine, at).toBe('watch');
              expect(compared.report.transaction?.engine, at).toBe(native ? 'native' : 'watch');
              expect(compared.after, at).toEqual(watched.after);
              // DELIFEQ does not say what was there: text and an integer are two values to it, not two types
              const mixed =
                native && command === 'DEL k' && watched.report.transaction?.outcome === 'aborted' && what !== 'a list';
              expect(compared.report.transaction?.outcome, at).toBe(
                mixed ? 'not_met' : watched.report.transaction?.outcome,
              );
              if (!native || command !== 'DEL k')
                expect(compared.report.transaction?.reads, at).toEqual(watched.report.transaction?.reads);
            }
          }
        }
      });
    }, 120_000);

    it('says in the plan what runs, in one round trip, and needs', async () => {
      await withAgent(server.url, async (agent) => {
        const plan = await planOf(agent, request('v == "old"', 'SET k new'));
        expect(plan.target.native).toEqual(has);
        if (!has.includes('set_ifeq')) return expect(nativeOf(plan)).toBeUndefined();
        expect(nativeOf(plan)).toEqual(['SET', 'k', 'new', 'IFEQ', 'old', 'GET']);
        expect(plan.commands.map(({ argv }) => argv)).toEqual([['SET', 'k', 'new', 'IFEQ', 'old', 'GET']]);
        expect(plan.execution_plan).toMatchObject({
          round_trips: 1,
          strategy: 'transaction',
          min_version: { redis: '8.4', valkey: '8.1' },
        });
        expect(plan.execution_plan.reasons.join(' ')).toContain('SET with IFEQ, which this server has');
        const report = await applied(agent, plan); // the plan as it was shown
        expect(report).toMatchObject({ status: 'succeeded', transaction: { outcome: 'not_met', engine: 'native' } });
      });
    });

    it.each([
      ['text that reads as an integer', 'v == "50"', 'SET k new', {}],
      ['another comparison', 'v != "old"', 'SET k new', {}],
      ['a condition on top', 'v == "old" && true', 'SET k new', {}],
      ['a SET with a condition', 'v == "old"', 'SET k new XX', {}],
      ['a SET that answers', 'v == "old"', 'SET k new GET', {}],
      ['an expression', 'v == 50', 'SET k {{ v + 1 }}', {}],
      ['another key', 'v == "old"', 'SET other new', {}],
      ['UNLINK', 'v == "old"', 'UNLINK k', {}],
      ['a marker', 'v == "old"', 'SET k new', { marker: { key: 'm' } }],
    ])('stays with WATCH for %s', async (_, when, command, more) => {
      const plan = await withAgent(server.url, (agent) => planOf(agent, request(when, command, more)));
      expect(nativeOf(plan)).toBeUndefined();
    });

    it('is unknown where the reply is lost, and ran once', async () => {
      await server.cli('set', 'k', 'old');
      const proxy = await startProxy(server.port);
      const url = `redis://127.0.0.1:${proxy.port}`;
      const report = await withAgent(url, (agent) =>
        applyWithLostReply(agent, proxy, url, request('v == "old"', 'SET k new'), 2),
      );
      await proxy.stop();
      if (!has.includes('set_ifeq')) return expect(report.transaction?.engine).toBe('watch');
      expect(report).toMatchObject({ transaction: { outcome: 'unknown', engine: 'native' }, totals: { unknown: 1 } });
      expect(await server.cli('get', 'k')).toBe('new');
    });
  });
});
