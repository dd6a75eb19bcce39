/** What the walks over one server and over a cluster share: a page, where to stop, what is asked again. */
import { OpsError } from '../base/ops-error.ts';
import type { Partition } from '../inspect/partitions.ts';
import type { Page } from '../inspect/scan.ts';
import type { Selection } from '../plan/step.ts';
import { LostConnection } from '../redis/connection.ts';

/** A page of a walk. */
export interface WalkPage extends Page {
  /** The part of the walk that it is from: a partition's name, a cluster's node; empty where there is one cursor. Pages of a part come in their order. */
  readonly shard: string;
  /** True for the last page of its part. */
  readonly last: boolean;
  /** How many of its keys an earlier page has probably given already: their slot is walked a second time. */
  readonly again: number;
  /** Keys that were looked at for it, where that is not SCAN's COUNT. */
  readonly visited?: number;
}

/** What is walked. */
export interface WalkOptions {
  readonly selection: Selection;
  /** SCAN's COUNT. */
  readonly count: number;
  /** True when the caller deletes what it is given: a key that is met again is then a new one. */
  readonly deletes: boolean;
  /** How many parts of the keyspace are walked at once (partitions.ts); one when left out. A cluster is walked node by node. */
  readonly parts?: number;
  /** Where an earlier walk in as many parts, of the same process, came to: the cursor to go on with; undefined: from its start. */
  readonly from?: (shard: string) => { readonly cursor: string; readonly done: boolean } | undefined;
}

/** Why a restart would go unseen. */
export const noRunId = 'the user may not ask for run_id (+info), so a restart during the scan would go unseen';

/** From a cursor to the end of its part. The server looks for the next keys while the caller works on these. */
export async function* cursorToEnd<P extends Page>(
  read: (cursor: string) => Promise<P>,
  start: string,
  part: Partition,
): AsyncGenerator<P, void> {
  let coming = read(start);
  for (;;) {
    const page = await coming;
    const place = part.place(page.next);
    if (place === 'strange') throw new StrangeCursor();
    if (place === 'end') return yield page;
    coming = read(page.next);
    coming.catch(() => undefined); // the fault is met where the page is awaited
    yield page;
  }
}

/** SCAN led where no known dictionary leads: what the parts gave stands, and one cursor walks everything. */
export class StrangeCursor extends Error {}

/** A connection that was lost, a server that is busy or loading: asked again, it may answer. */
export function isPassing(error: unknown): boolean {
  if (error instanceof LostConnection) return true;
  if (!(error instanceof OpsError)) return false;
  return error.code === 'unreachable' || error.reply === 'BUSY' || error.reply === 'LOADING';
}
