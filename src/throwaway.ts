/**
 * The way to a server that is only there to be shown around in: starts one, and loads it with data. A sibling of the
 * facade (agent.ts) for the demo alone, since what it sends has no plan; nothing else may go this way.
 */
import { printable } from './base/bytes.ts';
import { OpsError } from './base/ops-error.ts';
import { ReplyError } from './formats/resp.ts';
import { replyInteger, replyText } from './redis/reply.ts';
import { openSocket } from './redis/socket.ts';
import { startThrowaway, type Throwaway } from './redis/throwaway.ts';
import { parseUrl } from './redis/url.ts';

/** A running server of the demo's own, with the URL that reaches it. */
export interface DemoServer extends Pick<Throwaway, 'pid' | 'dir' | 'stop' | 'killSync'> {
  readonly url: string;
}

/** A raw connection for loading data and reading counters. */
export interface Wire {
  /** Sends every command, some thousand in flight, and returns how many. Throws OpsError at the first error reply; stops early, with what is sent, when aborted. */
  load(commands: Iterable<readonly string[]>, signal?: AbortSignal): Promise<number>;
  /** Sends one command: the text or integer of its reply, null for any other reply. Throws OpsError on an error reply. */
  ask(...argv: readonly string[]): Promise<string | number | null>;
  close(): Promise<void>;
}

/** Starts redis-server or valkey-server (a path) on a free port of 127.0.0.1, with nothing persistent. Throws OpsError unreachable. */
export async function startDemoServer(path: string): Promise<DemoServer> {
  const server = await startThrowaway({ server: path });
  return { ...server, url: `redis://127.0.0.1:${server.port}` };
}

/** Opens a raw connection. Throws OpsError unreachable, auth, usage, unsupported. */
export async function openWire(url: string): Promise<Wire> {
  const socket = await openSocket(parseUrl(url));
  const send = async (argv: readonly string[]): Promise<string | number | null> => {
    const reply = await socket.send(argv);
    if (reply instanceof ReplyError) throw refusal(argv, reply);
    return replyInteger(reply) ?? replyText(reply) ?? null;
  };
  return {
    ask: (...argv) => send(argv),
    load: async (commands, signal) => {
      let count = 0;
      const flights: Promise<unknown>[] = [];
      for (const chunk of chunks(commands, chunkBytes)) {
        if (signal?.aborted) break;
        count += chunk.length;
        flights.push(Promise.all(chunk.map(send)));
        if (flights.length === flightsAtMost) await flights.shift();
      }
      await Promise.all(flights);
      return count;
    },
    close: () => socket.close(),
  };
}

/** A write of this size is worth its system call; four of them keep the server busy while replies are read. */
const chunkBytes = 32 * 1024;
const flightsAtMost = 4;

function* chunks(commands: Iterable<readonly string[]>, bytes: number): Generator<(readonly string[])[]> {
  let chunk: (readonly string[])[] = [];
  let size = 0;
  for (const argv of commands) {
    chunk.push(argv);
    for (const word of argv) size += word.length + 8;
    if (size < bytes) continue;
    yield chunk;
    chunk = [];
    size = 0;
  }
  if (chunk.length > 0) yield chunk;
}

function refusal(argv: readonly string[], reply: ReplyError): OpsError {
  return new OpsError('server_error', `${printable(argv[0] ?? '')} was refused: ${reply.message}`, {
    reply: reply.code,
  });
}
