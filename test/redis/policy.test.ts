/** What a target's configuration holds, whatever a request, a plan file or another address says. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Agent, approvePlan } from '../../src/agent.ts';
import { applied, faultOf, planOf, withAgent } from '../support/agent.ts';
import { startServer, type TestServer } from '../support/servers.ts';

let server: TestServer;
let stateDir: string;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await server.cli('flushall');
  await server.cli('mset', 'session:1', 'a', 'user:1', 'b');
  stateDir = mkdtempSync(join(tmpdir(), 'redops-policy-'));
  return () => rmSync(stateDir, { recursive: true, force: true });
});

const remove = (key: string, limits = {}) => ({
  operation_type: 'key_management',
  action: 'delete',
  keys: [key],
  limits,
});

describe('the caps of a target', () => {
  const caps = { prefixes: ['session:'], max_keys: 10 };

  it('hold beside the limits of the request, which can only narrow them', async () => {
    await withAgent(
      server.url,
      async (agent) => {
        expect((await applied(agent, remove('user:1'))).status).toBe('refused');
        const elsewhere = await agent.plan(remove('user:1', { prefixes: ['user:'] }));
        expect(elsewhere.plan).toBeUndefined();
        expect(elsewhere.diagnostics.map((one) => one.code)).toEqual(['CAP003']);
        expect((await applied(agent, remove('session:1', { prefixes: ['s'] }))).status).toBe('succeeded');
        expect((await applied(agent, remove('session:1', { prefixes: ['session:2'] }))).status).toBe('refused');
        const plan = await planOf(agent, remove('session:1', { max_keys: 50 }));
        expect(plan.request.limits.max_keys).toBe(10);
      },
      { caps },
    );
    expect(await server.cli('exists', 'user:1')).toBe('1');
  });

  it('cannot be accepted away by the request', async () => {
    await withAgent(
      server.url,
      async (agent) => {
        const request = { ...remove('user:1'), accept: ['CAP001', 'CAP002', 'CAP003'] };
        expect((await applied(agent, request)).status).toBe('refused');
      },
      { caps },
    );
    expect(await server.cli('exists', 'user:1')).toBe('1');
  });

  it('are not gone round by a plan that was made without them', async () => {
    const plan = await withAgent(server.url, (agent) => planOf(agent, remove('user:1')));
    const fault = await faultOf(withAgent(server.url, (agent) => applied(agent, plan), { caps }));
    expect(fault.code).toBe('refused');
    expect(await server.cli('exists', 'user:1')).toBe('1');
  });
});

describe('a pipeline without a plan', () => {
  const sent = async (agent: Agent, commands: readonly string[], accept: readonly string[] = []) => {
    const outcomes: string[] = [];
    for await (const one of agent.pipeline(
      commands.map((line) => line.split(' ')),
      { accept },
    ))
      outcomes.push(one.outcome);
    return outcomes;
  };

  it('holds to the caps of its target, the limit on keys among them', async () => {
    const caps = { prefixes: ['session:'], max_keys: 2 };
    await withAgent(
      server.url,
      async (agent) => {
        for (const stray of ['SET user:1 x', 'FLUSHALL', 'EVAL return(redis.call("flushall")) 0'])
          expect((await faultOf(sent(agent, [stray], ['DEL003']))).code).toBe('refused');
        expect(await sent(agent, ['SET session:1 x', 'SET session:2 x', 'DEL session:1'])).toEqual(['ok', 'ok', 'ok']);
        const fault = await faultOf(sent(agent, ['SET session:1 x', 'SET session:2 x', 'SET session:3 x']));
        expect(fault.message).toContain('command 2 was not sent: it would write more than 2 keys');
      },
      { caps },
    );
    expect(await server.cli('dbsize')).toBe('3');
    expect(await server.cli('get', 'user:1')).toBe('b');
  });

  it('sends FLUSHALL only when that is accepted', async () => {
    await withAgent(server.url, async (agent) => {
      expect((await faultOf(sent(agent, ['FLUSHALL']))).message).toContain('DEL003');
      expect(await server.cli('dbsize')).toBe('2');
      expect(await sent(agent, ['FLUSHALL'], ['DEL003'])).toEqual(['ok']);
    });
    expect(await server.cli('dbsize')).toBe('0');
  });
});

describe('a production tag', () => {
  it('belongs to the data set: another address of it counts as production, too', async () => {
    await withAgent(server.url, async (agent) => expect(agent.target.tag).toBe('dev'), { stateDir });
    await withAgent(server.url, async (agent) => expect(agent.target.tag).toBe('production'), {
      stateDir,
      tag: 'production',
      name: 'live',
    });
    const alias = server.url.replace('127.0.0.1', 'localhost');
    await withAgent(
      alias,
      async (agent) => {
        expect(agent.target.tag).toBe('production');
        expect(agent.target.reason).toContain('live');
        expect((await applied(agent, remove('user:1'))).status).toBe('needs_approval');
      },
      { stateDir },
    );
  });
});

describe('a signed approval', () => {
  it('lets one destructive plan run on production, once', async () => {
    const settings = { stateDir, tag: 'production', name: 'live' } as const;
    await withAgent(
      server.url,
      async (agent) => {
        const plan = await planOf(agent, remove('user:1'));
        expect((await applied(agent, plan, { yes: true })).status).toBe('needs_approval');
        const { approval } = await approvePlan(stateDir, plan.digest, async () => 'correct horse', 60_000);
        const other = await planOf(agent, remove('session:1'));
        expect((await faultOf(applied(agent, other, { approval }))).code).toBe('refused');
        expect((await applied(agent, plan, { approval, dryRun: true })).dry_run).toBe(true);
        expect((await applied(agent, plan, { approval })).status).toBe('succeeded');
        expect((await faultOf(applied(agent, plan, { approval }))).message).toContain('used before');
      },
      settings,
    );
    expect(await server.cli('exists', 'user:1', 'session:1')).toBe('1');
  });
});
