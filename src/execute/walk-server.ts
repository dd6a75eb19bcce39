/**
 * The way over one server: a cursor to its end, or several at the same time, each over its part of the keyspace. A page
 * is asked for again when its connection was lost, and comes from the process that was planned for, or not at all.
 */
import { type Bytes, bytesId } from '../base/bytes.ts';
import { type Partition, partitions, whole } from '../inspect/partitions.ts';
import { merge } from './merge.ts';
import { backoffMs, restarted, type Session } from './session.ts';
import {
  type Counts,
  createCounts,
  cursorToEnd,
  isPassing,
  noRunId,
  type Scanned,
  StrangeCursor,
  type WalkOptions,
  type WalkPage,
} from './walk-page.ts';

/** Walks one server; see `walk`. */
export async function* walkServer(session: Session, options: WalkOptions): AsyncGenerator<WalkPage, readonly string[]> {
  const parts = partitions(options.parts ?? 1);
  const heads = createHeads();
  const told = new Set<string>();
  const unproven = new Set<string>();
  const walks = parts.map((part) => walkPart(session, part, options));
  try {
    for await (const page of merge(walks)) {
      if (page.runId === undefined) unproven.add(noRunId);
      yield parts.length > 1 ? heads.without(page, !told.has(page.shard)) : page;
      told.add(page.shard);
    }
  } catch (error) {
    if (!(error instanceof StrangeCursor)) throw error;
    yield* walkPart(session, whole, { ...options, from: () => undefined });
  }
  return [...unproven];
}

async function* walkPart(session: Session, part: Partition, options: WalkOptions): AsyncGenerator<WalkPage, void> {
  const from = options.from?.(part.name);
  if (from?.done) return;
  // where parts run over into each other, by their last page: no more than the first pages, which are remembered
  const counts = createCounts(session, options, part === whole ? undefined : options.count);
  const read = (cursor: string): Promise<Scanned> => readPage(session, counts, cursor);
  for await (const page of cursorToEnd(read, from?.cursor ?? part.start, part)) {
    yield { ...page, shard: part.name, last: part.place(page.next) === 'end', again: 0, unsure: 0 };
  }
}

/** The last page of a part runs over into the beginning of another: keys of first pages are remembered, and not given twice. */
function createHeads(): { without(page: WalkPage, first: boolean): WalkPage } {
  const given = new Set<string>();
  return {
    without: (page, first) => {
      const keys: Bytes[] = [];
      for (const key of page.keys) {
        const id = first || page.last ? bytesId(key) : undefined;
        if (page.last && id !== undefined && given.has(id)) continue;
        if (first && id !== undefined) given.add(id);
        keys.push(key);
      }
      return { ...page, keys };
    },
  };
}

/** One page; a lost connection is replaced, and the page is asked for again: SCAN is a read. Throws drift when another process answers. */
async function readPage(session: Session, counts: Counts, cursor: string): Promise<Scanned> {
  const { clock, signal, plan } = session.context;
  const { retry } = plan.request;
  const { run_id: planned } = plan.target.server;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const page = await counts.page(await session.lease(), cursor);
      if (page.runId !== undefined && planned !== '' && page.runId !== planned) throw restarted();
      return page;
    } catch (error) {
      if (session.closed || !isPassing(error) || attempt >= retry.max_retries) throw error;
      await clock.sleep(backoffMs(attempt, retry.base_ms), signal);
    }
  }
}
