/** A cluster of three primaries with a replica each, on loopback: about three seconds, most of it gossip. */
import { createServer } from 'node:net';
import { obtainServer } from '../../scripts/servers.mjs';
import { runCli, type ServerOptions, startServer, type TestServer } from './server.ts';
import { waitFor } from './wait.ts';

/** A running cluster. */
export interface TestCluster {
  /** redis+cluster://host:port,... of the primaries. */
  readonly url: string;
  /** As started; a failover changes who is what. */
  readonly primaries: readonly TestServer[];
  readonly replicas: readonly TestServer[];
  readonly nodes: readonly TestServer[];
  /** redis-cli in cluster mode (-c), which follows redirections. */
  cli(...args: string[]): Promise<string>;
  /** Moves that many slots from one primary to another, keys and all (redis-cli --cluster reshard), and waits for `agreed`. */
  reshard(from: TestServer, to: TestServer, slots: number): Promise<void>;
  /**
   * Resolves when all nodes that run tell the same owners of all slots. A replica that is promoted before it has heard of a move
   * takes over without those slots; with the old primary gone nobody serves them from then on (redis issues 3122 and 6339).
   */
  agreed(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it; `nodeTimeoutMs` (1000) is when a node calls a silent node down. */
export async function startCluster(
  options: Pick<ServerOptions, 'version' | 'args' | 'password'> & { readonly nodeTimeoutMs?: number } = {},
): Promise<TestCluster> {
  const found = await obtainServer(options.version);
  const nodes = await Promise.all(Array.from({ length: 6 }, () => startNode(options)));
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const auth = options.password === undefined ? [] : ['-a', options.password, '--no-auth-warning'];
  await runCli(
    found,
    [...auth, '--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes'],
    30_000,
  );
  for (const node of nodes) {
    await waitFor('a cluster that serves all slots', async () =>
      (await node.cli('CLUSTER', 'INFO')).includes('cluster_state:ok'),
    );
  }
  const linked: boolean[] = [];
  for (const node of nodes) linked.push(await replicates(node));
  const primaries = nodes.filter((_, index) => linked[index] === false);
  const replicas = nodes.filter((_, index) => linked[index] === true);
  return {
    url: `redis+cluster://${primaries.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    primaries,
    replicas,
    nodes,
    cli: (...args) => runCli(found, [...auth, '-h', '127.0.0.1', '-p', String(nodes[0]?.port), '-c', ...args]),
    async reshard(from, to, slots) {
      const [source, target] = await Promise.all([from.cli('CLUSTER', 'MYID'), to.cli('CLUSTER', 'MYID')]);
      const how = ['--cluster-from', source, '--cluster-to', target, '--cluster-slots', String(slots), '--cluster-yes'];
      await runCli(found, [...auth, '--cluster', 'reshard', `127.0.0.1:${to.port}`, ...how], 60_000);
      await agreement(nodes);
    },
    agreed: () => agreement(nodes),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

async function agreement(nodes: readonly TestServer[]): Promise<void> {
  await waitFor('an agreement of all nodes on the owners of the slots', async () => {
    const told = await Promise.all(nodes.map((node) => node.cli('CLUSTER', 'NODES').catch(() => undefined)));
    const owners = told.flatMap((text) => (text === undefined ? [] : [JSON.stringify(ownersIn(text))]));
    return new Set(owners).size === 1;
  });
}

/** Ids of the owners by their slots, in order; slots in the middle of a move are their old owner's. */
function ownersIn(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.split(' '));
  return lines
    .flatMap(([id, , , , , , , , ...slots]) =>
      slots.filter((slot) => !slot.startsWith('[')).map((slot) => `${slot} ${id}`),
    )
    .sort();
}

async function startNode(
  options: Pick<ServerOptions, 'version' | 'args' | 'password'> & { readonly nodeTimeoutMs?: number },
) {
  const { nodeTimeoutMs = 1000, args = [], ...rest } = options;
  const own = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf', '--protected-mode', 'no'];
  own.push('--cluster-node-timeout', String(nodeTimeoutMs), '--cluster-replica-validity-factor', '0');
  return startServer({ ...rest, port: await portWithBus(), args: [...own, ...args] });
}

/** Waits until a replica's link is up; false for a primary. */
async function replicates(node: TestServer): Promise<boolean> {
  let role = '';
  await waitFor('the replication link of a node', async () => {
    const info = await node.cli('INFO', 'replication');
    role = /role:(\w+)/.exec(info)?.[1] ?? '';
    return role === 'master' || info.includes('master_link_status:up');
  });
  return role === 'slave';
}

/** A port below the range from which the system hands out others, whose bus port (10000 higher) is free too. */
export async function portWithBus(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = 11_000 + Math.floor(Math.random() * 10_000);
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
  throw new Error('no two free ports 10000 apart');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
