/** A Connection to one server: a shared socket for questions, leased sockets for work, and the means to end a lost one. */
import type { WireArgument } from '../formats/resp.ts';
import type { Connection, Lease, LostConnection, Node, Pipe, Route, SendOptions } from './connection.ts';
import { endConnection } from './ending.ts';
import { openPipe } from './pipe.ts';
import type { Reply } from './reply.ts';
import { closeKept, reuse } from './reuse.ts';
import { openSocket, openWhile, type RedisSocket } from './socket.ts';
import { addressOf, type ServerSettings } from './url.ts';

/** Connects to one server, also to a cluster's node alone; throws OpsError unreachable, auth, server_error. */
export async function connectServer(settings: ServerSettings, first?: RedisSocket): Promise<Connection> {
  const connection = new ServerConnection(settings, first);
  await connection.open();
  return connection;
}

class ServerConnection implements Connection {
  readonly #settings: ServerSettings;
  readonly #leases = new Set<RedisSocket>();
  readonly #shared = new Map<string, Promise<RedisSocket>>();
  #closed = false;

  constructor(settings: ServerSettings, first: RedisSocket | undefined) {
    this.#settings = settings;
    if (first) this.#shared.set('', Promise.resolve(first));
  }

  /** The shared socket; a new one when the last was lost: a later command is a new command, nothing is resent. */
  open(): Promise<RedisSocket> {
    return reuse(this.#shared, '', () => openWhile(() => !this.#closed, this.#settings));
  }

  async send(argv: readonly WireArgument[], options?: SendOptions): Promise<Reply> {
    const socket = await this.open();
    return socket.send(argv, options);
  }

  lease(route: Route = {}): Promise<Lease> {
    return this.#open(route);
  }

  /** A socket of the caller's own, closed with this connection at the latest. */
  async #open({ name }: Route): Promise<RedisSocket> {
    const settings = name === undefined ? this.#settings : { ...this.#settings, clientName: name };
    const socket = await openWhile(() => !this.#closed, settings);
    for (const old of this.#leases) if (old.lost) this.#leases.delete(old);
    this.#leases.add(socket);
    return socket;
  }

  async pipe(route: Route = {}): Promise<Pipe> {
    return openPipe(await this.#open(route));
  }

  nodes(): readonly Node[] {
    return [{ address: addressOf(this.#settings) }];
  }

  nodeOf(): Node | undefined {
    return this.nodes()[0];
  }

  /** One server serves everything. */
  async refresh(): Promise<void> {}

  /** The server that was named is meant, whatever others make of it. */
  async confirm(): Promise<void> {}

  end(lost: LostConnection): Promise<'ended' | 'unconfirmed'> {
    return endConnection(lost, () => openSocket(this.#settings));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await closeKept(this.#shared);
    for (const lease of this.#leases) await lease.close();
    this.#leases.clear();
  }
}
