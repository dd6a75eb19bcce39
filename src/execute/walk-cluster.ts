/**
 * The way over a cluster: a cursor for each primary, all at the same time. Slots move: a slot that went to a node which
 * was already done would be missed. So after each round the slots whose owner is not surely the one that was walked are
 * walked again, until there are none; what stays in doubt is named.
 */
import { OpsError } from '../base/ops-error.ts';
import { slotOf } from '../catalog/slots.ts';
import { infoFields } from '../inspect/info.ts';
import { whole } from '../inspect/partitions.ts';
import type { Node } from '../redis/connection.ts';
import { replyText } from '../redis/reply.ts';
import { merge } from './merge.ts';
import { createRepeats, type Walked } from './repeats.ts';
import { backoffMs, plannedProcess, restarted, type Session } from './session.ts';
import { inDoubt, namesOfSlots, type SlotView, slotView } from './slot-view.ts';
import {
  type Counts,
  createCounts,
  cursorToEnd,
  isPassing,
  noRunId,
  type Scanned,
  type WalkOptions,
  type WalkPage,
} from './walk-page.ts';

const SLOTS = 16_384;
/** Rounds over a cluster: each walks what the one before left in doubt. */
const MOST_ROUNDS = 8;
/** Primaries walked at the same time: two pages of each are held. */
const MOST_AT_ONCE = 64;

/** Walks the primaries of a cluster; see `walk`. Parts are named after the ids of nodes. */
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
    const ways = before.primaries.flatMap((node): Way[] => {
      if (round === 0) return [{ node, shard: node.id ?? node.address, wanted: undefined, walked: repeats.walk() }];
      const wanted = wantedOf(node, unsure, before);
      // a name of its own: where the first walk of the node stands is not overwritten
      const shard = `${node.id ?? node.address}/${round}`;
      return wanted.size === 0 ? [] : [{ node, shard, wanted, walked: repeats.walk() }];
    });
    const lanes = Array.from({ length: Math.min(MOST_AT_ONCE, ways.length) }, (_, lane) =>
      walkInTurn(
        session,
        ways.filter((_, at) => at % MOST_AT_ONCE === lane),
        options,
      ),
    );
    const pages = merge(lanes);
    let left: ReadonlySet<string>;
    try {
      for (;;) {
        const next = await pages.next();
        if (next.done) {
          left = new Set(next.value.flat());
          break;
        }
        if (next.value.runId === undefined) unproven.add(noRunId);
        yield next.value;
      }
    } finally {
      await pages.return([]);
    }
    repeats.endRound();
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

/** A primary to be walked in a round: for all its keys, or for those of some slots. */
interface Way {
  readonly node: Node;
  readonly shard: string;
  readonly wanted: ReadonlySet<number> | undefined;
  readonly walked: Walked;
}

/** Walks one primary after the other; gives those that are none any more. */
async function* walkInTurn(
  session: Session,
  ways: readonly Way[],
  options: WalkOptions,
): AsyncGenerator<WalkPage, readonly string[]> {
  const left: string[] = [];
  for (const { node, shard, wanted, walked } of ways) {
    const from = options.from?.(shard);
    if (from?.done) continue;
    const pages = walkNode(session, node, options, from?.cursor ?? '0');
    for (let next = await pages.next(); ; next = await pages.next()) {
      if (next.done) {
        if (next.value === 'left') left.push(node.id ?? '');
        break;
      }
      const keys = wanted ? next.value.keys.filter((key) => wanted.has(slotOf(key))) : next.value.keys;
      yield { ...next.value, keys, shard, last: next.value.next === '0', ...walked.count(keys) };
    }
  }
  return left;
}

/** The slots that a node owns, or holds a part of because they are open. */
function wantedOf(node: Node, unsure: ReadonlySet<number>, view: SlotView): ReadonlySet<number> {
  const open = view.openAt.get(node.id ?? '');
  return new Set([...unsure].filter((slot) => view.owner(slot) === node.id || open?.has(slot)));
}

/** Walks one primary. left: it is no primary any more, or a page could not be had from the process that gave the cursor. */
async function* walkNode(
  session: Session,
  node: Node,
  options: WalkOptions,
  start: string,
): AsyncGenerator<Scanned, 'done' | 'left'> {
  const counts = createCounts(session, options);
  try {
    yield* cursorToEnd((cursor) => readNodePage(session, node, cursor, counts), start, whole);
    return 'done';
  } catch (error) {
    if (error instanceof NodeLeft) return 'left';
    throw error;
  }
}

/** The node serves no slots any more: what it would still list is not the data set. */
class NodeLeft extends Error {}

async function readNodePage(session: Session, node: Node, cursor: string, counts: Counts): Promise<Scanned> {
  const { clock, signal, plan } = session.context;
  const { retry } = plan.request;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const lease = await session.lease({ address: node.address });
      const [page, replication] = await Promise.all([counts.page(lease, cursor), lease.send(['INFO', 'replication'])]);
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
