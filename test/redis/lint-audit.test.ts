/** Lint of what servers really write and show: append-only files of every version, MONITOR, the slow log. */
import { existsSync } from 'node:fs';
import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lintInputs, lintLive } from '../../src/agent.ts';
import { fromBuffer, toBuffer } from '../../src/base/bytes.ts';
import type { MonitorCommand } from '../../src/formats/monitor-reader.ts';
import type { WireArgument } from '../../src/formats/resp.ts';
import { globTest } from '../../src/lint/glob.ts';
import type { LintResult } from '../../src/plan/lint-result.ts';
import { connectTarget } from '../../src/redis/connect.ts';
import { monitor } from '../../src/redis/monitor.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { matrix, startCluster, startServer, type TestServer, waitFor } from '../support/servers.ts';

/** Sends commands on one connection, in order. */
async function send(server: TestServer, commands: readonly (readonly WireArgument[])[]): Promise<void> {
  const connection = await connectTarget(parseUrl(server.url));
  const lease = await connection.lease();
  try {
    await Promise.all(commands.map((argv) => lease.send(argv)));
  } finally {
    await connection.close();
  }
}

const codes = ({ diagnostics }: LintResult) => diagnostics.map(({ code, count = 1 }) => `${code} ${count}`).sort();
const filler = Array.from({ length: 120 }, (_, index) => ['INCR', `n:${index}`]);
const strange = Buffer.from([0, 0xff, 0x0a, 0x22]);

describe.each(matrix())('what a server writes down (%s)', (version) => {
  let server: TestServer;
  const options = version === undefined ? {} : { version };
  beforeAll(async () => {
    server = await startServer({ ...options, args: ['--appendonly', 'yes', '--appendfsync', 'no'] });
  });
  afterAll(() => server.stop());

  const path = () =>
    existsSync(join(server.dir, 'appendonlydir'))
      ? join(server.dir, 'appendonlydir')
      : join(server.dir, 'appendonly.aof');
  const lint = () => lintInputs([{ name: 'aof', from: { path: path() } }]);

  it('is judged for what was sent, before and after the file was rewritten', async () => {
    await send(server, [
      ['SET', 'cache:1', 'v'],
      ['SET', 'cache:2', 'v', 'EX', '100'],
      ['SETEX', 'cache:3', '100', 'v'],
      ['SET', 'lock:1', strange, 'NX'],
      ['SELECT', '3'],
      ['SET', 'u:1', 'v'],
      ['INCR', 'x'],
      ['EXPIRE', 'u:1', '100'],
      ['EVAL', "redis.call('SET', KEYS[1], '1') redis.call('EXPIRE', KEYS[1], 100)", '1', 'cache:4'],
      ...filler,
    ]);
    const before = await lint();
    // TTL001 twice: a warning for the cache key, an error for the lock
    expect(codes(before.result)).toEqual(['TTL001 1', 'TTL001 1', 'TTL003 1']);
    await server.cli('BGREWRITEAOF');
    await waitFor(
      'the file is rewritten',
      async () =>
        /aof_rewrite_in_progress:0[\s\S]*aof_last_bgrewrite_status:ok/.test(await server.cli('INFO', 'persistence')) &&
        (await hasSnapshot()),
    );
    await send(server, [['SET', 'cache:9', 'v'], ...filler]);
    const after = await lint();
    expect(codes(after.result)).toEqual(['TTL001 1']);
    expect(after.result.diagnostics[0]?.message).toContain('cache:9');
    expect(after.result.audited?.flatMap(({ notes }) => notes).join('\n')).toMatch(/snapshot of [\d.]+ K?B.* not read/);
  });

  // the new file is in its place: with a snapshot before the commands, or as a part of its own
  async function hasSnapshot(): Promise<boolean> {
    const where = path();
    if (!where.endsWith('appendonlydir'))
      return (await lint()).result.audited?.some(({ notes }) => notes.join().includes('snapshot')) === true;
    return (await readdir(where)).some((name) => /\.2\.base\.rdb$/.test(name));
  }

  it('says where a file is cut, and judges what comes before', async () => {
    const where = path();
    const parts = where.endsWith('appendonlydir')
      ? (await readdir(where)).filter((name) => name.endsWith('.incr.aof')).sort()
      : [];
    const file = parts.length > 0 ? join(where, parts.at(-1)!) : where;
    await appendFile(file, '*3\r\n$3\r\nSET\r\n$1\r\na');
    const { result } = await lintInputs([{ name: 'cut.aof', from: { path: file }, kind: 'aof' }]);
    expect(result.audited?.[0]?.notes.join('\n')).toMatch(/the file ends at byte \d+, inside command \d+/);
  });
});

describe('what a server shows', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ args: ['--slowlog-log-slower-than', '0'] });
  });
  afterAll(() => server.stop());

  const monitoring = () => waitFor('MONITOR runs', async () => /cmd=monitor/.test(await server.cli('CLIENT', 'LIST')));

  it('MONITOR gives every command, byte for byte, with its client and database', async () => {
    const sent: WireArgument[][] = [
      ['SET', 'a b', strange],
      ['SELECT', '2'],
      ['MSET', 'k\\"', 'é', 'l', ''],
      ['MULTI'],
      ['INCR', 'n'],
      ['EXEC'],
      ['EVAL', "return redis.call('GET', KEYS[1])", '1', 'n'],
      ['ECHO', 'done'],
    ];
    const connection = await connectTarget(parseUrl(server.url));
    const stop = new AbortController();
    const seen: MonitorCommand[] = [];
    const ended = monitor(connection, { ms: 20_000, commands: 1_000, signal: stop.signal }, (command) => {
      seen.push(command);
      if (command.argv[0] === 'ECHO') stop.abort();
    });
    await monitoring();
    await send(server, sent);
    expect(await ended).toBe('interrupted');
    await connection.close();
    const client = seen.find(({ argv }) => argv[0] === 'ECHO')?.client;
    const bytes = (argv: readonly WireArgument[]) => argv.map((word) => Buffer.from(word as string).toString('hex'));
    const own = seen.filter((one) => one.client === client && !/^(HELLO|INFO)$/.test(String(one.argv[0])));
    // the login's own SELECT 0 comes first
    expect(own.map(({ argv }) => bytes(argv)).slice(-sent.length)).toEqual(sent.map(bytes));
    expect(own.at(-1)?.database).toBe(2);
    expect(seen.find((one) => one.client === 'lua')).toMatchObject({ argv: ['GET', 'n'], database: 2 });
  });

  it('lint of MONITOR ends at its count, and at its time', async () => {
    const counted = lintLive({ url: server.url }, { monitor: { ms: 20_000, commands: 40 } });
    await monitoring();
    await send(
      server,
      Array.from({ length: 60 }, () => ['KEYS', 'none:*']),
    );
    const result = await counted;
    expect(result.audited).toMatchObject([{ input: 'monitor', commands: 40 }]);
    expect(result.audited?.[0]?.notes[0]).toBe('MONITOR was ended after 40 commands');
    expect(codes(result)).toContainEqual(expect.stringMatching(/^KEY001 \d+$/));
    const timed = await lintLive({ url: server.url }, { monitor: { ms: 20, commands: 40 } });
    expect(timed.audited?.[0]?.notes[0]).toBe('MONITOR ran for 20 ms');
    await waitFor('MONITOR has ended', async () => !/cmd=monitor/.test(await server.cli('CLIENT', 'LIST')));
  });

  it('lint of MONITOR finds a key that is watched in vain', async () => {
    const [one, other] = [await connectTarget(parseUrl(server.url)), await connectTarget(parseUrl(server.url))];
    try {
      const lease = await one.lease();
      const linted = lintLive({ url: server.url }, { monitor: { ms: 20_000, commands: 60 } });
      await monitoring();
      for (let round = 0; round < 6; round += 1) {
        await lease.send(['WATCH', 'stock']);
        await lease.send(['GET', 'stock']);
        await other.send(['SET', 'stock', String(round)]);
        await lease.send(['MULTI']);
        await lease.send(['SET', 'stock', '0']);
        expect(await lease.send(['EXEC'])).toBeNull();
      }
      await send(
        server,
        Array.from({ length: 60 }, () => ['PING']),
      );
      const { diagnostics } = await linted;
      expect(diagnostics.filter(({ code }) => code === 'TX008')).toMatchObject([
        { message: 'stock is watched while others write it: 5 of 5 transactions were lost so far' },
      ]);
    } finally {
      await Promise.all([one.close(), other.close()]);
    }
  });

  it('a user without the right is told so', async () => {
    await server.cli('ACL', 'SETUSER', 'weak', 'on', '>pw', '~*', '+@all', '-monitor', '-slowlog');
    const url = server.url.replace('redis://', 'redis://weak:pw@');
    await expect(lintLive({ url }, { monitor: { ms: 5_000, commands: 9 } })).rejects.toMatchObject({
      code: 'server_error',
      reply: 'NOPERM',
    });
    await expect(lintLive({ url }, { slowlog: 10 })).rejects.toMatchObject({ code: 'server_error' });
  });

  it('the slow log, live and as redis-cli prints it: what the server cut is not judged', async () => {
    await server.cli('SLOWLOG', 'RESET');
    await send(server, [
      ['KEYS', 'a*'],
      ['SET', 'lock:1', 'v'.repeat(500)],
      ['MSET', ...Array.from({ length: 80 }, (_, index) => `k${index}`)],
      ['EVAL', `return 1 --${' '.repeat(200)}`, '0'],
    ]);
    const live = await lintLive({ url: server.url }, { slowlog: 100 });
    const keys = live.diagnostics.find(({ code }) => code === 'KEY001');
    expect(keys?.at).toMatch(/^SLOWLOG of 127\.0\.0\.1:\d+, entry \d+ \(\d+\.\d ms\)$/);
    expect(live.audited?.[0]?.notes[0]).toMatch(/^3 of \d+ entries are cut/);
    expect(live.diagnostics.map(({ code }) => code)).not.toContain('LUA000');
    const printed = await server.cli('--no-raw', 'SLOWLOG', 'GET', '100');
    const chunks = async function* () {
      yield Buffer.from(printed);
    };
    const { result } = await lintInputs([{ name: '-', from: { chunks: chunks() } }]);
    expect(result.audited).toMatchObject([{ input: 'slowlog' }]);
    expect(result.diagnostics.find(({ code }) => code === 'KEY001')?.count).toBe(keys?.count);
  });
});

it('MONITOR and the slow log of a cluster are those of all its primaries', async () => {
  const cluster = await startCluster();
  try {
    const result = await lintLive({ url: cluster.url }, { slowlog: 10, monitor: { ms: 50, commands: 10 } });
    expect(result.audited?.map(({ input }) => input)).toEqual(['slowlog', 'slowlog', 'slowlog', 'monitor']);
  } finally {
    await cluster.stop();
  }
}, 60_000);

describe('patterns', () => {
  it('match what the server matches, for any pattern', async () => {
    const server = await startServer();
    const keys = ['', 'a', 'b', 'ab', 'ba', 'a-', 'a]', 'a^', '*', 'a*', '\\', 'a\\', 'é', 'aé', '[', 'abab', 'bbb-'];
    await send(
      server,
      [...keys, strange].map((key) => ['SET', key, 'v']),
    );
    const connection = await connectTarget(parseUrl(server.url));
    try {
      const part = fc.constantFrom('a', 'b', '*', '?', '[', ']', '^', '-', '\\', 'é');
      await fc.assert(
        fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 7 }), async (parts) => {
          const pattern = parts.join('');
          // a range beyond ASCII follows the sign of C's char, which is not the same on all machines
          fc.pre(!/-é|é-/.test(pattern));
          const reply = await connection.send(['KEYS', pattern]);
          const matched = (Array.isArray(reply) ? reply : []).map((key) => Buffer.from(key as Buffer).toString('hex'));
          const test = globTest(pattern);
          const own = [...keys, fromBuffer(strange)].filter(test).map((key) => toBuffer(key).toString('hex'));
          expect([pattern, own.sort()]).toEqual([pattern, matched.sort()]);
        }),
        { numRuns: 1_500 },
      );
    } finally {
      await connection.close();
      await server.stop();
    }
  });
});
