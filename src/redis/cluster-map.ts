/**
 * Who serves which slot of a cluster, as its nodes tell it. CLUSTER NODES says who is who (ids, roles, configuration
 * epochs, slots, and on each node's own line the slots that are open); CLUSTER SLOTS says how clients shall reach them.
 * Both exist from 6.0 to Valkey 9. CLUSTER SHARDS (7.0) would add neither open slots nor epochs, so it is not asked.
 *
 * Nodes learn of a change one after the other. Their views are merged as the cluster itself does: of two claims to a
 * slot the one with the higher configuration epoch holds.
 */
import { digestOf } from '../base/canonical.ts';
import { OpsError } from '../base/ops-error.ts';
import type { Decoded } from '../formats/resp.ts';
import { type Reply, replyText } from './reply.ts';

/** Slots of a cluster. */
export const SLOTS = 16_384;

/** A slot in the middle of a move, as one end of it tells. */
export interface OpenSlot {
  readonly slot: number;
  readonly direction: 'migrating' | 'importing';
}

/** A node as one node tells of it. */
export interface ClusterNode {
  readonly id: string;
  /** `host:port`. */
  readonly address: string;
  readonly primary: boolean;
  /** Whom a replica follows. */
  readonly primaryId: string | undefined;
  /** True when the cluster has agreed that it is down, or its address is not known. */
  readonly down: boolean;
  /** A node that is still being introduced: its id is for the moment only. */
  readonly handshake: boolean;
  readonly epoch: number;
  readonly slots: readonly (readonly [first: number, last: number])[];
  /** Known of the node that was asked only. */
  readonly open: readonly OpenSlot[];
  readonly myself: boolean;
}

/** What one node tells. */
export interface ClusterView {
  readonly nodes: readonly ClusterNode[];
}

/** The merged view. */
export interface ClusterMap {
  readonly nodes: ReadonlyMap<string, ClusterNode>;
  /** The id of each slot's owner. */
  readonly owners: readonly (string | undefined)[];
}

/** Reads CLUSTER NODES and CLUSTER SLOTS of the node at `asked` (host:port). Throws OpsError auth or server_error. */
export function clusterView(nodes: Reply, slots: Reply, asked: string): ClusterView {
  const text = replyText(nodes);
  if (text === undefined || !Array.isArray(slots)) throw refused(nodes, slots, asked);
  const endpoints = endpointsOf(slots, asked);
  return {
    nodes: parseNodes(text, asked).map((node) => ({ ...node, address: endpoints.get(node.id) ?? node.address })),
  };
}

/** The nodes of a CLUSTER NODES reply; an empty host means the one that was asked. */
export function parseNodes(text: string, asked: string): ClusterNode[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => parseLine(line.trim(), asked));
}

/** The views as one. At least one view. */
export function mergeViews(views: readonly ClusterView[]): ClusterMap {
  const nodes = new Map<string, ClusterNode>();
  for (const view of views) {
    for (const node of view.nodes) {
      const known = nodes.get(node.id);
      if (!known || node.epoch > known.epoch || (node.epoch === known.epoch && node.myself)) nodes.set(node.id, node);
    }
  }
  const owners: (string | undefined)[] = Array.from({ length: SLOTS });
  const epochs = new Float64Array(SLOTS).fill(-1);
  for (const view of views) {
    for (const node of view.nodes) {
      for (const [first, last] of node.slots) {
        for (let slot = first; slot <= last; slot += 1) {
          if (node.epoch < epochs[slot]! || (node.epoch === epochs[slot]! && !node.myself)) continue;
          epochs[slot] = node.epoch;
          owners[slot] = node.id;
        }
      }
    }
  }
  return { nodes, owners };
}

/**
 * The name of the data set: a hash of the ids of all nodes, sorted. Ids outlive restarts, failovers and moves of slots,
 * while the owners of slots do not. Adding or forgetting a node changes it, on the careful side: a plan is then refused.
 */
export function clusterId(map: Pick<ClusterMap, 'nodes'>): string {
  const ids = [...map.nodes.values()].filter((node) => !node.handshake).map((node) => node.id);
  return `cluster:${digestOf(ids.sort()).slice('sha256:'.length, 'sha256:'.length + 40)}`;
}

/** `id ip:port@cport[,hostname] flags primary ping pong epoch link slot ...` */
function parseLine(line: string, asked: string): ClusterNode {
  const [id = '', endpoint = '', flagText = '', primary = '-', , , epoch = '0', , ...slots] = line.split(' ');
  const flags = new Set(flagText.split(','));
  const address = endpoint.replace(/[@,].*$/, '');
  const colon = address.lastIndexOf(':');
  return {
    id,
    address: join(address.slice(0, colon), Number(address.slice(colon + 1)), asked),
    primary: flags.has('master'),
    primaryId: primary === '-' ? undefined : primary,
    down: flags.has('fail') || flags.has('noaddr'),
    handshake: flags.has('handshake'),
    epoch: Number(epoch),
    slots: slots.filter((slot) => !slot.startsWith('[')).map(rangeOf),
    open: slots.filter((slot) => slot.startsWith('[')).flatMap(openOf),
    myself: flags.has('myself'),
  };
}

function rangeOf(text: string): readonly [number, number] {
  const [first = '', last = first] = text.split('-');
  return [Number(first), Number(last)];
}

/** `[93-<-id]`: comes from id; `[93->-id]`: goes to id. */
function openOf(text: string): OpenSlot[] {
  const [, slot, arrow] = /^\[(\d+)-([<>])-/.exec(text) ?? [];
  return slot === undefined ? [] : [{ slot: Number(slot), direction: arrow === '>' ? 'migrating' : 'importing' }];
}

/** Addresses by node id: `[first, last, [host, port, id, ...], ...]`. */
function endpointsOf(slots: readonly Decoded[], asked: string): Map<string, string> {
  const endpoints = new Map<string, string>();
  for (const range of slots) {
    for (const node of Array.isArray(range) ? range.slice(2) : []) {
      if (!Array.isArray(node)) continue;
      const [host = null, port, id] = node;
      const name = id === undefined ? undefined : replyText(id);
      if (typeof port === 'number' && name !== undefined) endpoints.set(name, join(replyText(host) ?? '', port, asked));
    }
  }
  return endpoints;
}

/** `host:port` as redops writes addresses; an empty or unknown host is the one that was asked. */
export function join(host: string, port: number, asked: string): string {
  const bare = host.replace(/^\[|\]$/g, '');
  if (bare === '' || bare === '?') return `${asked.slice(0, asked.lastIndexOf(':'))}:${port}`;
  return bare.includes(':') ? `[${bare}]:${port}` : `${bare}:${port}`;
}

function refused(nodes: Reply, slots: Reply, asked: string): OpsError {
  const error = [nodes, slots].find((reply) => typeof reply === 'object' && reply !== null && 'code' in reply);
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  return new OpsError(
    code === 'NOPERM' ? 'auth' : 'server_error',
    `${asked} does not tell its cluster: ${message ?? 'no reply'}`,
    {
      ...(code === undefined ? {} : { reply: code }),
      remedy: 'The user needs +cluster|nodes and +cluster|slots (+cluster before 7.0), on every node.',
    },
  );
}
