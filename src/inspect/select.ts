/**
 * How many keys a selection has, honestly: counted by a whole scan when the keyspace is small enough to walk at planning,
 * else sampled from random cursor positions with a 95 % interval, else only bounded. The result says which.
 */
import { randomInt } from 'node:crypto';
import { type Bytes, bytesId } from '../base/bytes.ts';
import { isFiltered } from '../plan/filters.ts';
import type { Selection } from '../plan/step.ts';
import type { SelectionFacts, Server } from '../plan/target.ts';
import type { Lease } from '../redis/connection.ts';
import { inspectKeys } from './keys.ts';
import { matching, type Reader } from './matching.ts';
import { type Partition, partitions, partsFor, whole } from './partitions.ts';
import { pageOf, scanCommand } from './scan.ts';

/** Keyspaces up to this size are counted: about 0.9 us of server time a visited key, so at most some 0.3 s in calls of 1 ms. */
const COUNT_UP_TO = 300_000;
const COUNT_PAGE = 1_000;
/** With filters each key that matches costs one to four reads besides. */
const COUNT_FILTERED_UP_TO = 100_000;
/** Sampling: so many random cursor positions, so many keys visited at each. */
const POSITIONS = 64;
const SAMPLE_PAGE = 300;
const SHOWN = 20;

/** Facts of a selection. Costs a scan of at most COUNT_UP_TO keys or POSITIONS pages, and what the filters read of the keys that it gives. `reader`: what reads keys, where that is not the lease itself. */
export async function inspectSelection(
  lease: Lease,
  selection: Selection,
  server: Server,
  reader: Reader = lease,
): Promise<SelectionFacts> {
  const filter = (keys: readonly Bytes[]): Promise<readonly Bytes[]> => matching(reader, selection, keys);
  const tally =
    server.keys <= (isFiltered(selection) ? COUNT_FILTERED_UP_TO : COUNT_UP_TO)
      ? await count(lease, selection, server, filter)
      : samplable(server)
        ? await sample(lease, selection, server, filter)
        : bounded(selection, server);
  const samples = (await inspectKeys(reader, tally.seen)).filter((facts) => facts.exists);
  const withTtl = samples.filter((facts) => (facts.ttl_ms ?? -1) >= 0).length;
  const { seen: _seen, ...counts } = tally;
  return {
    selection,
    ...counts,
    samples: samples.slice(0, SHOWN),
    with_ttl: samples.length === 0 ? 0 : withTtl / samples.length,
    largest: Math.max(0, ...samples.map((facts) => facts.elements ?? 0)),
  };
}

interface Tally {
  readonly basis: SelectionFacts['basis'];
  readonly keys: number;
  readonly low: number;
  readonly high: number;
  readonly visited: number;
  readonly candidates?: number;
  readonly seen: readonly Bytes[];
}

type Filter = (keys: readonly Bytes[]) => Promise<readonly Bytes[]>;

function bounded(selection: Selection, { keys }: Server): Tally {
  const limits = { basis: 'bound' as const, keys, low: 0, high: keys, visited: 0, seen: [] };
  return isFiltered(selection) ? { ...limits, candidates: keys } : limits;
}

/** Every key is visited; over a distance in several parts at once, so that a round trip is waited for once for all of them. */
async function count(lease: Lease, selection: Selection, server: Server, filter: Filter): Promise<Tally> {
  const distinct = new Set<string>();
  const seen: Bytes[] = [];
  let keys = 0;
  let strange = false;
  const countPart = async (part: Partition): Promise<void> => {
    for (let cursor = part.start; ; ) {
      const page = pageOf(await lease.send(scanCommand(selection, cursor, COUNT_PAGE)));
      const fresh = page.keys.filter((key) => {
        const id = bytesId(key);
        const isNew = !distinct.has(id); // SCAN may give a key twice
        distinct.add(id);
        return isNew;
      });
      const passed = await filter(fresh);
      keys += passed.length;
      if (seen.length < SHOWN) seen.push(...passed.slice(0, SHOWN - seen.length));
      const place = part.place(page.next);
      strange ||= place === 'strange';
      if (place !== 'inside') return;
      cursor = page.next;
    }
  };
  await Promise.all(partitions(partsFor(server, 'latency_optimized', COUNT_PAGE)).map(countPart));
  if (strange) await countPart(whole);
  const candidates = isFiltered(selection) ? { candidates: distinct.size } : {};
  const visited = Math.max(distinct.size, server.keys);
  return { basis: 'counted', keys, low: keys, high: keys, visited, ...candidates, seen };
}

/**
 * A random cursor is a random bucket: SCAN masks it with the table's size. True of Redis 5 to 8 and Valkey 8 and 9 without
 * cluster mode; in cluster mode from 7.4 and Valkey 8 the low bits are the slot. Others are not sampled.
 */
function samplable(server: Server): boolean {
  return !server.cluster && (server.engine === 'redis' || server.engine === 'valkey');
}

async function sample(lease: Lease, selection: Selection, server: Server, filter: Filter): Promise<Tally> {
  const total = server.keys;
  const pages: SampledPage[] = [];
  while (pages.length < POSITIONS) {
    const next = Math.min(positionsAtOnce(server), POSITIONS - pages.length);
    pages.push(...(await Promise.all(Array.from({ length: next }, () => samplePage(lease, selection, filter)))));
  }
  const interval = ratioInterval(pages.map((page) => ({ visited: page.visited, matched: page.matching.length })));
  const visited = pages.reduce((sum, page) => sum + page.visited, 0);
  const given = pages.reduce((sum, page) => sum + page.candidates, 0) / Math.max(1, visited);
  const seen = new Map<string, Bytes>();
  for (const page of pages) for (const key of page.matching.slice(0, 2)) seen.set(bytesId(key), key);
  return {
    basis: 'sampled',
    keys: Math.round(interval.ratio * total),
    low: Math.floor(interval.low * total),
    high: Math.min(total, Math.ceil(interval.high * total)),
    visited,
    ...(isFiltered(selection) ? { candidates: Math.min(total, Math.round(given * total)) } : {}),
    seen: [...seen.values()].slice(0, POSITIONS),
  };
}

interface SampledPage {
  readonly visited: number;
  readonly candidates: number;
  readonly matching: readonly Bytes[];
}

async function samplePage(lease: Lease, selection: Selection, filter: Filter): Promise<SampledPage> {
  const cursor = String(randomInt(2 ** 32));
  const [all, given] = await Promise.all([
    lease.send(scanCommand(undefined, cursor, SAMPLE_PAGE)),
    lease.send(scanCommand(selection, cursor, SAMPLE_PAGE)),
  ]);
  const candidates = pageOf(given).keys;
  return { visited: pageOf(all).keys.length, candidates: candidates.length, matching: await filter(candidates) };
}

/**
 * The server takes up all that one client has sent before it turns to another, and a position costs it about half a
 * millisecond: all of them at once made others wait 20 ms (measured, Redis 7.0.15). From far away few round trips count more.
 */
function positionsAtOnce({ round_trip_ms }: Server): number {
  return Math.min(16, Math.max(2, Math.ceil(round_trip_ms)));
}

/**
 * The part of visited keys that matched, with a 95 % interval: the wider of Wilson's (keys lie in hash order, so a page is
 * a random sample of keys) and the ratio estimator's over pages (should a page's keys hang together after all).
 */
export function ratioInterval(pages: readonly { readonly visited: number; readonly matched: number }[]): {
  ratio: number;
  low: number;
  high: number;
} {
  const visited = pages.reduce((sum, page) => sum + page.visited, 0);
  const matched = pages.reduce((sum, page) => sum + page.matched, 0);
  if (visited === 0) return { ratio: 0, low: 0, high: 1 };
  const ratio = Math.min(1, matched / visited);
  const z = 2; // Student's t for 63 degrees of freedom at 95 %, rounded up
  const spread = z ** 2 / visited;
  const centre = (ratio + spread / 2) / (1 + spread);
  const half = (z * Math.sqrt((ratio * (1 - ratio)) / visited + z ** 2 / (4 * visited ** 2))) / (1 + spread);
  const mean = visited / pages.length;
  const squares = pages.reduce((sum, page) => sum + (page.matched - ratio * page.visited) ** 2, 0);
  const error = (z * Math.sqrt(squares / (pages.length * Math.max(1, pages.length - 1)))) / mean;
  return {
    ratio,
    low: Math.max(0, Math.min(centre - half, ratio - error)),
    high: Math.min(1, Math.max(centre + half, ratio + error)),
  };
}
