/** What a marker may prove, by what stands there and when it is read. */
import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../base/clock.ts';
import { ReplyError } from '../formats/resp.ts';
import { type Connection, LostConnection } from '../redis/connection.ts';
import type { Reply } from '../redis/reply.ts';
import { lookForMarker } from './marker.ts';

const marker = { key: 'm', id: 'run/2', ttlMs: 60_000, evictable: false };

/** Answers GET with these, one after the other, the last one again and again. */
function answering(replies: readonly (Reply | Error)[]): Connection {
  let at = 0;
  const send = async (): Promise<Reply> => {
    const reply = replies[Math.min(at, replies.length - 1)]!;
    at += 1;
    if (reply instanceof LostConnection) throw reply;
    return reply as Reply;
  };
  return { send } as unknown as Connection;
}

const clockAt = (ms: number): Clock => ({ ...systemClock, monotonic: () => ms, sleep: async () => undefined });
const look = (replies: readonly (Reply | Error)[], before: Reply = null, ms = 0, evictable = false) =>
  lookForMarker(answering(replies), clockAt(ms), { ...marker, evictable }, before, 0);
const lost = new LostConnection('connection_lost', 'gone', { sent: true, clientId: 1, runId: 'r' });

describe('a marker', () => {
  it.each<[string, Reply, Reply, string]>([
    ['its own name', 'run/2', null, 'there'],
    ['its own name after another one', 'run/2', 'run/1', 'there'],
    ['nothing', null, null, 'absent'],
    ['what was there before', 'run/1', 'run/1', 'absent'],
    ['nothing, after something that expired', null, 'run/1', 'absent'],
    ['what nobody knows', 'other/1', null, 'not_known'],
    ['what came after what was there before', 'other/1', 'run/1', 'not_known'],
  ])('that holds %s', async (_, now, before, is) => {
    expect(await look([now], before)).toMatchObject({ is });
  });

  it('proves nothing by its absence once it may have expired, and much by its presence', async () => {
    expect(await look([null], null, 58_999)).toEqual({ is: 'absent' });
    expect(await look([null], null, 59_001)).toMatchObject({
      is: 'not_known',
      why: expect.stringContaining('expired'),
    });
    expect(await look(['run/2'], null, 59_001)).toEqual({ is: 'there' });
  });

  it('proves nothing by its absence where it may have been evicted', async () => {
    expect(await look([null], null, 0, true)).toMatchObject({
      is: 'not_known',
      why: expect.stringContaining('evicted'),
    });
    expect(await look(['run/2'], null, 0, true)).toEqual({ is: 'there' });
  });

  it('is asked for again after a refusal or a lost connection, and not without end', async () => {
    const loading = new ReplyError('LOADING Redis is loading the dataset in memory');
    expect(await look([lost, loading, 'run/2'])).toEqual({ is: 'there' });
    expect(await look([loading])).toMatchObject({ is: 'not_known', why: 'its marker could not be read' });
  });
});
