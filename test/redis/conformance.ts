/** What every Connection keeps, whatever stands behind it; the files that call this say which implementation. */
import { expect, it } from 'vitest';
import { slotOf } from '../../src/catalog/slots.ts';
import { ReplyError } from '../../src/formats/resp.ts';
import { type Connection, LostConnection } from '../../src/redis/connection.ts';
import { replyText } from '../../src/redis/reply.ts';

/** The running server or cluster, as the tests need it. */
export interface Subject {
  /** redis-cli, which follows redirections in a cluster. */
  cli(...args: string[]): Promise<string>;
  /** redis-cli on the node at this address (host:port). */
  at(address: string, ...args: string[]): Promise<string>;
  /** Of the nodes that take writes. */
  readonly addresses: readonly string[];
}

/** Where the keys of these tests are. */
const route = { slot: slotOf('{t}') };

/** Registers the tests. `open` connects to the subject. */
export function conforms(server: () => Subject, open: () => Promise<Connection>): void {
  it('answers reads with bytes as they are', async () => {
    const connection = await open();
    const value = Buffer.from([0, 255, 13, 10, 128]);
    await server().cli('eval', "return redis.call('set', KEYS[1], string.char(0, 255, 13, 10, 128))", '1', 'bytes');
    expect(await connection.send(['GET', 'bytes'])).toEqual(value);
    expect(await connection.send(['GET', Buffer.from('bytes')])).toEqual(value);
    await connection.close();
  });

  it('gives replies in the order of the commands', async () => {
    const connection = await open();
    await server().cli('mset', '{t}a', '1', '{t}b', '2', '{t}c', '3');
    const lease = await connection.lease(route);
    const replies = await Promise.all(
      ['{t}a', '{t}b', '{t}c', '{t}none', '{t}a'].map((key) => lease.send(['GET', key])),
    );
    expect(replies.map((reply) => (reply === null ? null : replyText(reply)))).toEqual(['1', '2', '3', null, '1']);
    await connection.close();
  });

  it('gives an error reply as a value, and goes on', async () => {
    const connection = await open();
    await server().cli('del', 'list');
    await server().cli('rpush', 'list', 'x');
    const [wrong, right] = await Promise.all([connection.send(['GET', 'list']), connection.send(['LLEN', 'list'])]);
    expect(wrong).toBeInstanceOf(ReplyError);
    expect((wrong as ReplyError).code).toBe('WRONGTYPE');
    expect(right).toBe(1);
    await connection.close();
  });

  it('leases connections that share nothing, each with its CLIENT ID and run_id', async () => {
    const connection = await open();
    const [one, two] = await Promise.all([connection.lease(route), connection.lease(route)]);
    expect(one.clientId).toBeTypeOf('number');
    expect(one.clientId).not.toBe(two.clientId);
    expect(await one.send(['CLIENT', 'ID'])).toBe(one.clientId);
    expect(one.runId).toBe(/run_id:(\w+)/.exec(await server().at(one.node.address, 'info', 'server'))?.[1]);
    expect(one.runId).toBe(two.runId);
    await connection.close();
  });

  it('rejects what is outstanding on a connection that the server ends, says it was sent, and never reconnects it', async () => {
    const connection = await open();
    const lease = await connection.lease(route);
    const waiting = lease.send(['PING']).then(() => lease.send(['CLIENT', 'ID']));
    await waiting;
    await server().at(lease.node.address, 'client', 'kill', 'id', String(lease.clientId));
    const failure = await lease.send(['GET', '{t}a']).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LostConnection);
    expect((failure as LostConnection).clientId).toBe(lease.clientId);
    expect(lease.lost).toBe(true);
    const later = await lease.send(['GET', '{t}a']).catch((error: unknown) => error);
    expect((later as LostConnection).sent).toBe(false);
    expect(replyText((await connection.send(['PING']))!)).toBe('PONG');
    await connection.close();
  });

  it('opens nothing any more once it is closed, and leaves nothing of what was being opened', async () => {
    const connection = await open();
    const opening = [connection.lease(route), connection.pipe(route)];
    const closing = connection.close();
    const late = [connection.lease(route), connection.pipe(route), connection.send(['PING'])];
    const ends = await Promise.allSettled([...opening, ...late]);
    await closing;
    expect(ends.slice(2).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const lists = server().addresses.map((address) => server().at(address, 'client', 'list', 'type', 'normal'));
    expect((await Promise.all(lists)).join('\n')).not.toContain('name=redops');
  });

  it('confirms that a lost connection is ended', async () => {
    const connection = await open();
    const lease = await connection.lease(route);
    const { clientId, runId, node } = lease;
    const lost = new LostConnection('connection_lost', 'as if', { sent: true, clientId, runId, node });
    expect(await connection.end(lost)).toBe('ended');
    await expect(lease.send(['PING'])).rejects.toBeInstanceOf(LostConnection);
    expect(await connection.end(lost)).toBe('ended'); // already gone is ended too
    const other = new LostConnection('connection_lost', 'as if', { sent: true, clientId, runId: 'f'.repeat(40), node });
    expect(await connection.end(other)).toBe('unconfirmed');
    await connection.close();
  });

  it('pipes whole batches, replies in order', async () => {
    const connection = await open();
    await server().cli('mset', '{t}a', '1', '{t}b', '2');
    const pipe = await connection.pipe(route);
    pipe.write([
      ['GET', '{t}a'],
      ['GET', '{t}none'],
    ]);
    pipe.write([['GET', '{t}b']]);
    const replies = [];
    while (replies.length < 3) replies.push(...(await pipe.read()));
    expect(replies).toEqual(['1', null, '2']);
    expect([pipe.inFlight, pipe.lost]).toEqual([0, false]);
    await connection.close();
  });

  it('names the nodes that take writes, and the one that serves a slot', async () => {
    const connection = await open();
    expect(connection.nodes().map((node) => node.address)).toEqual(server().addresses);
    await connection.refresh();
    const lease = await connection.lease(route);
    expect(connection.nodeOf(route.slot)).toEqual(lease.node);
    expect(server().addresses).toContain(lease.node.address);
    await connection.close();
  });
}
