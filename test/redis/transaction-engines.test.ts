/** One transaction by WATCH and by its script: the same state, the same outcome, the same replies and errors. */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '../../src/agent.ts';
import { systemClock } from '../../src/base/clock.ts';
import { OwnConnection, slotOfStep } from '../../src/execute/own-connection.ts';
import type { RunContext } from '../../src/execute/session.ts';
import { readyTransaction, runAttempts } from '../../src/execute/transaction.ts';
import { ReplyError } from '../../src/formats/resp.ts';
import type { Event } from '../../src/plan/event.ts';
import type { Report } from '../../src/plan/report.ts';
import { type Connection, type Lease, LostConnection } from '../../src/redis/connection.ts';
import { connectServer } from '../../src/redis/server-connection.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { applied, planOf, withAgent } from '../support/agent.ts';
import { startProxy, startServer, type TestServer } from '../support/servers.ts';

let server: TestServer;
let connection: Connection;
beforeAll(async () => {
  server = await startServer({ user: { name: 'app', password: 'p', rules: ['~a', '~b', '+@all', '-append'] } });
  connection = await connectServer(parseUrl(server.url));
});
afterAll(async () => {
  await connection.close();
  await server.stop();
});
beforeEach(async () => {
  await connection.send(['FLUSHALL']);
});

type Words = readonly (string | Buffer)[];
const send = (...argv: Words) => connection.send(argv);
const names = ['a', 'b', 'h', 'l', 's', 'z'] as const;

/** Everything of the keys, type and bytes and whether they have a deadline. */
async function state(): Promise<string> {
  const keys = [...names, 'n'];
  const parts = await Promise.all(keys.flatMap((key) => [send('TYPE', key), send('DUMP', key), send('TTL', key)]));
  return parts.map((part) => (Buffer.isBuffer(part) ? part.toString('base64') : String(part))).join(' ');
}

interface Case {
  readonly fill: readonly Words[];
  readonly request: object;
}

/** Runs one case by both engines, each on the same data, and compares all that they say. Gives the outcome and the engine of the second. */
async function both(agent: Agent, { fill, request }: Case): Promise<Report> {
  const told: { report: Report; left: string }[] = [];
  for (const performance_mode of ['balanced', 'throughput_optimized']) {
    await send('CONFIG', 'SET', 'maxmemory', '0');
    await send('FLUSHALL');
    await Promise.all(fill.map((words) => send(...words)));
    const report = await applied(agent, { ...request, performance_mode });
    told.push({ report, left: await state() });
  }
  const [watch, script] = told.map(({ report, left }) => ({
    left,
    status: report.status,
    totals: { ...report.totals, retried: 0 },
    results: report.results,
    outcome: report.transaction?.outcome,
    reads: report.transaction?.reads,
    errors: report.errors,
  }));
  expect(told[0]!.report.transaction?.engine).toBe('watch');
  expect(script, JSON.stringify({ fill, request })).toEqual(watch);
  return told[1]!.report;
}

const edges = fc.constantFrom(
  '0',
  '1',
  '-1',
  '41',
  '9007199254740991',
  '9007199254740990',
  '-9007199254740991',
  '9007199254740992',
  '9223372036854775807',
  '9223372036854775806',
  '-9223372036854775808',
  '9223372036854775808',
  '007',
  '3.5',
);
const bytes = fc.oneof(
  edges.map((text) => Buffer.from(text)),
  fc.constantFrom('', 'é', 'text', 'a\0b').map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 4 }).map((all) => Buffer.from(all)),
);
const fills = fc
  .subarray(
    ['SET a', 'SET b', 'HSET h f', 'RPUSH l', 'SADD s', 'ZADD z 1', 'RPUSH a', 'HSET b f'].map((text) =>
      text.split(' '),
    ),
  )
  .chain((chosen) => fc.tuple(...chosen.map((words) => bytes.map((value): Words => [...words, value]))));
const read = fc.constantFrom(
  'GET a',
  'GET b',
  'HGET h f',
  'LLEN l',
  'LINDEX l 0',
  'SCARD s',
  'ZSCORE z m',
  'STRLEN a',
  'TYPE a',
  'SISMEMBER s 1',
  'TTL a',
  'EXISTS n',
);
const expressions = fc.constantFrom(
  'v + 1',
  'v - 9',
  'v * w',
  'v / w',
  'v % 7',
  '-v',
  'string(v)',
  'string(w) + "é"',
  'v',
  'w',
  'size(string(v))',
  'v == null ? 0 : v',
  'int(w) + int(v)',
  '(v == null ? 1 : v) * 9007199254740',
  'v == w ? "same" : "other"',
);
const conditions = fc.constantFrom(
  undefined,
  'v != null',
  'v == null || v >= 0',
  'v < w',
  'size(string(w)) > 1',
  'true',
  'v',
  'v > 5 && w < 7',
);
const commands = fc.constantFrom<readonly string[]>(
  ...[
    'SET a {}',
    'SET a {} KEEPTTL',
    'SET b {} NX GET',
    'SET a {} EX 100',
    'SETRANGE a 2 {}',
    'INCRBY a {}',
    'DECRBY b {}',
    'INCR a',
    'DECR b',
    'INCRBYFLOAT a 1.5',
    'APPEND a {}',
    'GETSET b {}',
    'GETDEL a',
    'DEL b',
    'MSET a {} b x',
    'MSETNX n {} a 1',
    'HSET h f {}',
    'HSET h f {} g 2',
    'HINCRBY h f {}',
    'HINCRBYFLOAT h f 2.5',
    'HDEL h f',
    'LPUSH l {} 2',
    'RPUSH l {}',
    'LPOP l',
    'LPOP l 2',
    'RPOP n',
    'LSET l 0 {}',
    'LSET l {} x',
    'LREM l 0 {}',
    'SADD s {}',
    'SREM s {}',
    'SMOVE s s {}',
    'ZADD z {} m',
    'ZADD z INCR {} m',
    'ZINCRBY z {} m',
    'ZREM z m',
    'EXPIRE a {}',
    'PERSIST a',
    'RENAME n a',
    'RENAMENX a b',
    'SETEX a 100 {}',
    'SETBIT a {} 1',
    'SET a {} EX abc',
    'LPUSH a x',
  ].map((text) => text.split(' ')),
);
const program = fc.record({
  v: read,
  w: read,
  when: conditions,
  commands: fc.array(
    fc.tuple(commands, expressions).map(([words, expr]) => words.map((word) => (word === '{}' ? { expr } : word))),
    { minLength: 1, maxLength: 5 },
  ),
});
const requestOf = ({
  v,
  w,
  when,
  commands: written,
}: {
  v: string;
  w: string;
  when: string | undefined;
  commands: unknown;
}) => ({
  operation_type: 'transaction',
  let: { v, w },
  ...(when === undefined ? {} : { when }),
  commands: written,
  accept: [
    'TX001',
    'TX004',
    'TX005',
    'TX006',
    'TX009',
    'TTL001',
    'KEY001',
    'DEL001',
    'DEL002',
    'DEL003',
    'CMD001',
    'CMD002',
  ],
});

describe('the two engines of a transaction', () => {
  it('leave the same state and say the same of random programs over random data', async () => {
    await withAgent(server.url, (agent) =>
      fc.assert(
        fc.asyncProperty(fills, program, async (fill, one) => {
          const request = requestOf(one);
          const planned = await agent.plan(request);
          fc.pre(planned.plan?.warnings.every(({ severity }) => severity !== 'error') ?? false);
          await both(agent, { fill, request });
        }),
        { numRuns: 400 },
      ),
    );
  }, 180_000);

  const simple = { operation_type: 'transaction', let: { v: 'GET a' }, accept: [] as string[] };

  it.each([
    ['committed', ['SET a {{ v + 1 }}', 'INCR b'], 'script'],
    ['partial', ['SET a {{ v + 1 }}', 'INCR l', 'SET b 2'], 'script'],
    ['aborted', ['SET a {{ v / 0 }}'], 'script'],
    ['aborted', ['SET a {{ v + "x" }}', 'SET b 1'], 'script'],
    ['not_met', ['SET a 1'], 'script', { when: 'v > 5' }],
  ] as const)('are %s alike by %j', async (outcome, written, engine, more: object = {}) => {
    await withAgent(server.url, async (agent) => {
      const fill = [
        ['SET', 'a', '5'],
        ['RPUSH', 'l', 'x'],
      ];
      const report = await both(agent, { fill, request: { ...simple, ...more, commands: written } });
      expect(report.transaction).toMatchObject({ outcome, engine, attempts: 1 });
    });
  });

  it('keep a counter exact beyond 2^53: the server counts, and its reply is not the rounded one', async () => {
    await withAgent(server.url, async (agent) => {
      const fill = [
        ['SET', 'a', '5'],
        ['SET', 'b', '9007199254740992'],
        ['HSET', 'h', 'f', '-9007199254740994'],
      ];
      const request = { ...simple, commands: ['SET a {{ v + 1 }}', 'INCR b', 'HINCRBY h f -1', 'DECRBY b 1'] };
      const report = await both(agent, { fill, request });
      expect(report.transaction).toMatchObject({ outcome: 'committed', engine: 'script' });
      expect(report.results.map(({ reply }) => reply)).toEqual([
        'OK',
        { integer: '9007199254740993' },
        { integer: '-9007199254740995' },
        { integer: '9007199254740992' },
      ]);
    });
  });

  it('hand a value beyond 2^53-1 to WATCH before anything is written, and count both as attempts', async () => {
    await withAgent(server.url, async (agent) => {
      for (const value of ['9007199254740991', '9223372036854775806']) {
        const report = await both(agent, {
          fill: [['SET', 'a', value]],
          request: { ...simple, commands: ['SET a {{ v + 1 }}', 'INCR b'] },
        });
        expect(report.transaction).toMatchObject({
          outcome: 'committed',
          engine: 'watch',
          attempts: 2,
          switched: { attempt: 2, reason: 'integer_range' },
        });
        expect(String(await send('GET', 'a'))).toBe(String(BigInt(value) + 1n));
        expect(String(await send('GET', 'b'))).toBe('1');
      }
    });
  });

  it('under a full memory write nothing at all: MULTI queues no command then, and the script does not begin', async () => {
    await withAgent(server.url, async (agent) => {
      for (const written of [
        ['DEL a', 'SET b {{ v }}'],
        ['DEL a', 'DEL b'],
      ]) {
        const fill = [
          ['SET', 'a', '5'],
          ['SET', 'b', '6'],
          ['CONFIG', 'SET', 'maxmemory', '1'],
        ];
        const report = await both(agent, { fill, request: { ...simple, commands: written } });
        expect(report.transaction).toMatchObject({ outcome: 'aborted', switched: { attempt: 2, reason: 'OOM' } });
        await send('CONFIG', 'SET', 'maxmemory', '0');
        expect(await send('EXISTS', 'a', 'b')).toBe(2);
      }
    });
  });

  it('refuse a command or a key that the user may not use before the first write', async () => {
    await withAgent(server.userUrl!, async (agent) => {
      for (const [reason, written] of [
        ['permission', ['SET b 1', 'APPEND a {{ v }}']],
        ['NOPERM', ['SET b 1', 'SET n {{ v }}']],
      ] as const) {
        const request = { ...simple, commands: written, accept: ['SEC002'] };
        const report = await both(agent, { fill: [['SET', 'a', '5']], request });
        expect(report.transaction).toMatchObject({ outcome: 'aborted', attempts: 2, switched: { reason } });
        expect(await send('EXISTS', 'b')).toBe(0);
      }
    });
  });

  it('go on with WATCH where the server does not take the script, and write once', async () => {
    const strict = await startServer({ user: { name: 'app', password: 'p', rules: ['~*', '+@all', '-evalsha'] } });
    await strict.cli('set', 'a', '5');
    const request = {
      ...simple,
      commands: ['SET a {{ v + 1 }}'],
      performance_mode: 'throughput_optimized',
      accept: ['SEC002'],
    };
    await withAgent(strict.userUrl!, async (agent) => {
      const first = await applied(agent, request);
      expect(first.transaction).toMatchObject({
        outcome: 'committed',
        engine: 'watch',
        attempts: 2,
        switched: { attempt: 2, reason: 'NOPERM' },
      });
      // the refusal is remembered: the script is not asked for again, nor said to have run
      const { transaction } = await applied(agent, request);
      expect(transaction).toMatchObject({ outcome: 'committed', engine: 'watch', attempts: 1 });
      expect(transaction).not.toHaveProperty('switched');
    });
    expect(await strict.cli('get', 'a')).toBe('7');
    await strict.stop();
  });

  it('load the script again after SCRIPT FLUSH', async () => {
    await send('SET', 'a', '5');
    await withAgent(server.url, async (agent) => {
      const plan = await planOf(agent, {
        ...simple,
        commands: ['SET a {{ v + 1 }}'],
        performance_mode: 'throughput_optimized',
      });
      for (const value of ['6', '7']) {
        await send('SCRIPT', 'FLUSH');
        expect((await applied(agent, plan)).transaction).toMatchObject({ engine: 'script', attempts: 1 });
        expect(String(await send('GET', 'a'))).toBe(value);
      }
    });
  });

  it('tell a script whose reply was lost as unknown, and do not run it again', async () => {
    await send('SET', 'a', '5');
    await withAgent(server.url, async (agent) => {
      const request = { ...simple, commands: ['SET a {{ v + 1 }}'], performance_mode: 'throughput_optimized' };
      const plan = await planOf(agent, request);
      const step = plan.execution_plan.steps[0];
      if (step?.kind !== 'transaction') throw new Error('no transaction');
      const { signal } = new AbortController();
      const context: RunContext = { plan, runId: 't', connection, clock: systemClock, signal, journal: undefined };
      const lease = await connection.lease();
      const lossy: Lease = {
        node: lease.node,
        clientId: lease.clientId,
        runId: lease.runId,
        lost: false,
        close: () => lease.close(),
        send: async (argv) => {
          const reply = await lease.send(argv);
          if (argv[0] !== 'EVALSHA' || reply instanceof ReplyError) return reply;
          throw new LostConnection('connection_lost', 'cut', {
            sent: true,
            clientId: lease.clientId,
            runId: lease.runId,
          });
        },
      };
      const own = new OwnConnection(context, slotOfStep(step));
      const events: Event[] = [];
      const lanes = { own, script: async () => lossy };
      for await (const event of runAttempts(context, readyTransaction(context, step), lanes, 0)) events.push(event);
      expect(events.at(-1)).toMatchObject({ kind: 'transaction', outcome: 'unknown', engine: 'script', attempts: 1 });
      const [result] = events;
      expect(result?.kind === 'result' && result.result.error?.message).toMatch(/the script was sent, and no reply/);
      expect(String(await send('CLIENT', 'LIST', 'ID', String(lease.clientId)))).toBe(''); // ended on the server
    });
    expect(String(await send('GET', 'a'))).toBe('6');
  });

  it('go over to the script at the second conflict in a row, and begin with it the next time', async () => {
    await send('SET', 'a', '0');
    let conflicts = 0;
    const proxy = await startProxy(server.port);
    proxy.delay(20);
    await withAgent(`redis://127.0.0.1:${proxy.port}`, async (agent) => {
      let busy = true;
      const other = (async () => {
        while (busy) await send('INCR', 'a');
      })();
      const request = { ...simple, commands: ['SET a {{ v + 1 }}'], retry: { max_retries: 5, base_ms: 1 } };
      const count = (event: Event) => {
        if (event.kind === 'retried') conflicts += 1;
      };
      const first = await applied(agent, request, { yes: true }, count);
      const second = await applied(agent, request);
      busy = false;
      await other;
      expect(first.transaction).toMatchObject({
        outcome: 'committed',
        engine: 'script',
        attempts: 3,
        switched: { attempt: 3, reason: 'conflict' },
      });
      expect(conflicts).toBe(2);
      expect(second.transaction).toMatchObject({ outcome: 'committed', engine: 'script', attempts: 1 });
    });
    await proxy.stop();
  });

  it('is WATCH alone where a command means something else in a script, and the plan says why', async () => {
    await withAgent(server.url, async (agent) => {
      const plan = await planOf(agent, { ...simple, commands: ['SET a {{ v }}', 'PUBLISH c x'], accept: [] });
      expect(plan.execution_plan.steps[0]).not.toHaveProperty('script');
      expect(plan.execution_plan.reasons.join(' ')).toMatch(/WATCH alone.*PUBLISH/);
    });
  });
});
