/** The proxy does to a connection what its methods say, seen from both ends. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startProxy, type TestProxy } from './proxy.ts';
import { startServer, type TestServer } from './server.ts';
import { waitFor } from './wait.ts';

let server: TestServer;
let proxy: TestProxy;

beforeAll(async () => {
  server = await startServer();
});
beforeEach(async () => {
  await server.cli('FLUSHALL');
  proxy = await startProxy(server.port);
});
afterEach(() => proxy.stop());

interface Client {
  readonly socket: Socket;
  text: string;
  closed: 'no' | 'end' | 'error';
}

async function open(): Promise<Client> {
  const socket = connect(proxy.port, '127.0.0.1');
  const client: Client = { socket, text: '', closed: 'no' };
  socket.on('data', (bytes) => {
    client.text += String(bytes);
  });
  socket.on('end', () => {
    client.closed = 'end';
  });
  socket.on('error', () => {
    client.closed = 'error';
  });
  await once(socket, 'connect');
  return client;
}

/** Sends, and waits for that reply. */
async function ask(client: Client, command: string, reply: string): Promise<void> {
  client.text = '';
  client.socket.write(`${command}\r\n`);
  await waitFor(`the reply to ${command}`, () => client.text === reply, 3_000);
}

const incremented = async (to: string) => (await server.cli('GET', 'n')) === to;

test('is faithful, large values and closes included', async () => {
  const client = await open();
  await ask(client, 'PING', '+PONG\r\n');
  await server.cli('SETRANGE', 'big', '4000000', 'x');
  client.text = '';
  client.socket.write('GET big\r\n');
  await waitFor('4 MB', () => client.text.length === '$4000001\r\n'.length + 4_000_003);
  client.socket.end();
  await waitFor('the close', () => client.closed === 'end' && proxy.connections === 0);
});

test('delays both ways, in order', async () => {
  const client = await open();
  await ask(client, 'PING', '+PONG\r\n');
  proxy.delay(50);
  const started = performance.now();
  await ask(client, 'PING', '+PONG\r\n');
  expect(performance.now() - started).toBeGreaterThanOrEqual(99);
  client.text = '';
  for (let n = 1; n <= 5; n += 1) client.socket.write(`ECHO ${n}\r\n`);
  await waitFor('five replies', () => client.text === '$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n$1\r\n5\r\n');
});

test('drops everything: nothing runs, nothing is answered, the connection stays', async () => {
  const client = await open();
  await ask(client, 'PING', '+PONG\r\n');
  proxy.drop();
  client.text = '';
  client.socket.write('INCR n\r\n');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect([client.text, client.closed, await server.cli('EXISTS', 'n')]).toEqual(['', 'no', '0']);
});

test('swallows replies: the command ran, nobody knows', async () => {
  const client = await open();
  await ask(client, 'PING', '+PONG\r\n');
  const before = proxy.replyBytes;
  proxy.swallowReplies();
  client.text = '';
  client.socket.write('INCR n\r\n');
  await waitFor('the reply that is lost', () => proxy.replyBytes === before + ':1\r\n'.length);
  expect([client.text, client.closed, await server.cli('GET', 'n')]).toEqual(['', 'no', '1']);
  proxy.reset();
  await waitFor('the reset', () => client.closed === 'error');
});

test('cuts in the middle of a reply, to the byte', async () => {
  const client = await open();
  await ask(client, 'PING', '+PONG\r\n');
  proxy.cutAfter(6);
  client.text = '';
  client.socket.write('INCR n\r\nINCR n\r\nINCR n\r\n');
  await waitFor('the cut', () => client.closed !== 'no');
  expect(client.text).toBe(':1\r\n:2');
  expect(await incremented('3')).toBe(true);
  await proxy.restore();
  await ask(await open(), 'PING', '+PONG\r\n');
});

test('a stalled request arrives late, after its client has gone', async () => {
  const client = await open();
  await ask(client, 'PING', '+PONG\r\n');
  proxy.stall();
  client.socket.write('INCR n\r\n');
  await new Promise((resolve) => setTimeout(resolve, 100));
  client.socket.resetAndDestroy();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await server.cli('EXISTS', 'n')).toBe('0');
  await proxy.restore();
  await waitFor('the late request', () => incremented('1'));
});

test('refuses new connections, keeps the present ones, accepts again', async () => {
  const client = await open();
  await ask(client, 'PING', '+PONG\r\n');
  await proxy.refuse();
  await expect(open()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await ask(client, 'PING', '+PONG\r\n');
  await proxy.restore();
  await ask(await open(), 'PING', '+PONG\r\n');
});
