/** Who owned which slot at one moment, as far as that can be relied on: what a walk compares before and after. */
import { createHash } from 'node:crypto';
import { type ClusterMap, type ClusterNode, mergeViews, parseNodes } from '../redis/cluster-map.ts';
import type { Node } from '../redis/connection.ts';
import { replyText } from '../redis/reply.ts';
import type { Session } from './session.ts';

const SLOTS = 16_384;

/** The slots at one moment. */
export interface SlotView {
  readonly primaries: readonly Node[];
  owner(slot: number): string | undefined;
  /** The owner's configuration epoch: it grows when a slot comes to a node, so one that left and came back is seen. */
  epoch(slot: number): number;
  /** Open slots by the node that says so. */
  readonly openAt: ReadonlyMap<string, ReadonlySet<number>>;
  /** Primaries that told of themselves. */
  readonly told: ReadonlySet<string>;
}

/** Asks every primary for its own view: only a node itself tells which of its slots are open. */
export async function slotView(session: Session): Promise<SlotView> {
  await session.refresh();
  const primaries = session.context.connection.nodes();
  const answers = await Promise.allSettled(primaries.map((node) => viewOf(session, node)));
  const views = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [{ nodes: answer.value }] : []));
  const map: ClusterMap = mergeViews(views);
  const own = views.flatMap((view) => view.nodes.find((node) => node.myself) ?? []);
  return {
    primaries,
    owner: (slot) => map.owners[slot],
    epoch: (slot) => map.nodes.get(map.owners[slot] ?? '')?.epoch ?? -1,
    openAt: new Map(own.map((node) => [node.id, new Set(node.open.map(({ slot }) => slot))])),
    told: new Set(own.map((node) => node.id)),
  };
}

/** The slots of which it is not sure that the node which was walked owned them all the time. `left`: nodes whose walk was broken off. */
export function inDoubt(
  slots: ReadonlySet<number>,
  before: SlotView,
  after: SlotView,
  left: ReadonlySet<string>,
): ReadonlySet<number> {
  const open = new Set([...before.openAt.values(), ...after.openAt.values()].flatMap((some) => [...some]));
  return new Set(
    [...slots].filter((slot) => {
      const owner = before.owner(slot);
      if (owner === undefined) return after.owner(slot) !== undefined; // a slot that nobody serves has no keys
      const same = after.owner(slot) === owner && after.epoch(slot) === before.epoch(slot);
      return !same || open.has(slot) || left.has(owner) || !before.told.has(owner) || !after.told.has(owner);
    }),
  );
}

/** What the owners of all slots and their epochs come to; null when that tells nothing, since a slot is open or a primary did not answer. The same value later: no slot has moved in between. */
export function digestOfSlots({ primaries, owner, epoch, openAt, told }: SlotView): string | null {
  if ([...openAt.values()].some((slots) => slots.size > 0)) return null;
  if (primaries.some(({ id }) => id === undefined || !told.has(id))) return null;
  const hash = createHash('sha256');
  for (let slot = 0; slot < SLOTS; slot += 1) hash.update(`${owner(slot) ?? ''} ${epoch(slot)}\n`);
  return hash.digest('hex');
}

/** `3-7, 12`, at most ten parts. */
export function namesOfSlots(slots: ReadonlySet<number>): string {
  const parts: [number, number][] = [];
  for (const slot of [...slots].sort((a, b) => a - b)) {
    const last = parts.at(-1);
    if (last && last[1] === slot - 1) last[1] = slot;
    else parts.push([slot, slot]);
  }
  const shown = parts.slice(0, 10).map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
  return `${shown.join(', ')}${parts.length > 10 ? ` and ${parts.length - 10} more ranges` : ''}`;
}

async function viewOf(session: Session, node: Node): Promise<ClusterNode[]> {
  const lease = await session.lease({ address: node.address });
  return parseNodes(replyText((await lease.send(['CLUSTER', 'NODES'])) ?? null) ?? '', node.address);
}
