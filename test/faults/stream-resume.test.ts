/**
 * A stream that ended early can be gone on with: what its report says was not sent was not, all of it is named, and sending
 * that, then the file from `next` on, loses nothing and doubles nothing, however far one node had fallen behind the others.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Agent, ApplyOptions } from '../../src/agent.ts';
import { slotOf } from '../../src/catalog/slots.ts';
import type { PipelineCommand, PipelineOutcome } from '../../src/pipeline.ts';
import type { Event } from '../../src/plan/event.ts';
import type { Report } from '../../src/plan/report.ts';
import { connectCluster } from '../../src/redis/cluster.ts';
import type { Connection } from '../../src/redis/connection.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { applied, planOf, withAgent } from '../support/agent.ts';
import { startCluster, startServer, type TestCluster, type TestServer } from '../support/servers.ts';

let cluster: TestCluster;
let direct: Connection;
let server: TestServer;
let dir: string;
beforeAll(async () => {
  // a node that is paused for some seconds stays a primary
  cluster = await startCluster({ nodeTimeoutMs: 20_000 });
  direct = await connectCluster(parseUrl(cluster.url));
  server = await startServer();
  dir = await mkdtemp(join(tmpdir(), 'redops-resume-'));
}, 60_000);
afterAll(async () => {
  await direct.close();
  await cluster.stop();
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  for (const node of direct.nodes()) await (await direct.lease({ address: node.address })).send(['FLUSHALL']);
  await server.cli('flushall');
});

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const serverOf = (key: string): TestServer => {
  const { address } = direct.nodeOf(slotOf(key))!;
  return cluster.nodes.find(({ port }) => address === `127.0.0.1:${port}`)!;
};
const COUNTERS = Array.from({ length: 2_000 }, (_, at) => `counter:${at}`);
const values = async (): Promise<number[]> =>
  Promise.all(COUNTERS.map(async (key) => Number((await direct.send(['GET', key])) ?? 0)));

describe('a stream over a cluster of which one node stands still', () => {
  const rounds = 150;
  const file = COUNTERS.length * rounds;
  const lineOf = (at: number) => `INCR ${COUNTERS[at % COUNTERS.length]}`;

  /** Streams the file, pauses a node on the way, interrupts when all that can wait for it does. */
  async function interrupted(agent: Agent, members: object = {}): Promise<Report> {
    const path = join(dir, 'incr.redis');
    await writeFile(path, `${Array.from({ length: file }, (_, at) => lineOf(at)).join('\n')}\n`);
    const stop = new AbortController();
    const { pid } = serverOf(COUNTERS[0]!);
    let paused = false;
    const watch = (event: Event) => {
      if (event.kind !== 'page' || paused) return;
      paused = true;
      process.kill(pid, 'SIGSTOP');
      setTimeout(() => stop.abort(), 1_000);
      setTimeout(() => process.kill(pid, 'SIGCONT'), 1_300);
    };
    const options: ApplyOptions = { yes: true, typedName: agent.target.name, signal: stop.signal };
    return applied(agent, { operation_type: 'pipelining', file: path, ...members }, options, watch);
  }

  it('names everything before `next` that was not sent, and sent nothing from there on', async () => {
    await withAgent(
      cluster.url,
      async (agent) => {
        const report = await interrupted(agent);
        expect(report.status).toBe('interrupted');
        const { line, how } = report.stream!.next!;
        const left = report.results.filter((one) => one.outcome === 'not_sent');
        expect(left.length).toBeGreaterThan(0); // else this proves nothing
        expect(report.results_left_out).toBe(0);
        expect(left.every((one) => one.line! < line)).toBe(true);
        expect(how).toContain(`${left.length} commands before line ${line} were not sent`);
        const before = await values();
        expect(before.reduce((sum, value) => sum + value, 0)).toBe(line - 1 - left.length);

        const again: PipelineCommand[] = left.map(({ argv }) => argv.map(String));
        for (let at = line - 1; at < file; at += 1) again.push(lineOf(at).split(' '));
        for await (const one of agent.pipeline(again, { typedName: agent.target.name }))
          if (one.outcome !== 'ok') throw new Error(`${one.index}: ${one.outcome}`);
        expect(new Set(await values())).toEqual(new Set([rounds]));
      },
      { filePath: (path) => path },
    );
  }, 60_000);

  it('points to the failures file, which has them all in order', async () => {
    await withAgent(
      cluster.url,
      async (agent) => {
        const path = join(dir, 'incr.failed');
        const report = await interrupted(agent, { failures_file: path });
        const { failures, next } = report.stream!;
        const kept = (await readFile(path, 'utf8')).split('\n').filter((line) => line.startsWith('INCR '));
        expect(kept.length).toBe(failures!.commands);
        expect(next!.how).toContain(`${kept.length} commands before line ${next!.line} were not sent`);
        expect(next!.how).toContain(`redops pipe ${path}`);
      },
      { filePath: (path) => path },
    );
  }, 60_000);

  it('takes only so many commands from the source as it can hold', async () => {
    const slow = COUNTERS[0]!;
    const fast = COUNTERS.filter((key) => serverOf(key) !== serverOf(slow));
    let taken = 0;
    const source = function* (): Generator<PipelineCommand> {
      for (; taken < 200_000; taken += 1) yield ['INCR', taken === 0 ? slow : fast[taken % fast.length]!];
    };
    const { pid } = serverOf(slow);
    await withAgent(cluster.url, async (agent) => {
      process.kill(pid, 'SIGSTOP');
      let before = 0;
      setTimeout(() => {
        before = taken;
        process.kill(pid, 'SIGCONT');
      }, 1_500);
      let ok = 0;
      for await (const one of agent.pipeline(source(), { typedName: agent.target.name })) {
        if (one.outcome === 'ok') ok += 1;
      }
      expect(before).toBeGreaterThan(0);
      expect(before).toBeLessThan(36_000);
      expect(ok).toBe(200_000);
    });
  }, 60_000);
});

describe('a source that never answers', () => {
  it('holds up nobody who breaks off or interrupts a stream over a cluster', async () => {
    const waiting = async function* (): AsyncGenerator<PipelineCommand> {
      yield ['INCR', 'a'];
      await new Promise<never>(() => undefined);
    };
    await withAgent(cluster.url, async (agent) => {
      const options = { typedName: agent.target.name };
      for await (const one of agent.pipeline(waiting(), options)) {
        expect(one.outcome).toBe('ok');
        break;
      }
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 100);
      const outcomes: PipelineOutcome[] = [];
      for await (const one of agent.pipeline(waiting(), { ...options, signal: stop.signal })) outcomes.push(one);
      expect(outcomes.map((one) => one.outcome)).toEqual(['ok']);
    });
  });

  /** A source as events.on() makes them: return() settles the next() that waits. */
  function queue(): AsyncIterable<PipelineCommand> & { returned: number } {
    let settle: ((result: IteratorResult<PipelineCommand>) => void) | undefined;
    let given = 0;
    const source = {
      returned: 0,
      [Symbol.asyncIterator]: () => ({
        next: (): Promise<IteratorResult<PipelineCommand>> => {
          given += 1;
          if (given === 1) return Promise.resolve({ done: false, value: ['INCR', 'a'] });
          return new Promise((resolve) => {
            settle = resolve;
          });
        },
        return: async (): Promise<IteratorResult<PipelineCommand>> => {
          source.returned += 1;
          settle?.({ done: true, value: undefined });
          return { done: true, value: undefined };
        },
      }),
    };
    return source;
  }

  it('is told to end, once, while it still waits', async () => {
    await withAgent(server.url, async (agent) => {
      const source = queue();
      for await (const one of agent.pipeline(source)) {
        expect(one.outcome).toBe('ok');
        break;
      }
      expect(source.returned).toBe(1);
    });
  });

  it('holds up nobody who ends the stream while waiting for an outcome', async () => {
    await withAgent(server.url, async (agent) => {
      const source = queue();
      const outcomes = agent.pipeline(source)[Symbol.asyncIterator]();
      expect((await outcomes.next()).value).toMatchObject({ outcome: 'ok' });
      const waiting = outcomes.next();
      await sleep(50);
      expect(await outcomes.return!()).toEqual({ done: true, value: undefined });
      expect(await waiting).toEqual({ done: true, value: undefined });
      expect(source.returned).toBe(1);
    });
  });

  it('is told to end when one of its commands is refused, and not when it ended by itself', async () => {
    await withAgent(server.url, async (agent) => {
      let ended = 0;
      const giving = async function* (commands: PipelineCommand[]): AsyncGenerator<PipelineCommand> {
        try {
          yield* commands;
        } finally {
          ended += 1;
        }
      };
      const refused = async () => {
        for await (const one of agent.pipeline(giving([['INCR', 'a'], ['MULTI'], ['INCR', 'a']])))
          expect(one.index).toBe(0);
      };
      await expect(refused()).rejects.toThrow('command 1 was not sent');
      expect(ended).toBe(1);
      for await (const one of agent.pipeline(giving([['GET', 'a']]))) expect(one.reply).toBe('1');
      expect(ended).toBe(2);
    });
  });
});

describe('a file on one server', () => {
  it('says where to go on also when all that was read has been answered', async () => {
    // a quarter of a megabyte of comment behind each command, two lines long: the server waits for the reader
    const [commands, comment] = [400, `# ${'-'.repeat(256 * 1024)}\n`];
    const file = join(dir, 'sparse.redis.gz');
    await writeFile(file, gzipSync(Array.from({ length: commands }, () => `INCR \\\n  n\n${comment}`).join('')));
    const told: unknown[] = [];
    const wanted: unknown[] = [];
    await withAgent(
      server.url,
      async (agent) => {
        const plan = await planOf(agent, { operation_type: 'pipelining', file });
        for (let round = 0; round < 4; round += 1) {
          await server.cli('del', 'n');
          const stop = new AbortController();
          const watch = (event: Event) => event.kind === 'page' && stop.abort();
          const report = await applied(agent, plan, { yes: true, signal: stop.signal }, watch);
          const done = Number(await server.cli('get', 'n'));
          expect(report).toMatchObject({ status: 'interrupted', stream: { commands: done } });
          expect(done).toBeLessThan(commands);
          wanted.push(done * 3 + 1);
          told.push(report.stream!.next?.line);
        }
      },
      { filePath: (path) => path },
    );
    expect(told).toEqual(wanted);
  }, 60_000);

  it('keeps what failed, and closes its files, when nobody reads its events to the end', async () => {
    const path = join(dir, 'wrong.redis');
    const failures = join(dir, 'wrong.failed');
    await writeFile(path, Array.from({ length: 100_000 }, (_, at) => `${at % 50 ? 'SET' : 'LPUSH'} k v\n`).join(''));
    await server.cli('set', 'k', 'v');
    await withAgent(
      server.url,
      async (agent) => {
        const request = { operation_type: 'pipelining', file: path, failures_file: failures, limits: { rate: 20_000 } };
        const run = await agent.apply(request, { yes: true });
        if (!('events' in run)) throw new Error('no run');
        let failed = 0;
        for await (const event of run.events) {
          if (event.kind === 'result') failed += 1;
          if (failed === 3) break;
        }
        await expect(run.report).rejects.toThrow('not read to their end');
        const kept = (await readFile(failures, 'utf8')).split('\n').filter((line) => line === 'LPUSH k v');
        expect(kept.length).toBeGreaterThanOrEqual(3);
        await expect(readFile(`${failures}.unknown`)).rejects.toThrow('ENOENT'); // it holds no command: it was taken away
      },
      { filePath: (name) => name },
    );
  });
});
