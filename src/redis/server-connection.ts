/** A Connection to one server: a shared socket for questions, leased sockets for work, and the means to end a lost one. */
import { systemClock } from '../base/clock.ts';
import { ReplyError, type WireArgument } from '../formats/resp.ts';
import type { Connection, Lease, LostConnection, Node, Pipe, SendOptions } from './connection.ts';
import { openPipe } from './pipe.ts';
import type { Reply } from './reply.ts';
import { openSocket, type RedisSocket } from './socket.ts';
import { addressOf, type ServerSettings } from './url.ts';

/** How long `end` tries before a lost connection counts as not ended. */
const END_BUDGET_MS = 10_000;

/** Connects to one server; throws OpsError unreachable, auth, server_error. */
export async function connectServer(settings: ServerSettings): Promise<Connection> {
  const connection = new ServerConnection(settings);
  await connection.open();
  return connection;
}

class ServerConnection implements Connection {
  readonly #settings: ServerSettings;
  readonly #leases = new Set<RedisSocket>();
  #shared: Promise<RedisSocket> | undefined;

  constructor(settings: ServerSettings) {
    this.#settings = settings;
  }

  /** The shared socket; a new one when the last was lost: a later command is a new command, nothing is resent. */
  async open(): Promise<RedisSocket> {
    const current = await this.#shared?.catch(() => undefined);
    if (current && !current.lost) return current;
    this.#shared = openSocket(this.#settings);
    return this.#shared;
  }

  async send(argv: readonly WireArgument[], options?: SendOptions): Promise<Reply> {
    const socket = await this.open();
    return socket.send(argv, options);
  }

  lease(): Promise<Lease> {
    return this.#open();
  }

  /** A socket of the caller's own, closed with this connection at the latest. */
  async #open(): Promise<RedisSocket> {
    const socket = await openSocket(this.#settings);
    for (const old of this.#leases) if (old.lost) this.#leases.delete(old);
    this.#leases.add(socket);
    return socket;
  }

  async pipe(): Promise<Pipe> {
    return openPipe(await this.#open());
  }

  nodes(): readonly Node[] {
    return [{ address: addressOf(this.#settings) }];
  }

  async end(lost: LostConnection): Promise<'ended' | 'unconfirmed'> {
    if (lost.clientId === undefined || lost.runId === undefined) return 'unconfirmed';
    const deadline = systemClock.monotonic() + END_BUDGET_MS;
    for (let wait = 20; systemClock.monotonic() < deadline; wait = Math.min(wait * 2, 500)) {
      const answer = await this.#kill(lost.clientId, lost.runId);
      if (answer !== 'again') return answer;
      await systemClock.sleep(wait);
    }
    return 'unconfirmed';
  }

  async close(): Promise<void> {
    const shared = await this.#shared?.catch(() => undefined);
    await shared?.close();
    for (const lease of this.#leases) await lease.close();
    this.#leases.clear();
  }

  /** CLIENT KILL ID answers how many it ended: 1, or 0 when the server had already dropped the connection. */
  async #kill(clientId: number, runId: string): Promise<'ended' | 'unconfirmed' | 'again'> {
    let socket: RedisSocket;
    try {
      socket = await openSocket(this.#settings);
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
}
