/**
 * A Connection to the primary that Sentinels announce. Every connection is opened to the server that a majority names at
 * that moment, and a holder that worked on another one is told so by `confirm`. ROLE and run_id alone prove nothing: a
 * primary that was replaced while it was paused wakes up with both unchanged.
 */
import { systemClock } from '../base/clock.ts';
import { OpsError } from '../base/ops-error.ts';
import type { WireArgument } from '../formats/resp.ts';
import { confirmedLease, confirmedPipe } from './confirmed.ts';
import type { Connection, Lease, LostConnection, Node, Pipe, Route, SendOptions } from './connection.ts';
import { endConnection } from './ending.ts';
import type { Reply } from './reply.ts';
import { closeKept, reuse } from './reuse.ts';
import { Sentinels } from './sentinels.ts';
import { openSocket, openWhile, type RedisSocket } from './socket.ts';
import { addressOf, type SentinelSettings, type ServerSettings, settingsOfNode } from './url.ts';

/** How long the announced primary may call itself a replica: Sentinels announce it a moment before it knows. */
const PROMOTION_MS = 5_000;
/** To end a connection on a server that may be paused, so long is waited for it. */
const END_CONNECT_MS = 1_000;

/** Connects to the primary of the service. Throws OpsError unreachable, auth, server_error. */
export async function connectSentinel(settings: ServerSettings, sentinel: SentinelSettings): Promise<Connection> {
  const connection = new SentinelConnection(settings, sentinel);
  try {
    await connection.open();
  } catch (error) {
    await connection.close();
    throw error;
  }
  return connection;
}

class SentinelConnection implements Connection {
  /** Those of the servers; the address is that of the first Sentinel, and is replaced. */
  readonly #settings: ServerSettings;
  readonly #service: string;
  readonly #sentinels: Sentinels;
  readonly #open = new Set<RedisSocket>();
  readonly #shared = new Map<string, Promise<Lease>>();
  /** run_id of the process that was last met at an address. */
  readonly #processes = new Map<string, string | undefined>();
  #primary: Node;
  #closed = false;

  constructor(settings: ServerSettings, sentinel: SentinelSettings) {
    this.#settings = settings;
    this.#service = sentinel.service;
    this.#sentinels = new Sentinels(settings, sentinel);
    this.#primary = { address: addressOf(settings) };
  }

  /** The shared connection; a new one, to the primary of that moment, when the last was lost. */
  open(): Promise<Lease> {
    return reuse(this.#shared, '', () => this.lease());
  }

  async send(argv: readonly WireArgument[], options?: SendOptions): Promise<Reply> {
    return (await this.open()).send(argv, options);
  }

  async lease(route: Route = {}): Promise<Lease> {
    return confirmedLease(await this.#reach(route), this.#check);
  }

  async pipe(route: Route = {}): Promise<Pipe> {
    return confirmedPipe(await this.#reach(route), this.#check);
  }

  nodes(): readonly Node[] {
    return [this.#primary];
  }

  nodeOf(): Node | undefined {
    return this.#primary;
  }

  async refresh(): Promise<void> {
    await this.#sentinels.primary();
  }

  async confirm(runId: string): Promise<void> {
    const address = await this.#sentinels.primary();
    if (runId === '' || this.#processes.get(address) === runId) return;
    throw this.#moved(address);
  }

  /** Once a majority names another primary, what the old one still runs is discarded when it follows that one. */
  end(lost: LostConnection): Promise<'ended' | 'unconfirmed'> {
    const address = lost.node?.address;
    if (address === undefined) return Promise.resolve('unconfirmed');
    const settings = { ...settingsOfNode(this.#settings, address), connectTimeoutMs: END_CONNECT_MS };
    return endConnection(
      lost,
      () => openSocket(settings),
      async () => {
        const now = await this.#sentinels.primary().catch(() => undefined);
        return now !== undefined && now !== address;
      },
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    await closeKept(this.#shared);
    for (const socket of this.#open) await socket.close();
    this.#open.clear();
    await this.#sentinels.close();
  }

  readonly #check = async (address: string): Promise<void> => {
    const now = await this.#sentinels.primary();
    if (now !== address) throw this.#moved(now);
  };

  /** A socket to the primary of this moment. One that calls itself a replica is none yet, or none any more. */
  async #reach({ name }: Route): Promise<RedisSocket> {
    const begun = systemClock.monotonic();
    for (;;) {
      const address = await this.#sentinels.primary();
      const settings = settingsOfNode(this.#settings, address);
      const named = name === undefined ? settings : { ...settings, clientName: name };
      const socket = await openWhile(() => !this.#closed, named);
      if (socket.role !== 'replica' && socket.role !== 'slave') return this.#keep(socket);
      await socket.close();
      if (systemClock.monotonic() - begun > PROMOTION_MS) throw stillReplica(address);
      await systemClock.sleep(100);
    }
  }

  #keep(socket: RedisSocket): RedisSocket {
    for (const old of this.#open) if (old.lost) this.#open.delete(old);
    this.#open.add(socket);
    this.#primary = socket.node;
    this.#processes.set(socket.node.address, socket.runId);
    return socket;
  }

  #moved(address: string): OpsError {
    return new OpsError(
      'drift',
      `the Sentinels name another primary of ${JSON.stringify(this.#service)} now: ${address}`,
      {
        remedy:
          'What the old one acknowledged last may be lost with it. Look at the data; resume the run where it is a job, else plan again.',
      },
    );
  }
}

function stillReplica(address: string): OpsError {
  return new OpsError('unreachable', `the Sentinels name ${address} as the primary, and it is a replica`, {
    remedy:
      'Wait until the failover is over; if it stays so, check the Sentinels (SENTINEL CKQUORUM) and INFO replication.',
  });
}
