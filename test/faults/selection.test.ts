/** A job that selects by more than names, when the world misbehaves: what it looked at is read again, what it did is not done twice, and every key comes to an outcome. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { applied, withAgent } from '../support/agent.ts';
import { startServer, type TestServer } from '../support/servers.ts';

const KEYS = 6_000;
let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await server.cli('flushall');
  // every third key has a TTL
  await server.cli(
    'eval',
    `for i = 1, ${KEYS} do redis.call('set', 'job:' .. i, i) if i % 3 == 0 then redis.call('expire', 'job:' .. i, 1000) end end`,
    '0',
  );
});

const request = {
  operation_type: 'batch',
  select: { match: 'job:*', ttl: 'none', size: { min: 1 } },
  do: { action: 'unlink' },
  limits: { rate: 20_000 },
  retry: { max_retries: 50, base_ms: 5 },
};

/** Runs the request while `disturb` is called again and again. */
async function disturbed(disturb: () => Promise<unknown>) {
  return withAgent(server.url, async (agent) => {
    let running = true;
    let times = 0;
    let disturbing: Promise<void> | undefined;
    const report = await applied(agent, request, { yes: true }, () => {
      disturbing ??= (async () => {
        for (; running; times += 1) {
          await disturb().catch(() => undefined);
          await sleep(20); // on a busy machine nothing would ever come to an end between two cuts
        }
      })();
    });
    running = false;
    await disturbing;
    return { report, times };
  });
}

it('reads filters again when connections are cut, and leaves alone what does not pass', async () => {
  const { report, times } = await disturbed(() => server.cli('client', 'kill', 'type', 'normal'));
  expect(times).toBeGreaterThan(2);
  expect(report).toMatchObject({ status: 'succeeded', totals: { failed: 0, unknown: 0 } });
  expect(await server.cli('dbsize')).toBe(String(KEYS / 3));
});

it('loads its script again when somebody flushes the scripts', async () => {
  const { report, times } = await disturbed(() => server.cli('script', 'flush'));
  expect(times).toBeGreaterThan(2);
  expect(report).toMatchObject({ status: 'succeeded', totals: { failed: 0, unknown: 0, changed: (KEYS / 3) * 2 } });
  expect(await server.cli('dbsize')).toBe(String(KEYS / 3));
});
