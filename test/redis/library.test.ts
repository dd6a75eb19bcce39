/** The scripts that come with redops: clean under lint, right by their fixtures on every server, and right under contention. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { obtainServer } from '../../scripts/servers.mjs';
import { lintFiles } from '../../src/agent.ts';
import { ReplyError } from '../../src/formats/resp.ts';
import { openSocket, type RedisSocket } from '../../src/redis/socket.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { loadSubject } from '../../src/script-test/load-subject.ts';
import { openBench, type ScriptBench } from '../../src/script-test/script-bench.ts';
import { applied, withAgent } from '../support/agent.ts';
import { matrix, startCluster, startServer, type TestServer } from '../support/servers.ts';

const folder = fileURLToPath(new URL('../../lua/', import.meta.url));
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.lua'))
  .map((file) => file.replace(/\.lua$/, ''));
const source = (name: string): Buffer => readFileSync(`${folder}${name}.lua`);

describe.each(names)('%s', (name) => {
  test('has nothing for lint to say', async () => {
    const { diagnostics } = await lintFiles([{ name: `${name}.lua`, source: source(name) }]);
    expect(diagnostics).toEqual([]);
  });

  test('has its contract, its fixtures and its page', () => {
    const text = source(name).toString('utf8');
    expect(text).toMatch(new RegExp(`^-- ${name}: [a-z]`));
    for (const part of ['KEYS\\[', 'Reply', 'Errors', 'Atomic', 'Cluster:', 'O\\(', 'Redis 6.0', 'The usual copy'])
      expect(text).toMatch(new RegExp(`^-- .*${part}`, 'm'));
    expect(readFileSync(`${folder}${name}.test.yaml`, 'utf8')).toContain(`script: ${name}.lua`);
    const page = readFileSync(fileURLToPath(new URL(`../../docs/scripts/${name}.md`, import.meta.url)), 'utf8');
    const [, contract = ''] = /^-- [\w-]+: (.*)$/m.exec(text) ?? [];
    expect(page).toContain(`# ${name}`);
    expect(page).toContain(contract.slice(1));
    expect(readFileSync(new URL('../../docs/scripts/README.md', import.meta.url), 'utf8')).toContain(contract);
  });
});

describe.each(matrix())('on %s', (version) => {
  let bench: ScriptBench;
  beforeAll(async () => {
    bench = await openBench([(await obtainServer(version)).server], 5_000);
  });
  afterAll(() => bench?.close());

  test.each(names)('%s does what its fixtures say', async (name) => {
    const { subject, mistakes } = await loadSubject(`${folder}${name}.test.yaml`, `${name}.test.yaml`, false);
    expect(mistakes).toEqual([]);
    const report = await bench.run([subject!]);
    expect(report.results.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
    expect(report.passed).toBe(subject!.fixtures.tests.length);
  });

  test('when memory is full a call either does all of it, or is refused and has written nothing', async () => {
    const server = await startServer(version === undefined ? {} : { version });
    const socket = await openSocket(parseUrl(server.url));
    const commands = [
      ['MSET', 's', 'old', 'held', '7', 'counter', '5', 'a', '9', 'b', '9'],
      ['ZADD', 'window', '1', 'long-ago'],
      ['CONFIG', 'SET', 'maxmemory', '1'],
    ];
    for (const argv of commands) await socket.send(argv);
    const calls: [name: string, keys: string[], args: string[]][] = [
      ['compare-and-set', ['s'], ['old', 'new']],
      ['lock-acquire', ['l', 'f'], ['1000']],
      ['lock-extend', ['held'], ['7', '1000000']],
      ['sliding-window', ['window'], ['5', '1000']],
      ['token-bucket', ['bucket'], ['5', '1', '1000']],
      ['capped-increment', ['counter'], ['1', '10']],
      ['capped-increment', ['new'], ['1', '10', '1000']],
      ['reserve-stock', ['a', 'b'], ['1', '1']],
      ['transfer', ['a', 'b'], ['1']],
      ['compare-and-delete', ['s'], ['old']],
      ['lock-release', ['held'], ['7']],
    ];
    expect([...new Set(calls.map(([name]) => name))].sort()).toEqual(names);
    const digest = async (): Promise<unknown> => String(await socket.send(['DEBUG', 'DIGEST']));
    const refused: string[] = [];
    for (const [name, keys, args] of calls) {
      const before = await digest();
      const reply = await socket.send(['EVAL', source(name), String(keys.length), ...keys, ...args]);
      if (!(reply instanceof ReplyError)) continue;
      expect(reply.message).toMatch(/OOM/);
      expect(await digest(), name).toBe(before);
      refused.push(name);
    }
    // what only frees is never refused, and what only adds always is
    expect(refused).toEqual(expect.arrayContaining(['compare-and-set', 'lock-acquire', 'token-bucket', 'transfer']));
    expect(refused).not.toContain('compare-and-delete');
    expect(refused).not.toContain('lock-release');
    await socket.close();
  });

  test('runs where scripts are replicated as text', async () => {
    const server = await startServer({
      ...(version === undefined ? {} : { version }),
      // gone since 7.0, where effects are all that is replicated
      args: (await obtainServer(version)).version.startsWith('6.') ? ['--lua-replicate-commands', 'no'] : [],
    });
    const socket = await openSocket(parseUrl(server.url));
    const call = caller(socket);
    expect(await call('lock-acquire', ['l', 'f'], ['1000'])).toEqual([1, expect.any(Buffer)]);
    expect(await call('sliding-window', ['w'], ['1', '1000'])).toEqual([1, 0, 0]);
    expect(await call('token-bucket', ['b'], ['1', '1', '1000'])).toEqual([1, 0, 0]);
    await socket.close();
  });
});

test('every script runs in a cluster, by its keys of one slot, as redops script run sends it', async () => {
  const cluster = await startCluster();
  const calls: [name: string, keys: string[], args: string[], reply: unknown][] = [
    ['compare-and-set', ['{t}s'], ['old', 'new'], 1],
    ['compare-and-delete', ['{t}s'], ['new'], 1],
    ['lock-acquire', ['{t}l', '{t}f'], ['60000'], [1, expect.stringMatching(/^\d{16}$/)]],
    ['lock-extend', ['{t}l'], ['none', '1000'], 0],
    ['lock-release', ['{t}l'], ['none'], 0],
    ['sliding-window', ['{t}w'], ['2', '60000'], [1, 1, 0]],
    ['token-bucket', ['{t}b'], ['2', '1', '60000'], [1, 1, 0]],
    ['capped-increment', ['{t}c'], ['1', '10'], [1, 1]],
    ['reserve-stock', ['{t}1', '{t}2'], ['1', '2'], [1, 8, 7]],
    ['transfer', ['{t}1', '{t}2'], ['3'], [1, '5', '10']],
  ];
  try {
    const given = [
      ['SET', '{t}s', 'old'],
      ['SET', '{t}1', '9'],
      ['SET', '{t}2', '9'],
    ];
    await withAgent(
      cluster.url,
      async (agent) => {
        const setUp = await applied(agent, { operation_type: 'pipelining', commands: given, accept: ['TTL001'] });
        expect(setUp.status).toBe('succeeded');
        for (const [name, keys, args, reply] of calls) {
          const script = source(name).toString('utf8');
          const report = await applied(agent, { operation_type: 'lua_script', action: 'run', script, keys, args });
          expect(report.results[0], name).toMatchObject({ outcome: 'ok', reply });
        }
      },
      { tag: 'dev' },
    );
  } finally {
    await cluster.stop();
  }
}, 60_000);

describe('under contention', () => {
  let server: TestServer;
  let clients: RedisSocket[];
  const count = 32;
  const calls = () => clients.map(caller);

  beforeAll(async () => {
    server = await startServer();
    clients = await Promise.all(Array.from({ length: count }, () => openSocket(parseUrl(server.url))));
  });
  afterAll(async () => {
    await Promise.all((clients ?? []).map((client) => client.close()));
  });

  test('a lock has one holder at a time, and its fencing tokens only grow', async () => {
    const tokens: bigint[] = [];
    let holders = 0;
    let most = 0;
    const turns = 4;
    await Promise.all(
      calls().map(async (call) => {
        for (let turn = 0; turn < turns; ) {
          const [taken, token] = (await call('lock-acquire', ['{c}:lock', '{c}:fence'], ['30000'])) as [number, Buffer];
          if (taken === 0) continue;
          turn += 1;
          holders += 1;
          most = Math.max(most, holders);
          tokens.push(BigInt(token.toString()));
          expect(await call('lock-extend', ['{c}:lock'], [token, '30000'])).toBe(1);
          // from here on another one may be let in before we hear of it
          holders -= 1;
          expect(await call('lock-release', ['{c}:lock'], [token])).toBe(1);
          expect(await call('lock-release', ['{c}:lock'], [token])).toBe(0);
        }
      }),
    );
    expect(tokens).toHaveLength(count * turns);
    expect(most).toBe(1);
    expect(tokens).toEqual([...tokens].sort((a, b) => (a < b ? -1 : 1)));
    expect(new Set(tokens).size).toBe(tokens.length);
    // a counter that was lost, as by an eviction: the tokens grow all the same
    await clients[0]!.send(['DEL', '{c}:fence']);
    const [, next] = (await caller(clients[0]!)('lock-acquire', ['{c}:lock', '{c}:fence'], ['30000'])) as [
      number,
      Buffer,
    ];
    expect(BigInt(next.toString())).toBeGreaterThan(tokens.at(-1)!);
  });

  test('transfers keep the sum, and no balance falls below zero', async () => {
    const accounts = Array.from({ length: 10 }, (_, index) => `{bank}:${index}`);
    const [first] = clients;
    await first!.send(['MSET', ...accounts.flatMap((account) => [account, '100'])]);
    const outcomes = new Map<unknown, number>();
    await Promise.all(
      calls().map(async (call, client) => {
        for (let turn = 0; turn < 40; turn += 1) {
          const from = (client + turn) % accounts.length;
          const to = (from + 1 + ((client * 7 + turn * 3) % (accounts.length - 1))) % accounts.length;
          const amount = String(1 + ((client * 31 + turn * 17) % 90));
          const [moved] = (await call('transfer', [accounts[from]!, accounts[to]!], [amount])) as [number];
          outcomes.set(moved, (outcomes.get(moved) ?? 0) + 1);
        }
      }),
    );
    const balances = ((await first!.send(['MGET', ...accounts])) as Buffer[]).map(Number);
    expect(balances.reduce((sum, one) => sum + one, 0)).toBe(1_000);
    expect(balances.filter((one) => one < 0)).toEqual([]);
    expect([...outcomes.keys()].sort()).toEqual([0, 1]); // both ends of the script were met
  });

  test('stock is never oversold, and every order got all or nothing', async () => {
    const items = ['{shop}:a', '{shop}:b', '{shop}:c'];
    const stock = [100, 70, 130];
    await clients[0]!.send(['MSET', ...items.flatMap((item, index) => [item, String(stock[index])])]);
    const sold = [0, 0, 0];
    let refused = 0;
    await Promise.all(
      calls().map(async (call, client) => {
        for (let turn = 0; turn < 20; turn += 1) {
          const wanted = [1 + ((client + turn) % 3), 1 + (turn % 2), 1 + (client % 4)];
          const [reserved] = (await call('reserve-stock', items, wanted.map(String))) as [number];
          if (reserved === 0) refused += 1;
          else for (const [index, quantity] of wanted.entries()) sold[index]! += quantity;
        }
      }),
    );
    const left = ((await clients[0]!.send(['MGET', ...items])) as Buffer[]).map(Number);
    expect(left.map((one, index) => one + sold[index]!)).toEqual(stock);
    expect(Math.min(...left)).toBeGreaterThanOrEqual(0);
    expect(refused).toBeGreaterThan(0);
  });

  test('a token bucket admits at most capacity + rate * time', async () => {
    const capacity = 50;
    const refill = 200;
    const { admissions, elapsedMs } = await hammer('token-bucket', [String(capacity), String(refill), '1000'], 1_500);
    expect(admissions.length).toBeLessThanOrEqual(capacity + (refill * elapsedMs) / 1_000);
    expect(admissions.length).toBeGreaterThanOrEqual(capacity); // a bucket that admits nothing would pass, too
  });

  test('a sliding window admits at most its limit in any window', async () => {
    const limit = 40;
    const windowMicros = 500_000;
    const { admissions } = await hammer('sliding-window', [String(limit), String(windowMicros / 1_000)], 1_800);
    expect(admissions.length).toBeGreaterThan(limit); // more than one window's worth, else nothing was limited
    const crowded = admissions.filter(({ before }, index) => {
      const later = admissions[index + limit];
      return later !== undefined && later.after - before < windowMicros;
    });
    expect(crowded).toEqual([]);
  });

  test('a capped counter ends at its cap', async () => {
    const admitted = await Promise.all(
      calls().map(async (call) => {
        let added = 0;
        for (let turn = 0; turn < 20; turn += 1)
          added += ((await call('capped-increment', ['capped'], ['3', '1000'])) as [number])[0];
        return added;
      }),
    );
    const total = admitted.reduce((sum, one) => sum + one, 0);
    expect(total).toBe(333);
    expect(await clients[0]!.send(['GET', 'capped'])).toEqual(Buffer.from('999'));
  });

  /** Calls a limiter from every client for some time. Every admission stands between two readings of the server's clock. */
  async function hammer(name: string, args: readonly string[], ms: number) {
    const key = `limiter:${name}`;
    const first = await micros(clients[0]!);
    const end = performance.now() + ms;
    const admissions: { before: number; after: number }[] = [];
    await Promise.all(
      clients.map(async (client) => {
        const call = caller(client);
        while (performance.now() < end) {
          const [before, reply, after] = await Promise.all([micros(client), call(name, [key], args), micros(client)]);
          if ((reply as [number])[0] === 1) admissions.push({ before, after });
        }
      }),
    );
    admissions.sort((one, other) => one.after - other.after);
    return { admissions, elapsedMs: ((await micros(clients[0]!)) - first) / 1_000 };
  }
});

type Call = (name: string, keys: readonly string[], args: readonly (string | Buffer)[]) => Promise<unknown>;

function caller(socket: RedisSocket): Call {
  return async (name, keys, args) => {
    const reply = await socket.send(['EVAL', source(name), String(keys.length), ...keys, ...args]);
    if (reply instanceof ReplyError) throw new Error(reply.message);
    return reply;
  };
}

async function micros(socket: RedisSocket): Promise<number> {
  const [seconds, rest] = (await socket.send(['TIME'])) as Buffer[];
  return Number(String(seconds)) * 1_000_000 + Number(String(rest));
}
