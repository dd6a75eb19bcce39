/**
 * The way over a cluster. Each primary has a cursor of its own, and slots move: a slot that went to a node which was already
 * done would be missed. So after each round the slots whose owner is not surely the one that was walked are walked again,
 * until there are none; what stays in doubt is named.
 */
import type { Bytes } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { slotOf } from '../catalog/slots.ts';
import { infoFields } from '../inspect/info.ts';
import { whole } from '../inspect/partitions.ts';
import { type Page, scanPage } from '../inspect/scan.ts';
import type { Node } from '../redis/connection.ts';
import { replyText } from '../redis/reply.ts';
import { backoffMs, plannedProcess, restarted, type Session } from './session.ts';
import { inDoubt, namesOfSlots, type SlotView, slotView } from './slot-view.ts';
import { cursorToEnd, isPassing, noRunId, type WalkOptions, type WalkPage } from './walk-page.ts';

const SLOTS = 16_384;
/** Rounds over a cluster: each walks what the one before left in doubt. */
const MOST_ROUNDS = 8;

/** Walks the primaries of a cluster; see `walk`. */
export async function* walkCluster(
  session: Session,
  options: WalkOptions,
): AsyncGenerator<WalkPage, readonly string[]> {
  const { clock, signal } = session.context;
  const repeats = createRepeats(options.deletes);
  const unproven = new Set<string>();
  let unsure: ReadonlySet<number> = new Set(Array.from({ length: SLOTS }, (_, slot) => slot));
  let idle = 0;
  for (let round = 0; round < MOST_ROUNDS && unsure.size > 0 && idle < 3; round += 1) {
    if (round > 0) await clock.sleep(Math.min(1_000, 50 * 2 ** round), signal);
    const before = await slotView(session);
    const left = new Set<string>();
    for (const node of before.primaries) {
      const wanted = round === 0 ? undefined : wantedOf(node, unsure, before);
      if (wanted?.size === 0) continue;
      repeats.nextWalk();
      const pages = walkNode(session, node, options);
      for (let next = await pages.next(); ; next = await pages.next()) {
        if (next.done) {
          if (next.value === 'left') left.add(node.id ?? '');
          break;
        }
        const keys = wanted ? next.value.keys.filter((key) => wanted.has(slotOf(key))) : next.value.keys;
        if (next.value.runId === undefined) unproven.add(noRunId);
        const last = next.value.next === '0';
        yield { ...next.value, keys, shard: node.address, last, again: repeats.count(keys) };
      }
    }
    const doubt = inDoubt(unsure, before, await slotView(session), left);
    // a move that makes no progress is not waited for
    idle = doubt.size === unsure.size ? idle + 1 : 0;
    unsure = doubt;
  }
  if (unsure.size > 0) {
    unproven.add(
      `slot${unsure.size === 1 ? '' : 's'} ${namesOfSlots(unsure)}: between two nodes, or moving from one to another, while they were listed; keys of them may have been missed`,
    );
  }
  return [...unproven];
}

/** The slots that a node owns, or holds a part of because they are open. */
function wantedOf(node: Node, unsure: ReadonlySet<number>, view: SlotView): ReadonlySet<number> {
  const open = view.openAt.get(node.id ?? '');
  return new Set([...unsure].filter((slot) => view.owner(slot) === node.id || open?.has(slot)));
}

/** Walks one primary. left: it is no primary any more, or a page could not be had from the process that gave the cursor. */
async function* walkNode(session: Session, node: Node, options: WalkOptions): AsyncGenerator<Page, 'done' | 'left'> {
  try {
    yield* cursorToEnd((cursor) => readNodePage(session, node, cursor, options), '0', whole);
    return 'done';
  } catch (error) {
    if (error instanceof NodeLeft) return 'left';
    throw error;
  }
}

/** The node serves no slots any more: what it would still list is not the data set. */
class NodeLeft extends Error {}

async function readNodePage(
  session: Session,
  node: Node,
  cursor: string,
  { selection, count }: WalkOptions,
): Promise<Page> {
  const { clock, signal, plan } = session.context;
  const { retry } = plan.request;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const lease = await session.lease({ address: node.address });
      const [page, replication] = await Promise.all([
        scanPage(lease, selection, cursor, count),
        lease.send(['INFO', 'replication']),
      ]);
      if (infoFields(replyText(replication) ?? '').get('role') === 'slave') throw new NodeLeft();
      const planned = plannedProcess(session.context, node.id);
      if (page.runId !== undefined && planned !== undefined && page.runId !== planned) throw restarted();
      return page;
    } catch (error) {
      const fault = error instanceof OpsError;
      if (fault && error.code === 'unreachable') await session.awaitTakeover(node.address);
      else if (fault) await session.refresh();
      const serves = session.context.connection.nodes().some((one) => one.id === node.id);
      if (fault && !serves) throw new NodeLeft();
      if (!isPassing(error) || attempt >= retry.max_retries) throw error;
      await clock.sleep(backoffMs(attempt, retry.base_ms), signal);
    }
  }
}

interface Repeats {
  /** Another node begins, or the same one again. */
  nextWalk(): void;
  /** How many of these keys are, by the number of keys that earlier walks found in their slots, not new. */
  count(keys: readonly Bytes[]): number;
}

/** Keys given, by slot: enough to tell how many are given again, without remembering each. */
function createRepeats(deletes: boolean): Repeats {
  const given = new Uint32Array(SLOTS);
  let earlier = new Uint32Array(SLOTS);
  return {
    nextWalk: () => {
      earlier = given.slice();
    },
    count: (keys) => {
      if (deletes) return 0;
      let again = 0;
      for (const key of keys) {
        const slot = slotOf(key);
        if (earlier[slot]! > 0) {
          earlier[slot]! -= 1;
          again += 1;
        } else given[slot]! += 1;
      }
      return again;
    },
  };
}
