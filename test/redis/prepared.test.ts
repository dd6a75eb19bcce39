/** A transaction that is allowed once and run many times: no update lost, the policy asked, the same outcomes. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, type Redops } from '../../src/connect.ts';
import { faultOf, planOf, withAgent } from '../support/agent.ts';
import { startServer, type TestServer } from '../support/servers.ts';

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

const counter = {
  operation_type: 'transaction' as const,
  let: { v: 'GET counter' },
  commands: ['SET counter {{ v == null ? 1 : v + 1 }}'],
  retry: { max_retries: 1000, base_ms: 1 },
};

describe('a prepared transaction', () => {
  it.each(['balanced', 'throughput_optimized'] as const)(
    'loses no increment of 32 at once: %s',
    async (performance_mode) => {
      const prepared = await redops.prepare({ ...counter, performance_mode }, { connections: 8 });
      const outcomes = (
        await Promise.all(
          Array.from({ length: 32 }, async () => {
            const all = [];
            for (let at = 0; at < 5; at += 1) all.push(await prepared.run());
            return all;
          }),
        )
      ).flat();
      await prepared.close();
      const committed = outcomes.filter(({ outcome }) => outcome === 'committed');
      expect(await server.cli('get', 'counter')).toBe(String(committed.length));
      expect(committed).toHaveLength(160);
      expect(committed.every(({ results }) => results[0]?.outcome === 'ok')).toBe(true);
      // each value was written once
      expect(new Set(committed.map(({ results }) => results[0]?.argv[2])).size).toBe(160);
      if (performance_mode === 'throughput_optimized')
        expect(outcomes.every(({ engine, attempts }) => engine === 'script' && attempts === 1)).toBe(true);
    },
  );

  it('names each attempt so that no other run, of this or another connection, has the marker', async () => {
    const marked = { ...counter, marker: { key: 'mark' } };
    const prepared = await Promise.all([redops.prepare(marked), redops.prepare(marked)]);
    const names = new Set<string>();
    for (const one of [...prepared, ...prepared]) {
      const { outcome, engine } = await one.run();
      expect([outcome, engine]).toEqual(['committed', 'watch']);
      names.add(await server.cli('get', 'mark'));
    }
    expect(names.size).toBe(4);
    await Promise.all(prepared.map((one) => one.close()));
  });

  it('says aborted with the evaluator’s words, and not_met', async () => {
    await server.cli('set', 'counter', 'text');
    const prepared = await redops.prepare({ ...counter, performance_mode: 'throughput_optimized' });
    const { outcome, results } = await prepared.run();
    expect(outcome).toBe('aborted');
    expect(results[0]?.error?.message).toMatch(/v is text and a value is an integer/);
    await prepared.close();
    const guarded = await redops.prepare({ ...counter, when: 'v == null' });
    expect((await guarded.run()).outcome).toBe('not_met');
    await guarded.close();
  });

  it('asks the policy: production wants the name typed for what overwrites, and an error refuses', async () => {
    await withAgent(
      server.url,
      async (agent) => {
        const plan = await planOf(agent, counter);
        expect((await faultOf(agent.prepare(plan, { yes: true }))).code).toBe('refused');
        const named = await agent.prepare(plan, { typedName: 'prod' });
        expect((await named.run()).outcome).toBe('committed');
        await named.close();
        expect((await faultOf(agent.prepare(structuredClone(plan), { typedName: 'prod' }))).code).toBe('usage');
      },
      { name: 'prod', tag: 'production' },
    );
    expect((await faultOf(redops.prepare({ operation_type: 'pipelining', commands: ['PING'] }))).code).toBe('usage');
  });

  it('runs no more once it is closed, and what is in motion ends first', async () => {
    const prepared = await redops.prepare(counter);
    const moving = prepared.run();
    await prepared.close();
    expect((await moving).outcome).toBe('committed');
    expect((await faultOf(prepared.run())).code).toBe('interrupted');
  });

  it('is drift on another server process', async () => {
    const first = await startServer();
    const here = await connect(first.url);
    const prepared = await here.prepare(counter);
    expect((await prepared.run()).outcome).toBe('committed');
    await first.stop();
    const second = await startServer({ port: first.port });
    const fault = await faultOf(prepared.run());
    expect(fault.code).toBe('drift');
    expect(await second.cli('exists', 'counter')).toBe('0');
    await prepared.close();
    await here.close();
    await second.stop();
  });
});
