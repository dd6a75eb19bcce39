/**
 * MONITOR for a bounded time. The server copies every command of every client to whoever asked, and keeps in memory what
 * is not read in time: so the feed ends at a time, at a count, and as soon as it falls behind.
 */
import { invariant } from '../base/assert.ts';
import { systemClock } from '../base/clock.ts';
import { OpsError } from '../base/ops-error.ts';
import { type MonitorCommand, monitorLine } from '../formats/monitor-reader.ts';
import { type Decoded, encodeCommands, ReplyError } from '../formats/resp.ts';
import type { Connection } from './connection.ts';
import { RedisSocket } from './socket.ts';

/** When a feed ends. */
export interface MonitorBounds {
  readonly ms: number;
  readonly commands: number;
  readonly signal?: AbortSignal;
}

/** How a feed ended: at its bounds, because it fell behind the server, because the connection was lost, or by the caller. */
export type MonitorEnd = 'time' | 'count' | 'behind' | 'lost' | 'interrupted';

/** A feed may be so far behind the server, measured against its own best, before it is ended. */
const mostBehindMs = 2_000;

/** Runs MONITOR on every node that takes writes, and hands over each command as it comes. Rejects with OpsError server_error where it is refused. */
export async function monitor(
  connection: Connection,
  bounds: MonitorBounds,
  take: (command: MonitorCommand) => void,
): Promise<MonitorEnd> {
  const sockets: RedisSocket[] = [];
  let timer: NodeJS.Timeout | undefined;
  try {
    for (const { address } of connection.nodes()) {
      const lease = await connection.lease({ address });
      invariant(lease instanceof RedisSocket, 'a lease is a socket');
      sockets.push(lease);
    }
    return await new Promise<MonitorEnd>((end, fail) => {
      timer = setTimeout(() => end('time'), bounds.ms);
      bounds.signal?.addEventListener('abort', () => end('interrupted'), { once: true });
      if (bounds.signal?.aborted) end('interrupted');
      const feed = createFeed(bounds, take, end);
      for (const socket of sockets) follow(socket, feed, end, fail);
    });
  } finally {
    clearTimeout(timer);
    for (const socket of sockets) await socket.close();
  }
}

/** Takes the lines of a feed: counts them, and ends at the count or when they come too late. */
export function createFeed(
  bounds: MonitorBounds,
  take: (command: MonitorCommand) => void,
  end: (how: MonitorEnd) => void,
  now: () => number = systemClock.now,
): (text: string) => void {
  let seen = 0;
  let bestLag = Number.POSITIVE_INFINITY;
  return (text) => {
    const command = monitorLine(text);
    if (!command || seen >= bounds.commands) return;
    seen += 1;
    take({ ...command, line: seen });
    // the two clocks may differ: only what the lag grows by counts
    const lag = now() - command.atMs;
    bestLag = Math.min(bestLag, lag);
    if (lag - bestLag > mostBehindMs) end('behind');
    if (seen >= bounds.commands) end('count');
  };
}

function follow(
  socket: RedisSocket,
  feed: (text: string) => void,
  end: (how: MonitorEnd) => void,
  fail: (error: unknown) => void,
): void {
  const write = socket.divert({
    reply: (value: Decoded) => {
      if (typeof value === 'string') return feed(value);
      if (!(value instanceof ReplyError)) return;
      const remedy = 'The user needs the right to run MONITOR; a capture can be made elsewhere and linted as a file.';
      fail(
        new OpsError('server_error', `${socket.node.address} refuses MONITOR: ${value.message}`, {
          reply: value.code,
          remedy,
        }),
      );
    },
    lost: () => end('lost'),
  });
  write(encodeCommands([['MONITOR']]), () => {});
}
