/**
 * A throwaway server that scripts are tried on. A script that does not end is killed, and where it cannot be, since it
 * has written, the server itself is: the next test gets a new one. Nothing waits without a bound.
 */
import { OpsError } from '../base/ops-error.ts';
import { type Decoded, ReplyError, type WireArgument } from '../formats/resp.ts';
import { inspectServer } from '../inspect/info.ts';
import { openSocket, type RedisSocket } from '../redis/socket.ts';
import { startThrowaway, type Throwaway } from '../redis/throwaway.ts';
import { parseUrl } from '../redis/url.ts';

/** How a call ended: with a reply, or not in time; then `words` say what was done about it. */
export type Called =
  | { readonly end: 'reply'; readonly reply: Decoded; readonly elapsedMs: number }
  | { readonly end: 'late'; readonly words: string };

/** A running server of one program. */
export interface TestServer {
  /** Engine and version as the server tells them: "redis 7.0.15". */
  readonly name: string;
  /** Sends a command that is answered at once. Throws OpsError when the connection is lost. */
  socket(): Promise<RedisSocket>;
  /** Calls a script or a function, at most so many ms. Throws OpsError when the connection is lost. */
  call(argv: readonly WireArgument[], kill: 'SCRIPT' | 'FUNCTION', timeoutMs: number): Promise<Called>;
  stop(): Promise<void>;
  /** The same at once, for a process's exit. */
  killSync(): void;
}

/** From when on a busy server answers others, in ms: SCRIPT KILL is heard only then. The name is older than 7.0 and still taken. */
const busyAfterMs = '50';
/** How long a killed script may take to end, in ms. */
const killMs = 2_000;

/** Starts redis-server or valkey-server (a path, or a name on PATH). Throws OpsError unreachable. */
export async function startTestServer(program: string): Promise<TestServer> {
  let running = await start(program);
  const name = await nameOf(running.socket);
  const alive = async (): Promise<RedisSocket> => {
    if (!running.socket.lost) return running.socket;
    running.throwaway.killSync();
    running = await start(program);
    return running.socket;
  };
  return {
    name,
    socket: alive,
    async call(argv, kill, timeoutMs) {
      const socket = await alive();
      const started = performance.now();
      const call = socket.send(argv, { timeoutMs: timeoutMs + killMs * 2 });
      const reply = await within(call, timeoutMs);
      if (reply !== undefined) return { end: 'reply', reply, elapsedMs: performance.now() - started };
      const killed = (await killScript(running.throwaway.port, kill)) && (await within(call, killMs)) !== undefined;
      if (killed) return { end: 'late', words: `did not end within ${timeoutMs} ms: it was killed` };
      running.throwaway.killSync();
      await socket.close();
      return { end: 'late', words: `did not end within ${timeoutMs} ms, and had written: its server was stopped` };
    },
    async stop() {
      await running.socket.close();
      await running.throwaway.stop();
    },
    killSync: () => running.throwaway.killSync(),
  };
}

interface Running {
  readonly throwaway: Throwaway;
  readonly socket: RedisSocket;
}

async function start(program: string): Promise<Running> {
  const throwaway = await startThrowaway({ server: program, args: ['--lua-time-limit', busyAfterMs] });
  try {
    return { throwaway, socket: await openSocket(parseUrl(urlOf(throwaway.port))) };
  } catch (error) {
    await throwaway.stop();
    throw error;
  }
}

async function nameOf(socket: RedisSocket): Promise<string> {
  const { server } = await inspectServer(socket, { database: 0, loopback: true });
  return `${server.engine} ${server.version}`;
}

function urlOf(port: number): string {
  return `redis://127.0.0.1:${port}`;
}

/** Whether the server said that it ends the script; false when it may not (UNKILLABLE) or does not answer. */
async function killScript(port: number, kill: 'SCRIPT' | 'FUNCTION'): Promise<boolean> {
  try {
    const socket = await openSocket({ ...parseUrl(urlOf(port)), connectTimeoutMs: killMs });
    try {
      const reply = await socket.send([kill, 'KILL'], { timeoutMs: killMs });
      return !(reply instanceof ReplyError);
    } finally {
      await socket.close();
    }
  } catch (error) {
    if (error instanceof OpsError) return false;
    throw error;
  }
}

/** What the promise gives, or undefined after so many ms. A reply is never undefined. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
