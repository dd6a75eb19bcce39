/**
 * The marker of a transaction: a key that it writes with its other commands, so that a lost EXEC leaves a trace. It is
 * read only after the lost connection was ended on the server: before that EXEC may still run, and a marker that is not
 * there would prove nothing.
 */
import { type Bytes, toBuffer } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { OpsError } from '../base/ops-error.ts';
import { ReplyError } from '../formats/resp.ts';
import type { Target } from '../plan/target.ts';
import type { Connection, Lease } from '../redis/connection.ts';
import { type Reply, replyText } from '../redis/reply.ts';

/** What the marker says. `why` is the end of a sentence. */
export type Found = { readonly is: 'there' | 'absent' } | { readonly is: 'not_known'; readonly why: string };

/** The marker of one attempt. */
export interface Marker {
  readonly key: Bytes;
  /** Written by this attempt alone. */
  readonly id: string;
  readonly ttlMs: number;
  /** The server may drop it before it expires, so its absence proves nothing. */
  readonly evictable: boolean;
}

/** Reads what an earlier transaction left at the marker, just before MULTI. */
export function readBefore(lease: Lease, marker: Pick<Marker, 'key'> | undefined): Promise<Reply> {
  return marker ? lease.send(['GET', toBuffer(marker.key)]) : Promise.resolve(null);
}

/** Tries to read the marker, and the pause before the second; doubled after that. */
const TRIES = 6;
const PAUSE_MS = 100;
/** The server's clock may run faster than ours: an absence is believed only so long before the marker could expire. */
const MARGIN_MS = 1_000;

/** Whether the server may drop a marker before it expires: then its absence proves nothing. */
export function mayEvict({ maxmemory, maxmemory_policy }: Target['server']): boolean {
  return maxmemory > 0 && maxmemory_policy !== 'noeviction';
}

/** Reads the marker of a transaction whose EXEC was sent at `sentMs` (monotonic), after its connection was ended. `before`: what stood there before MULTI. Never rejects for what the server or the network did. */
export async function lookForMarker(
  connection: Connection,
  clock: Clock,
  { key, id, ttlMs, evictable }: Marker,
  before: Reply,
  sentMs: number,
): Promise<Found> {
  const reply = await readPatiently(connection, clock, key);
  if (reply === undefined) return { is: 'not_known', why: 'its marker could not be read' };
  const value = replyText(reply);
  if (value === id) return { is: 'there' };
  // no attempt writes the name of another one: what still stands there was not overwritten
  if (value !== undefined && value === replyText(before)) return { is: 'absent' };
  if (value !== undefined) return { is: 'not_known', why: 'somebody else has written its marker key' };
  if (reply !== null) return { is: 'not_known', why: 'its marker could not be read' };
  if (clock.monotonic() - sentMs > ttlMs - MARGIN_MS)
    return { is: 'not_known', why: 'its marker is not there, and by now it may have expired' };
  if (evictable) return { is: 'not_known', why: 'its marker is not there, and the server may have evicted it' };
  return { is: 'absent' };
}

async function readPatiently(connection: Connection, clock: Clock, key: Bytes) {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    if (attempt > 0) await clock.sleep(PAUSE_MS * 2 ** (attempt - 1));
    try {
      const reply = await connection.send(['GET', toBuffer(key)]);
      if (!(reply instanceof ReplyError)) return reply;
    } catch (error) {
      if (!(error instanceof OpsError)) throw error;
    }
  }
  return undefined;
}
