/**
 * Ends a lost connection on its server: commands that it had received would still run when the server gets to them, and
 * a late SET would overwrite a newer one. Shared by every kind of Connection.
 */
import { systemClock } from '../base/clock.ts';
import { ReplyError } from '../formats/resp.ts';
import type { LostConnection } from './connection.ts';
import type { RedisSocket } from './socket.ts';

/** How long it is tried before a lost connection counts as not ended. */
const END_BUDGET_MS = 10_000;

/**
 * CLIENT KILL ID on a new connection to the same process, until it is confirmed or the time is up. `between` is asked
 * after each attempt that did not reach the server; true: the connection cannot change the data set any more.
 */
export async function endConnection(
  lost: LostConnection,
  open: () => Promise<RedisSocket>,
  between: () => Promise<boolean> = async () => false,
): Promise<'ended' | 'unconfirmed'> {
  const { clientId, runId } = lost;
  if (clientId === undefined || runId === undefined) return 'unconfirmed';
  const deadline = systemClock.monotonic() + END_BUDGET_MS;
  for (let wait = 20; systemClock.monotonic() < deadline; wait = Math.min(wait * 2, 500)) {
    const answer = await kill(open, clientId, runId);
    if (answer !== 'again') return answer;
    if (await between()) return 'ended';
    await systemClock.sleep(wait);
  }
  return 'unconfirmed';
}

/** CLIENT KILL ID answers how many it ended: 1, or 0 when the server had already dropped the connection. */
async function kill(
  open: () => Promise<RedisSocket>,
  clientId: number,
  runId: string,
): Promise<'ended' | 'unconfirmed' | 'again'> {
  let socket: RedisSocket;
  try {
    socket = await open();
  } catch {
    return 'again';
  }
  try {
    if (socket.runId !== runId) return 'unconfirmed';
    const reply = await socket.send(['CLIENT', 'KILL', 'ID', String(clientId)]);
    if (!(reply instanceof ReplyError)) return 'ended';
    return reply.code === 'BUSY' || reply.code === 'LOADING' ? 'again' : 'unconfirmed';
  } catch {
    return 'again';
  } finally {
    await socket.close();
  }
}
