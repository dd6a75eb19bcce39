/**
 * A cluster as one target: every primary is asked, each for its own part. Counts are sums, limits are those of the
 * fullest node, a permission holds only where it holds on all. What one node cannot know of the others is not claimed.
 */
import { bytesId } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { keysOf } from '../catalog/keys.ts';
import { slotOf } from '../catalog/slots.ts';
import type { Identity, SelectionFacts, Server, Target } from '../plan/target.ts';
import { type ClusterMap, clusterId, clusterView, mergeViews } from '../redis/cluster-map.ts';
import type { Connection, Lease, Node, Route } from '../redis/connection.ts';
import { sendRouted } from '../redis/redirect.ts';
import { knownScripts, permissions, serverOrBusy } from './answers.ts';
import type { Where } from './info.ts';
import { inspectKeys } from './keys.ts';
import { libraries, mergeLibraries } from './libraries.ts';
import { inspectListed } from './listed.ts';
import { liveCommands } from './live-commands.ts';
import { worstPressure } from './pressure.ts';
import type { Question } from './questions.ts';
import { inspectSelection } from './select.ts';

/** Answers the questions of a cluster. Throws OpsError when a primary cannot be inspected. */
export async function inspectCluster(
  connection: Connection,
  questions: readonly Question[],
  where: Where & { name: string },
): Promise<Target> {
  await connection.refresh();
  const leases = new NodeLeases(connection);
  try {
    const nodes = connection.nodes();
    const parts = await Promise.all(nodes.map((node) => partOf(leases, node, questions, where)));
    const first = parts[0];
    if (!first) throw noPrimary();
    if (parts.some((part) => part.server.busy)) return busyCluster(first, where);
    const map = mergeViews(parts.flatMap((part) => part.view ?? []));
    const server = wholeServer(parts);
    const keys = await inspectKeys(
      leases,
      questions.flatMap((question) => (question.ask === 'key' ? [question.key] : [])),
    );
    const selections: SelectionFacts[] = [];
    for (const question of questions) {
      if (question.ask === 'listed') selections.push(await inspectListed(leases, question.selection, question.listed));
      if (question.ask !== 'selection') continue;
      const facts = await Promise.all(
        parts.map((part) => inspectSelection(part.lease, question.selection, part.server, leases)),
      );
      selections.push(wholeSelection(facts, server));
    }
    const acl = await everywhere(parts, questions, first.identity.user, map);
    const unlisted = await liveCommands(first.lease, questions);
    const scripts = await Promise.all(parts.map((part) => knownScripts(part.lease, questions)));
    const known = mergeLibraries(
      await Promise.all(
        parts.map(async ({ lease, node }) => ({
          address: node.address,
          libraries: await libraries(lease, questions),
        })),
      ),
    );
    return {
      identity: { ...first.identity, topology: 'cluster', id: clusterId(map) },
      name: where.name,
      server,
      keys,
      selections,
      scripts: (scripts[0] ?? []).filter((sha1) => scripts.every((known) => known.includes(sha1))),
      ...(acl ? { acl } : {}),
      ...(unlisted ? { commands: unlisted } : {}),
      ...(known ? { libraries: known } : {}),
      ...(where.access ? { access: where.access } : {}),
    };
  } finally {
    await leases.close();
  }
}

/**
 * A lease to each node, opened when first needed. Never CLIENT NO-TOUCH here: Redis 8.0.2 dereferences a null pointer
 * (SIGSEGV in lookupKey below getNodeByQuery) when such a connection names a key of a slot that is being moved.
 */
class NodeLeases {
  readonly #connection: Connection;
  readonly #open = new Map<string, Promise<Lease>>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Sends a command to the node of its keys. */
  send(argv: Parameters<Lease['send']>[0]): ReturnType<Lease['send']> {
    return sendRouted(
      (route) => this.at(route),
      () => this.#connection.refresh(),
      argv,
    );
  }

  at(route: Route): Promise<Lease> {
    const node = route.slot === undefined ? this.#connection.nodes()[0] : this.#connection.nodeOf(route.slot);
    const address = route.address ?? node?.address;
    if (address === undefined) return this.#connection.lease(route);
    const known = this.#open.get(address);
    if (known !== undefined) return known;
    const opening = this.#connection.lease({ address });
    this.#open.set(address, opening);
    return opening;
  }

  async close(): Promise<void> {
    for (const opening of this.#open.values()) await (await opening.catch(() => undefined))?.close();
  }
}

interface Part {
  readonly node: Node;
  readonly lease: Lease;
  readonly identity: Identity;
  readonly server: Server;
  /** What the node tells of the cluster; undefined while a script blocks it. */
  readonly view: ReturnType<typeof clusterView> | undefined;
}

async function partOf(leases: NodeLeases, node: Node, questions: readonly Question[], where: Where): Promise<Part> {
  const lease = await leases.at({ address: node.address });
  const { identity, server } = await serverOrBusy(lease, questions, where);
  if (server.busy) return { node, lease, identity, server, view: undefined };
  const [nodes, slots] = await Promise.all([lease.send(['CLUSTER', 'NODES']), lease.send(['CLUSTER', 'SLOTS'])]);
  return { node, lease, identity, server, view: clusterView(nodes!, slots!, node.address) };
}

function wholeServer(parts: readonly Part[]): Server {
  const servers = parts.map((part) => part.server);
  const sum = (of: (server: Server) => number): number => servers.reduce((total, server) => total + of(server), 0);
  const oldest = servers.reduce((a, b) => (compareVersions(b.version, a.version) < 0 ? b : a));
  const fullest = servers.reduce((a, b) => (fullness(b) > fullness(a) ? b : a));
  const open = parts.flatMap((part) => part.view?.nodes.find((node) => node.myself)?.open ?? []);
  return {
    engine: oldest.engine,
    version: oldest.version,
    redis_version: oldest.redis_version,
    run_id: '',
    time_ms: Math.max(...servers.map((server) => server.time_ms)),
    // a node that was demoted since the map was made is no primary any more
    role: servers.every((server) => server.role === 'master') ? 'master' : 'slave',
    replicas: sum((server) => server.replicas),
    cluster: true,
    nodes: parts.map(({ node, server }) => ({ address: node.address, id: node.id ?? '', run_id: server.run_id })),
    ...(open.length > 0 ? { open_slots: [...new Set(open.map(({ slot }) => slot))].sort((a, b) => a - b) } : {}),
    loopback: servers.every((server) => server.loopback),
    keys: sum((server) => server.keys),
    keys_with_ttl: sum((server) => server.keys_with_ttl),
    used_memory: fullest.used_memory,
    maxmemory: fullest.maxmemory,
    maxmemory_policy: fullest.maxmemory_policy,
    lazyfree: commonSettings(servers),
    ...worstPressure(servers),
    ...(fullest.uncounted_memory === undefined ? {} : { uncounted_memory: fullest.uncounted_memory }),
    round_trip_ms: Math.max(...servers.map((server) => server.round_trip_ms)),
  };
}

/** The part of maxmemory that is used; without a limit the use itself decides, below every node that has one. */
function fullness(server: Server): number {
  return server.maxmemory > 0 ? 1 + server.used_memory / server.maxmemory : server.used_memory / 2 ** 53;
}

/** A setting is on where it is on everywhere, and known where every node tells it. */
function commonSettings(servers: readonly Server[]): Server['lazyfree'] {
  const settings: Server['lazyfree'] = {};
  for (const name of ['del', 'expire', 'server_del', 'flush'] as const) {
    const values = servers.map((server) => server.lazyfree[name]);
    if (values.every((value) => value !== undefined)) settings[name] = values.every((value) => value);
  }
  return settings;
}

/** Negative when `a` is the older one. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number));
  for (let at = 0; at < 3; at += 1) {
    const difference = (left?.[at] ?? 0) - (right?.[at] ?? 0);
    if (difference !== 0 && !Number.isNaN(difference)) return difference;
  }
  return 0;
}

/** The sum of the primaries' parts. While a slot is open a walk of each node once can miss keys: then only limits are known. */
function wholeSelection(parts: readonly SelectionFacts[], server: Server): SelectionFacts {
  const sum = (of: (facts: SelectionFacts) => number): number => parts.reduce((total, facts) => total + of(facts), 0);
  const keys = sum((facts) => facts.keys);
  const samples = parts.flatMap((facts) => facts.samples);
  const bound = server.open_slots !== undefined || parts.some((facts) => facts.basis === 'bound');
  const shown = [...new Map(samples.map((facts) => [bytesId(facts.key), facts])).values()];
  return {
    selection: parts[0]!.selection,
    basis: bound ? 'bound' : parts.some((facts) => facts.basis === 'sampled') ? 'sampled' : 'counted',
    keys,
    low: bound ? 0 : sum((facts) => facts.low),
    high: bound ? Math.max(keys, server.keys) : sum((facts) => facts.high),
    visited: sum((facts) => facts.visited),
    ...(parts.some((facts) => facts.candidates !== undefined)
      ? { candidates: sum((facts) => facts.candidates ?? 0) }
      : {}),
    samples: shown.slice(0, 20),
    with_ttl: keys === 0 ? 0 : Math.min(1, sum((facts) => facts.with_ttl * facts.keys) / keys),
    largest: Math.max(0, ...parts.map((facts) => facts.largest)),
  };
}

/** ACL users are set node by node: a command is allowed when the node of its keys allows it, or all do where it has none. */
async function everywhere(
  parts: readonly Part[],
  questions: readonly Question[],
  user: string,
  map: ClusterMap,
): Promise<Target['acl']> {
  const wanted = questions.filter((question) => question.ask === 'permission');
  const verdicts: NonNullable<Target['acl']> = [];
  const asked = await Promise.all(parts.map((part) => permissions(part.lease, user, questions)));
  for (const [index, { argv }] of wanted.entries()) {
    const key = keysOf(argv)?.[0]?.key;
    const owner = key === undefined ? undefined : map.owners[slotOf(key)];
    const answers = asked.flatMap((answer, at) =>
      owner === undefined || owner === parts[at]!.node.id ? [answer?.[index]] : [],
    );
    if (answers.length === 0 || answers.includes(undefined)) return undefined;
    const refused = answers.find((answer) => answer?.allowed === false);
    verdicts.push((refused ?? answers[0])!);
  }
  return verdicts;
}

function busyCluster(first: Part, where: Where & { name: string }): Target {
  const { identity, server } = first;
  const name = where.name;
  const busy: Server = { ...server, run_id: '', cluster: true, busy: true };
  return {
    identity: { ...identity, topology: 'cluster', id: 'busy' },
    name,
    server: busy,
    keys: [],
    selections: [],
    scripts: [],
  };
}

function noPrimary(): OpsError {
  return new OpsError('server_error', 'no node of the cluster serves a slot', {
    reply: 'CLUSTERDOWN',
    remedy: 'Repair the cluster: redis-cli --cluster check.',
  });
}
