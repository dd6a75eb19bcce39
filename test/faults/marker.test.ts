/** EXEC without a reply: its marker says what became of it, once the lost connection can do nothing any more. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, type Redops } from '../../src/connect.ts';
import type { TransactionOptions } from '../../src/transaction-types.ts';
import { withAgent } from '../support/agent.ts';
import { applyWithLostReply } from '../support/lost-replies.ts';
import { startProxy, startServer, type TestProxy, type TestServer, waitFor } from '../support/servers.ts';
import { count, counted } from './counts.ts';

const ROUNDS = count(100);
const marker = { key: 'marker:me' };
/** What goes out with MULTI, and what comes back, before any command is queued. */
const MULTI = '*1\r\n$5\r\nMULTI\r\n';
const ASKED = `*2\r\n$3\r\nGET\r\n$9\r\n${marker.key}\r\n`;
const bulk = (value: string) => (value === '' ? '$-1\r\n' : `$${value.length}\r\n${value}\r\n`);

let server: TestServer;
let proxy: TestProxy;
let redops: Redops;
beforeAll(async () => {
  server = await startServer({ user: { name: 'app', password: 'p', rules: ['~*', '+@all', '-client|kill'] } });
  proxy = await startProxy(server.port);
  redops = await connect({ url: `redis://127.0.0.1:${proxy.port}`, tag: 'dev' });
});
afterAll(async () => {
  await redops.close();
  await proxy.stop();
  await server.stop();
});
beforeEach(async () => {
  await proxy.restore();
  await server.cli('flushall');
  await server.cli('config', 'set', 'maxmemory', '0');
});

const applied = async () => Number(await server.cli('get', 'n'));

/** Adds one to n; around the EXEC of the first attempt `fault` happens, which ends when `over`. */
async function disturbed(
  fault: () => void,
  over: () => Promise<boolean>,
  options: TransactionOptions,
  through = redops,
) {
  let ended: Promise<void> | undefined;
  const outcome = await through.transaction(
    ['n'],
    async (tx) => {
      await tx.read('GET', 'n');
      if (tx.attempt === 1) {
        fault();
        ended = waitFor('the fault to have happened', over).then(() => proxy.restore());
      }
      return [['INCR', 'n']];
    },
    { baseMs: 1, ...options },
  );
  await ended;
  return outcome;
}

/** EXEC runs, and its reply is cut; `then` happens before anybody can look for the marker. */
async function lostReply(options: TransactionOptions, through = redops, then?: () => Promise<unknown>) {
  const before = await applied();
  const marked = options.marker ? bulk(await server.cli('get', marker.key)) : '';
  return disturbed(
    () => proxy.cutAfter(marked.length + '+OK\r\n'.length + 3),
    async () => {
      if ((await applied()) === before) return false;
      await then?.();
      return true;
    },
    options,
    through,
  );
}

/** MULTI arrives, and after some bytes more nothing does: neither the commands as a whole nor EXEC. */
async function lostRequest(options: TransactionOptions, more = 10, through = redops) {
  // connections that are opened later pass everything, so there is nothing to wait for
  return disturbed(
    () => proxy.cutRequestsAfter(ASKED.length + MULTI.length + more),
    async () => true,
    options,
    through,
  );
}

describe('a transaction whose EXEC has no reply', () => {
  it('is unknown without a marker, and is not run again', async () => {
    expect(await lostReply({})).toMatchObject({ status: 'unknown', attempts: 1 });
    expect(await applied()).toBe(1);
  });

  it(`is committed where its marker is there: ${ROUNDS} times, each applied once`, async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const outcome = await lostReply({ marker });
      expect(outcome).toEqual({ status: 'committed', attempts: 1, found_by: 'marker' });
      expect(await applied()).toBe(round);
    }
    counted(`marker: ${ROUNDS} lost replies, all found committed`);
  }, 120_000);

  it(`was not applied where its marker is absent: it runs again, ${ROUNDS} times, each applied once`, async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      expect(await lostRequest({ marker }, round % 80)).toMatchObject({
        status: 'committed',
        attempts: 2,
        replies: [round],
      });
      expect(await applied()).toBe(round);
    }
    counted(`marker: ${ROUNDS} lost requests, all found not applied and run again`);
  }, 120_000);

  it('says redirected where it was not applied and has no retries left', async () => {
    expect(await lostRequest({ marker, maxRetries: 0 })).toMatchObject({
      status: 'redirected',
      attempts: 1,
      reason: 'connection_lost',
    });
    expect(await server.cli('exists', 'n', marker.key)).toBe('0');
  });

  it('stays unknown where the lost connection may not be ended, although the marker is there', async () => {
    const app = await connect({ url: `redis://app:p@127.0.0.1:${proxy.port}`, tag: 'dev' });
    const outcome = await lostReply({ marker }, app);
    expect(outcome).toMatchObject({ status: 'unknown', message: expect.stringContaining('may still execute late') });
    expect(await server.cli('exists', marker.key)).toBe('1');
    await app.close();
  });

  it('stays unknown where the server may have evicted the marker', async () => {
    await server.cli('config', 'set', 'maxmemory', '100mb');
    await server.cli('config', 'set', 'maxmemory-policy', 'allkeys-lru');
    const own = await connect({ url: `redis://127.0.0.1:${proxy.port}`, tag: 'dev' });
    const outcome = await lostRequest({ marker }, 5, own);
    expect(outcome).toMatchObject({ status: 'unknown', message: expect.stringContaining('evicted') });
    expect(await server.cli('exists', 'n')).toBe('0');
    await own.close();
    await server.cli('config', 'set', 'maxmemory-policy', 'noeviction');
  });

  it('stays unknown where somebody else wrote the marker', async () => {
    const outcome = await lostReply({ marker }, redops, () => server.cli('set', marker.key, 'somebody'));
    expect(outcome).toMatchObject({ status: 'unknown', message: expect.stringContaining('somebody else') });
  });

  it('is found out in a plan too, and the report says how', async () => {
    await withAgent(`redis://127.0.0.1:${proxy.port}`, async (agent) => {
      const request = { operation_type: 'transaction', commands: ['INCR n', 'INCR n'], marker: { key: 'marker:plan' } };
      const report = await applyWithLostReply(agent, proxy, `redis://127.0.0.1:${proxy.port}`, request, 5 + 5 + 3);
      expect(report.transaction).toMatchObject({ outcome: 'committed', attempts: 1, found_by: 'marker' });
      // EXEC ran; what each command answered, nobody knows
      expect(report.results.map(({ outcome }) => outcome)).toEqual(['unknown', 'unknown', 'unknown']);
      expect(report.results[0]?.error?.message).toContain('EXEC ran, as the marker shows');
      expect(await server.cli('get', 'marker:plan')).toBe(`${report.run_id}/1`);
    });
    expect(await applied()).toBe(2);
  });
});
