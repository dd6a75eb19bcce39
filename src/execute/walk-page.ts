/** What the walks over one server and over a cluster share: a page, where to stop, what is asked again. */
import { OpsError } from '../base/ops-error.ts';
import type { Partition } from '../inspect/partitions.ts';
import { type Page, scanPage } from '../inspect/scan.ts';
import type { Selection } from '../plan/step.ts';
import { type Lease, LostConnection } from '../redis/connection.ts';
import { nextPageSize, openPageSize } from './page-size.ts';
import type { Session } from './session.ts';
import type { Mode } from './window.ts';

/** A page, and the COUNT that it was asked for with. */
export interface Scanned extends Page {
  readonly scanned: number;
}

/** A page of a walk. */
export interface WalkPage extends Scanned {
  /** The part of the walk that it is from: a partition's name, the id of a cluster's node; empty where there is one cursor. Pages of a part come in their order. */
  readonly shard: string;
  /** True for the last page of its part. */
  readonly last: boolean;
  /** How many of its keys an earlier page has probably given already: their slot is walked a second time. */
  readonly again: number;
  /** Of these, the ones of which that is a guess: a cap counts them as new. */
  readonly unsure: number;
}

/** What is walked. */
export interface WalkOptions {
  readonly selection: Selection;
  /** SCAN's COUNT; where it is tuned, of the first pages. */
  readonly count: number;
  /** The mode by which COUNT follows the time that a call takes (page-size.ts); left out: it stays. */
  readonly tune?: Mode;
  /** True when the caller deletes what it is given: a key that is met again is then a new one. */
  readonly deletes: boolean;
  /** How many parts of the keyspace are walked at once (partitions.ts); one when left out. Of a cluster all primaries are. */
  readonly parts?: number;
  /** Where an earlier walk in as many parts, of the same process, came to: the cursor to go on with; undefined: from its start. */
  readonly from?: (shard: string) => { readonly cursor: string; readonly done: boolean } | undefined;
}

/** Why a restart would go unseen. */
export const noRunId = 'the user may not ask for run_id (+info), so a restart during the scan would go unseen';

/** COUNT along one cursor. */
export interface Counts {
  /** One page of the COUNT that is due. */
  page(lease: Lease, cursor: string): Promise<Scanned>;
}

/** `most`: COUNT does not grow beyond. */
export function createCounts(session: Session, { selection, count, tune }: WalkOptions, most?: number): Counts {
  let size = tune === undefined ? undefined : openPageSize(tune, count, most);
  const roundTripMs = session.context.plan.target.server.round_trip_ms;
  return {
    async page(lease, cursor) {
      const scanned = size?.count ?? count;
      const busyBefore = performance.eventLoopUtilization().active;
      const sentMs = performance.now();
      const page = await scanPage(lease, selection, cursor, scanned);
      const tookMs = performance.now() - sentMs;
      const busyMs = performance.eventLoopUtilization().active - busyBefore;
      if (size) size = nextPageSize(size, { count: scanned, tookMs, busyMs, roundTripMs });
      return { ...page, scanned };
    },
  };
}

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
