import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OpsError } from '../../src/base/ops-error.ts';
import { connectTarget } from '../../src/redis/connect.ts';
import { LostConnection } from '../../src/redis/connection.ts';
import { recordingConnection } from '../../src/redis/recording.ts';
import { notSent, replyText } from '../../src/redis/reply.ts';
import { connectServer } from '../../src/redis/server-connection.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { startProxy, startServer, type TestServer } from '../support/servers.ts';
import { conforms, type Subject } from './conformance.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

function subjectOf({ cli, port }: TestServer): Subject {
  return { cli, at: (_address, ...args) => cli(...args), addresses: [`127.0.0.1:${port}`] };
}

async function failure(promise: Promise<unknown>): Promise<OpsError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(OpsError);
  return error as OpsError;
}

describe('a connection to one server', () => {
  conforms(
    () => subjectOf(server),
    () => connectServer(parseUrl(server.url)),
  );
});

describe('replies that come together', () => {
  const asked = Array.from({ length: 200 }, (_, index) => String(index));

  it('are handed out in order, half of them in a turn of the event loop, so that what is asked next can leave', async () => {
    const connection = await connectServer(parseUrl(server.url));
    const lease = await connection.lease();
    let turn = 0;
    const inTurn = new Map<number, number>();
    const told: (string | undefined)[] = [];
    let ticking = true;
    const tick = (): void => {
      turn += 1;
      if (ticking) setImmediate(tick);
    };
    tick();
    await Promise.all(
      asked.map(async (text) => {
        told.push(replyText(await lease.send(['ECHO', text])));
        inTurn.set(turn, (inTurn.get(turn) ?? 0) + 1);
      }),
    );
    ticking = false;
    expect(told).toEqual(asked);
    expect(Math.max(...inTurn.values())).toBeLessThanOrEqual(100);
    await connection.close();
  });

  it('are all handed out when the connection ends meanwhile', async () => {
    const connection = await connectServer(parseUrl(server.url));
    const lease = await connection.lease();
    const sent = asked.map((text) => lease.send(['ECHO', text]));
    const ended = sent[0]!.then(() => lease.close());
    expect((await Promise.all(sent)).map((reply) => replyText(reply))).toEqual(asked);
    await ended;
    await expect(lease.send(['ECHO', 'late'])).rejects.toThrow(LostConnection);
    await connection.close();
  });
});

describe('a connection that was lost', () => {
  it('is opened once for all who ask at the same time', async () => {
    const own = await startServer();
    const connection = await connectServer(parseUrl(own.url));
    const clients = async () => (await own.cli('client', 'list', 'type', 'normal')).split('\n').length - 1;
    await own.cli('client', 'kill', 'type', 'normal', 'skipme', 'yes');
    await new Promise((resolve) => setTimeout(resolve, 50)); // the loss is noticed
    const answers = await Promise.all(Array.from({ length: 50 }, () => connection.send(['PING'])));
    expect(answers).toEqual(Array(50).fill('PONG'));
    expect(await clients()).toBe(1);
    await connection.close();
    await own.stop();
  });

  it('is not taken for lost because nothing was asked of it for long', async () => {
    const proxy = await startProxy(server.port);
    const connection = await connectServer({
      ...parseUrl(`redis://127.0.0.1:${proxy.port}`),
      commandTimeoutMs: 600,
    });
    const pipe = await connection.pipe();
    pipe.write([['PING']]);
    expect(await pipe.read()).toEqual(['PONG']);
    await new Promise((resolve) => setTimeout(resolve, 500));
    proxy.delay(150); // the answer comes 650 ms after the first one, and long before its own time is up
    pipe.write([['PING']]);
    expect(await pipe.read()).toEqual(['PONG']);
    await connection.close();
    await proxy.stop();
  });
});

describe('the recording connection', () => {
  conforms(
    () => subjectOf(server),
    async () => recordingConnection(await connectServer(parseUrl(server.url))),
  );

  it('sends no write, no script and nothing between MULTI and EXEC, and counts what it kept back', async () => {
    const connection = recordingConnection(await connectServer(parseUrl(server.url)));
    await server.cli('flushall');
    expect(await connection.send(['SET', 'k', 'v'])).toBe(notSent);
    expect(await connection.send(['EVAL', "return redis.call('SET', 'k', 'v')", '0'])).toBe(notSent);
    expect(await connection.send(['NOSUCHCOMMAND'])).toBe(notSent);
    expect(await connection.send(['TOUCH', 'k'])).toBe(notSent);
    const lease = await connection.lease();
    const replies = await Promise.all(
      [['WATCH', 'k'], ['GET', 'k'], ['MULTI'], ['GET', 'k'], ['EXEC'], ['GET', 'k']].map((argv) => lease.send(argv)),
    );
    expect(replies).toEqual(['OK', null, notSent, notSent, notSent, null]);
    expect(connection.keptBack()).toBe(5);
    expect(await server.cli('dbsize')).toBe('0');
    await connection.close();
  });
});

describe('logging in', () => {
  it('gives the password, also as an ACL user, and selects the database', async () => {
    const guarded = await startServer({
      password: 'p@ss/word',
      user: { name: 'app', password: 'app:secret', rules: ['~*', '+@all'] },
    });
    const connection = await connectServer(parseUrl(`${guarded.url}/3`));
    await connection.send(['SET', 'k', 'v']);
    expect(await guarded.cli('-n', '3', 'get', 'k')).toBe('v');
    await connection.close();
    const user = await connectServer(parseUrl(guarded.userUrl!));
    expect(replyText((await user.send(['ACL', 'WHOAMI']))!)).toBe('app');
    await user.close();
    const wrong = await failure(connectServer(parseUrl(`redis://:nope-secret@127.0.0.1:${guarded.port}`)));
    expect([wrong.code, wrong.reply]).toEqual(['auth', 'WRONGPASS']);
    expect(`${wrong.message}${wrong.remedy}`).not.toContain('nope-secret');
    const none = await failure(connectServer(parseUrl(`redis://127.0.0.1:${guarded.port}`)));
    expect([none.code, none.reply]).toEqual(['auth', 'NOAUTH']);
    await guarded.stop();
  });

  it('speaks TLS with a client certificate, and says so when it is missing', async () => {
    const secure = await startServer({ tls: true });
    const { ca, cert, key } = secure.tls!;
    const connection = await connectServer(parseUrl(secure.url, { ca, cert, key }));
    expect(await connection.send(['SET', 'k', 'v'])).toBe('OK');
    await connection.close();
    expect((await failure(connectServer(parseUrl(secure.url, { ca })))).code).toBe('unreachable');
    const untrusted = await failure(connectServer(parseUrl(secure.url, { cert, key })));
    expect(untrusted.code).toBe('unreachable');
    expect(untrusted.remedy).toContain('--cacert');
    const plain = await failure(connectServer(parseUrl(`redis://127.0.0.1:${secure.port}`)));
    expect(plain.remedy).toContain('rediss://');
    await secure.stop();
  });

  it('speaks over a unix socket', async () => {
    const local = await startServer({ unixSocket: true });
    const connection = await connectServer(parseUrl(`${local.url}?db=2`));
    expect(await connection.send(['SET', 'k', 'v'])).toBe('OK');
    expect(connection.nodes()).toEqual([{ address: local.socket }]);
    await connection.close();
    await local.stop();
  });

  it.each([
    ['redis://127.0.0.1:1', 'unreachable'],
    ['unix:///nowhere/redis.sock', 'unreachable'],
    ['http://127.0.0.1', 'usage'],
    ['redis://', 'usage'],
    ['redis://127.0.0.1/x', 'usage'],
    ['redis+cluster://127.0.0.1:1,127.0.0.1:2', 'unreachable'],
    ['redis+cluster://', 'usage'],
    ['redis+cluster://127.0.0.1:7000,', 'usage'],
    ['redis+sentinel://127.0.0.1:1,127.0.0.1:2/mymaster', 'unreachable'],
  ])('says what is wrong with %s', async (url, code) => {
    const error = await failure((async () => connectTarget(parseUrl(url)))());
    expect(error.code).toBe(code);
    expect(error.remedy).toBeTruthy();
  });

  it('gives up on a server that takes the connection and says nothing, and on one that is no Redis', async () => {
    const proxy = await startProxy(server.port);
    proxy.drop();
    const silent = await failure(
      connectServer({ ...parseUrl(`redis://127.0.0.1:${proxy.port}`), connectTimeoutMs: 300 }),
    );
    expect(silent.code).toBe('unreachable');
    await proxy.stop();
  });
});

describe('a connection that dies', () => {
  it('says of a command without a reply that it was sent, and ends the old connection before anything else', async () => {
    const proxy = await startProxy(server.port);
    const connection = await connectServer(parseUrl(`redis://127.0.0.1:${proxy.port}`));
    const lease = await connection.lease();
    await server.cli('set', 'counter', '0');
    proxy.swallowReplies();
    const lost = lease.send(['INCR', 'counter'], { timeoutMs: 400 });
    const error = await failure(lost);
    expect(error).toBeInstanceOf(LostConnection);
    expect([error.code, (error as LostConnection).sent]).toEqual(['connection_timeout', true]);
    await proxy.restore();
    expect(await connection.end(error as LostConnection)).toBe('ended');
    expect(await server.cli('get', 'counter')).toBe('1');
    await connection.close();
    await proxy.stop();
  });
});
