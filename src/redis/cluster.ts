/**
 * A Connection to a cluster: the map of its slots, one shared socket to each node for questions, leased sockets for work.
 * A command goes to the node of its keys. A redirection is no failure: the command was not applied, so the map is
 * refreshed and it goes where the reply says. Connections are never resent on; they lead to one node for their life.
 */
import { OpsError } from '../base/ops-error.ts';
import type { WireArgument } from '../formats/resp.ts';
import { type ClusterMap, type ClusterNode, type ClusterView, clusterView, mergeViews } from './cluster-map.ts';
import type { Connection, Lease, LostConnection, Node, Pipe, Route, SendOptions } from './connection.ts';
import { endConnection } from './ending.ts';
import { openPipe } from './pipe.ts';
import { sendRouted } from './redirect.ts';
import type { Reply } from './reply.ts';
import { closeKept, reuse } from './reuse.ts';
import { openSocket, openWhile, type RedisSocket } from './socket.ts';
import { addressOf, type ServerSettings, settingsOfNode } from './url.ts';

/** A node that does not tell its view within this is left out of a refresh. */
const VIEW_TIMEOUT_MS = 2_000;
/** Nodes asked in one refresh: primaries first. */
const VIEWS = 9;

/** Connects to the cluster that the settings name by one or several nodes. Throws OpsError unreachable, auth, server_error, unsupported. */
export async function connectCluster(settings: ServerSettings): Promise<Connection> {
  const connection = new ClusterConnection(settings);
  try {
    await connection.open();
  } catch (error) {
    await connection.close();
    throw error;
  }
  return connection;
}

class ClusterConnection implements Connection {
  readonly #settings: ServerSettings;
  readonly #seeds: readonly string[];
  readonly #shared = new Map<string, Promise<RedisSocket>>();
  readonly #leases = new Set<RedisSocket>();
  #map: ClusterMap = { nodes: new Map(), owners: [] };
  #primaries: readonly Node[] = [];
  #byId = new Map<string, Node>();
  #refreshing: Promise<void> | undefined;
  #closed = false;

  constructor(settings: ServerSettings) {
    this.#settings = settings;
    this.#seeds = (settings.cluster ?? [settings.address]).map((address) => addressOf({ address }));
  }

  /** Learns the map from the first seed that answers; a seed that is not a cluster's node is refused. */
  async open(): Promise<void> {
    let problem: unknown;
    for (const address of this.#seeds) {
      try {
        const socket = await this.#socket({ address });
        if (socket.mode !== undefined && socket.mode !== 'cluster') throw notCluster(address, socket.mode);
        this.#learn([await this.#view({ address })]);
        return await this.refresh();
      } catch (error) {
        problem ??= error;
        if (!(error instanceof OpsError) || error.code !== 'unreachable') throw error;
      }
    }
    throw problem;
  }

  send(argv: readonly WireArgument[], options?: SendOptions): Promise<Reply> {
    const open = async (route: Route): Promise<RedisSocket> => this.#socket(await this.#find(route));
    return sendRouted(open, () => this.refresh(), argv, options);
  }

  lease(route: Route = {}): Promise<Lease> {
    return this.#reach(route);
  }

  async pipe(route: Route = {}): Promise<Pipe> {
    return openPipe(await this.#reach(route));
  }

  nodes(): readonly Node[] {
    return this.#primaries;
  }

  nodeOf(slot: number): Node | undefined {
    const id = this.#map.owners[slot];
    return id === undefined ? undefined : this.#byId.get(id);
  }

  /** Every node that can be reached is asked, several callers at once share one answer. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#ask().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** Nodes that took over are met by their slots; see Session.concerns. */
  async confirm(): Promise<void> {}

  /** What a node still runs after another has taken over all its slots is discarded when it follows: the lost commands cannot come late. */
  end(lost: LostConnection): Promise<'ended' | 'unconfirmed'> {
    const { node } = lost;
    if (!node) return Promise.resolve('unconfirmed');
    return endConnection(
      lost,
      () => openSocket(settingsOfNode(this.#settings, node.address), node),
      async () => {
        await this.refresh().catch(() => undefined);
        return node.id !== undefined && !this.#map.owners.includes(node.id);
      },
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    await closeKept(this.#shared);
    for (const lease of this.#leases) await lease.close();
    this.#leases.clear();
  }

  /** A socket of the caller's own. A node that is gone may have been replaced: the map is asked, once. */
  async #reach(route: Route): Promise<RedisSocket> {
    const node = await this.#find(route);
    try {
      return await this.#own(node, route.name);
    } catch (error) {
      if (route.address !== undefined || !(error instanceof OpsError) || error.code !== 'unreachable') throw error;
      await this.refresh();
      const next = await this.#find(route);
      if (next.address === node.address) throw error;
      return this.#own(next, route.name);
    }
  }

  async #own(node: Node, name?: string): Promise<RedisSocket> {
    const socket = await this.#open(node, name);
    for (const old of this.#leases) if (old.lost) this.#leases.delete(old);
    this.#leases.add(socket);
    return socket;
  }

  async #find(route: Route): Promise<Node> {
    if (route.address !== undefined) return this.#named(route.address);
    const known = this.#serving(route);
    if (known) return known;
    await this.refresh();
    const found = this.#serving(route);
    if (found) return found;
    throw new OpsError('server_error', `no node of the cluster serves slot ${route.slot ?? 'any'}`, {
      reply: 'CLUSTERDOWN',
      remedy: 'Repair the cluster: redis-cli --cluster check.',
    });
  }

  #serving(route: Route): Node | undefined {
    return route.slot === undefined ? this.#primaries[0] : this.nodeOf(route.slot);
  }

  #named(address: string): Node {
    return [...this.#byId.values()].find((node) => node.address === address) ?? { address };
  }

  #open(node: Node, clientName = this.#settings.clientName): Promise<RedisSocket> {
    const settings = { ...settingsOfNode(this.#settings, node.address), clientName };
    return openWhile(() => !this.#closed, settings, node);
  }

  /** The shared socket of a node; a new one when the last was lost. */
  #socket(node: Node): Promise<RedisSocket> {
    return reuse(this.#shared, node.address, () => this.#open(node));
  }

  async #ask(): Promise<void> {
    const known = [...this.#map.nodes.values()].filter((node) => !node.down && !node.handshake);
    const addresses = known.sort(primariesFirst).map((node) => node.address);
    const asked = [...new Set(addresses)].slice(0, VIEWS);
    const views = await this.#views(asked);
    const others = this.#seeds.filter((address) => !asked.includes(address));
    this.#learn(views.length > 0 ? views : await this.#views(others));
  }

  async #views(addresses: readonly string[]): Promise<ClusterView[]> {
    const answers = await Promise.allSettled(addresses.map((address) => this.#view(this.#named(address))));
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  }

  async #view(node: Node): Promise<ClusterView> {
    const options = { timeoutMs: VIEW_TIMEOUT_MS };
    const socket = await within(VIEW_TIMEOUT_MS, this.#socket(node));
    const [nodes, slots] = await Promise.all([
      socket.send(['CLUSTER', 'NODES'], options),
      socket.send(['CLUSTER', 'SLOTS'], options),
    ]);
    return clusterView(nodes, slots, node.address);
  }

  #learn(views: readonly ClusterView[]): void {
    if (views.length === 0) {
      throw new OpsError('unreachable', 'no node of the cluster answers', {
        remedy: 'Check the addresses that the nodes announce (CLUSTER SLOTS): they must be reachable from here.',
      });
    }
    this.#map = mergeViews(views);
    this.#byId = new Map([...this.#map.nodes].map(([id, { address }]) => [id, { address, id }]));
    // in the order of the slots, so that the first is always the same
    const owners = [...new Set(this.#map.owners)].filter((id) => id !== undefined);
    this.#primaries = owners.flatMap((id) => this.#byId.get(id) ?? []);
  }
}

function primariesFirst(a: ClusterNode, b: ClusterNode): number {
  return Number(b.primary) - Number(a.primary);
}

function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new OpsError('unreachable', `no connection within ${ms} ms`)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function notCluster(address: string, mode: string): OpsError {
  return new OpsError('unsupported', `${address} is not a node of a cluster (its mode is ${mode})`, {
    remedy: mode === 'sentinel' ? 'Name a node that holds data.' : 'Write redis://host:port for a single server.',
  });
}
