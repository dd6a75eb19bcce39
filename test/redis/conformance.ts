/** What every Connection keeps, whatever stands behind it; the files that call this say which implementation. */
import { expect, it } from 'vitest';
import { ReplyError } from '../../src/formats/resp.ts';
import { type Connection, LostConnection } from '../../src/redis/connection.ts';
import { replyText } from '../../src/redis/reply.ts';
import type { TestServer } from '../support/servers.ts';

/** Registers the tests. `open` connects to the running server. */
export function conforms(server: () => TestServer, open: () => Promise<Connection>): void {
  it('answers reads with bytes as they are', async () => {
    const connection = await open();
    const value = Buffer.from([0, 255, 13, 10, 128]);
    await server().cli('eval', "return redis.call('set', 'bytes', string.char(0, 255, 13, 10, 128))", '0');
    expect(await connection.send(['GET', 'bytes'])).toEqual(value);
    expect(await connection.send(['GET', Buffer.from('bytes')])).toEqual(value);
    await connection.close();
  });

  it('gives replies in the order of the commands', async () => {
    const connection = await open();
    await server().cli('mset', 'a', '1', 'b', '2', 'c', '3');
    const lease = await connection.lease();
    const replies = await Promise.all(['a', 'b', 'c', 'none', 'a'].map((key) => lease.send(['GET', key])));
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
    const [one, two] = await Promise.all([connection.lease(), connection.lease()]);
    expect(one.clientId).toBeTypeOf('number');
    expect(one.clientId).not.toBe(two.clientId);
    expect(await one.send(['CLIENT', 'ID'])).toBe(one.clientId);
    expect(one.runId).toBe(/run_id:(\w+)/.exec(await server().cli('info', 'server'))?.[1]);
    expect(one.runId).toBe(two.runId);
    await connection.close();
  });

  it('rejects what is outstanding on a connection that the server ends, says it was sent, and never reconnects it', async () => {
    const connection = await open();
    const lease = await connection.lease();
    const waiting = lease.send(['PING']).then(() => lease.send(['CLIENT', 'ID']));
    await waiting;
    await server().cli('client', 'kill', 'id', String(lease.clientId));
    const failure = await lease.send(['GET', 'a']).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LostConnection);
    expect((failure as LostConnection).clientId).toBe(lease.clientId);
    expect(lease.lost).toBe(true);
    const later = await lease.send(['GET', 'a']).catch((error: unknown) => error);
    expect((later as LostConnection).sent).toBe(false);
    expect(replyText((await connection.send(['PING']))!)).toBe('PONG');
    await connection.close();
  });

  it('confirms that a lost connection is ended', async () => {
    const connection = await open();
    const lease = await connection.lease();
    const { clientId, runId } = lease;
    const lost = new LostConnection('connection_lost', 'as if', { sent: true, clientId, runId });
    expect(await connection.end(lost)).toBe('ended');
    await expect(lease.send(['PING'])).rejects.toBeInstanceOf(LostConnection);
    expect(await connection.end(lost)).toBe('ended'); // already gone is ended too
    const other = new LostConnection('connection_lost', 'as if', { sent: true, clientId, runId: 'f'.repeat(40) });
    expect(await connection.end(other)).toBe('unconfirmed');
    await connection.close();
  });

  it('names the node that takes writes', async () => {
    const connection = await open();
    expect(connection.nodes().map((node) => node.address)).toEqual([`127.0.0.1:${server().port}`]);
    await connection.close();
  });
}
