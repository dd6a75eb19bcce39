/** Transactions under contention and fault: four ways to fail that are never mixed, and no update lost. */
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Event } from '../../src/plan/event.ts';
import { applied, withAgent } from '../support/agent.ts';
import { startProxy, startServer, type TestServer } from '../support/servers.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await server.cli('flushall');
});

const run = (request: unknown, onEvent?: (event: Event) => void, url = server.url) =>
  withAgent(url, (agent) => applied(agent, request, { yes: true }, onEvent));

/** The specification's example: take 50 from the balance, never below 0. */
const transfer = {
  operation_type: 'transaction',
  let: { balance: 'GET user:1:balance' },
  when: 'balance >= 50',
  commands: ['SET user:1:balance {{ balance - 50 }} KEEPTTL', 'INCR user:1:login_count'],
};

describe('a transaction', () => {
  it('commits what its condition allows, and writes nothing when it is not met', async () => {
    await server.cli('set', 'user:1:balance', '120', 'EX', '1000');
    const first = await run(transfer);
    expect(first).toMatchObject({
      status: 'succeeded',
      transaction: { outcome: 'committed', attempts: 1, engine: 'watch', reads: { balance: '120' } },
    });
    await run(transfer);
    const third = await run(transfer);
    expect(third).toMatchObject({ status: 'succeeded', transaction: { outcome: 'not_met' }, totals: { changed: 0 } });
    expect(await server.cli('mget', 'user:1:balance', 'user:1:login_count')).toBe('20\n2');
    expect(Number(await server.cli('ttl', 'user:1:balance'))).toBeGreaterThan(0);
  });

  it('retries a conflict with fresh reads', async () => {
    await server.cli('set', 'user:1:balance', '200');
    // a round trip of 60 ms between the reads and EXEC, in which another client changes the watched key
    const proxy = await startProxy(server.port);
    proxy.delay(30);
    let conflicts = 0;
    let added = 0;
    const running = run(
      { ...transfer, retry: { max_retries: 100, base_ms: 1 } },
      (event) => {
        if (event.kind === 'retried') conflicts += 1;
      },
      `redis://127.0.0.1:${proxy.port}`,
    );
    for (const stop = Date.now() + 10_000; conflicts < 2 && Date.now() < stop; added += 1) {
      await server.cli('incr', 'user:1:balance');
    }
    const report = await running;
    await proxy.stop();
    expect(report.transaction?.outcome).toBe('committed');
    expect(report.transaction!.attempts).toBeGreaterThanOrEqual(3);
    expect(report.totals.retried).toBe(report.transaction!.attempts - 1);
    expect(Number(await server.cli('get', 'user:1:balance'))).toBe(200 + added - 50);
  });

  it('gives up after max_retries, and says conflict: nothing was applied', async () => {
    await server.cli('set', 'user:1:balance', '200');
    const proxy = await startProxy(server.port);
    proxy.delay(60);
    let busy = true;
    const other = (async () => {
      while (busy) await server.cli('incr', 'user:1:balance');
    })();
    const report = await run(
      { ...transfer, retry: { max_retries: 1, base_ms: 1 } },
      undefined,
      `redis://127.0.0.1:${proxy.port}`,
    );
    busy = false;
    await other;
    await proxy.stop();
    expect(report).toMatchObject({ transaction: { outcome: 'conflict', attempts: 2 }, totals: { changed: 0 } });
    expect(report.status).not.toBe('succeeded');
    expect(report.results.map((result) => result.outcome)).toEqual(['not_sent', 'not_sent']);
    expect(await server.cli('exists', 'user:1:login_count')).toBe('0');
  });

  it('tells a runtime error inside EXEC as partial, with each reply', async () => {
    await server.cli('rpush', 'list', 'x');
    const report = await run({ operation_type: 'transaction', commands: ['SET a 1', 'INCR list', 'SET b 2'] });
    expect(report).toMatchObject({ status: 'partial', transaction: { outcome: 'partial' } });
    expect(report.results.map((result) => [result.outcome, result.reply])).toEqual([
      ['ok', 'OK'],
      ['error', null],
      ['ok', 'OK'],
    ]);
    expect(report.results[1]?.error?.name).toBe('WRONGTYPE');
    expect(await server.cli('mget', 'a', 'b')).toBe('1\n2');
  });

  it('tells a command refused when queued as aborted: not retried, nothing applied', async () => {
    const limited = await startServer({ user: { name: 'app', password: 'p', rules: ['~*', '+@all', '-incr'] } });
    const report = await run(
      { operation_type: 'transaction', commands: ['SET a 1', 'INCR a'], accept: ['SEC002'] },
      undefined,
      limited.userUrl,
    );
    expect(report).toMatchObject({
      transaction: { outcome: 'aborted', attempts: 1 },
      totals: { changed: 0, retried: 0 },
    });
    expect(report.results[1]?.error?.name).toBe('NOPERM');
    expect(await limited.cli('exists', 'a')).toBe('0');
    await limited.stop();
  });

  it('sends no command when MULTI itself is refused: none of them runs by itself', async () => {
    const limited = await startServer({
      user: { name: 'app', password: 'p', rules: ['~*', '+@all', '-multi', '-acl|dryrun'] },
    });
    await limited.cli('set', 'n', '1');
    for (const commands of [
      ['INCR n', 'INCR n'],
      ['SET n {{ v + 1 }}', 'INCR n'],
    ]) {
      const request = {
        operation_type: 'transaction',
        commands,
        ...(commands[0]!.includes('{{') ? { let: { v: 'GET n' } } : {}),
      };
      const report = await run(request, undefined, limited.userUrl);
      expect(report).toMatchObject({ transaction: { outcome: 'aborted', attempts: 1 }, totals: { changed: 0 } });
      expect(report.results.map((result) => result.outcome)).toEqual(['not_sent', 'not_sent']);
      expect(report.results[0]?.error?.name).toBe('NOPERM');
    }
    expect(await limited.cli('get', 'n')).toBe('1');
    await limited.stop();
  });

  it('tells OOM as aborted', async () => {
    await server.cli('config', 'set', 'maxmemory', '1');
    // seen beforehand, too: a plan that cannot fit is an error
    const accept = ['OPS002'];
    const report = await run({ operation_type: 'transaction', commands: ['SET a 1', 'SET b 1'], accept });
    await server.cli('config', 'set', 'maxmemory', '0');
    expect(report).toMatchObject({ transaction: { outcome: 'aborted', attempts: 1 } });
    expect(report.results[0]?.error?.name).toBe('OOM');
  });

  it('runs again when it was redirected by BUSY: nothing was applied, then all of it once', async () => {
    await server.cli('config', 'set', 'lua-time-limit', '20');
    await server.cli('set', 'user:1:balance', '100');
    let script: Promise<string> | undefined;
    const reasons: string[] = [];
    await withAgent(server.url, async (agent) => {
      const run = await agent.apply({ ...transfer, retry: { max_retries: 50, base_ms: 20 } }, { yes: true });
      if (!('events' in run)) throw new Error('no run');
      for await (const event of run.events) {
        if (event.kind === 'run_started') {
          script = server.cli('eval', 'while true do end', '0').catch(() => '');
          await new Promise((resolve) => setTimeout(resolve, 150));
        }
        if (event.kind !== 'retried') continue;
        reasons.push(event.reason);
        if (reasons.length === 1) await server.cli('script', 'kill');
      }
      await script;
      expect((await run.report).transaction).toMatchObject({ outcome: 'committed', reads: { balance: '100' } });
    });
    expect(reasons[0]).toBe('BUSY');
    expect(await server.cli('mget', 'user:1:balance', 'user:1:login_count')).toBe('50\n1');
  });
});

describe('contention', () => {
  it('8 processes x 8 transactions at once lose no update of the balance example', async () => {
    await server.cli('set', 'user:1:balance', '1000000');
    const workers = Array.from({ length: 8 }, () => worker(server.url));
    const counts = await Promise.all(workers);
    const committed = counts.reduce((sum, count) => sum + (count.committed ?? 0), 0);
    const others = counts
      .flatMap((count) => Object.keys(count))
      .filter((outcome) => outcome !== 'committed' && outcome !== 'conflict');
    expect(others).toEqual([]);
    expect(committed).toBeGreaterThan(64);
    expect(await server.cli('get', 'user:1:balance')).toBe(String(1_000_000 - 50 * committed));
    expect(await server.cli('get', 'user:1:login_count')).toBe(String(committed));
  }, 60_000);
});

/** One process with 8 connections, each running the balance example 5 times: how often each outcome came. */
function worker(url: string): Promise<Record<string, number>> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['test/support/transfer-worker.mjs', url, JSON.stringify(transfer)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), 50_000);
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      if (code === 0) resolve(JSON.parse(out));
      else reject(new Error(`the worker ended with ${code}`));
    });
  });
}
