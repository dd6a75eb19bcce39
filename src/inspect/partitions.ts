/**
 * Parts of a keyspace that are walked at the same time, so that a round trip is waited for once for all of them.
 *
 * SCAN's cursor counts in reverse-binary order: with P a power of two, a walk that starts at cursor p < P stays at cursors
 * whose low bits are p until its part is done. That is how the dictionaries of Redis 5 to 8 and Valkey 8 and 9 behave
 * outside cluster mode, and not a promise of any of them: elsewhere there is one cursor. The parts are not quite disjoint:
 * the call that ends one part visits some keys of the next, too.
 */
import type { Request } from '../plan/request.ts';
import type { Server } from '../plan/target.ts';

/** One part. `name` is its name in the journal; `start` its first cursor. */
export interface Partition {
  readonly name: string;
  readonly start: string;
  /** Where a cursor stands that SCAN gave in this part: still in it, at its end, or where no dictionary of these leads (then the parts cannot be trusted). */
  place(cursor: string): 'inside' | 'end' | 'strange';
}

/** The whole keyspace: one cursor from 0 to 0. */
export const whole: Partition = { name: '', start: '0', place: (cursor) => (cursor === '0' ? 'end' : 'inside') };

/** The keyspace in `parts` parts, a power of two. */
export function partitions(parts: number): readonly Partition[] {
  if (parts <= 1) return [whole];
  return Array.from({ length: parts }, (_, part) => ({
    name: `${part}/${parts}`,
    start: String(part),
    place: (cursor) => {
      if (cursor === '0') return 'end';
      const low = Number(BigInt(cursor) % BigInt(parts));
      if (low === part) return 'inside';
      return reversed(low, parts) > reversed(part, parts) ? 'end' : 'strange';
    },
  }));
}

/** The bits of a number below `parts`, read from the other end: its turn in SCAN's order. */
function reversed(value: number, parts: number): number {
  let turned = 0;
  for (let bit = 1; bit < parts; bit *= 2) turned = turned * 2 + (value & bit ? 1 : 0);
  return turned;
}

/** How many parts to walk at once: more over a distance, fewer where little is there to be walked, one where cursors may be of another kind. */
export function partsFor(
  server: Pick<Server, 'engine' | 'version' | 'cluster' | 'keys' | 'round_trip_ms'>,
  mode: Request['performance_mode'],
  count: number,
): number {
  if (!cursorsKnown(server)) return 1;
  let parts = wanted(mode, server.round_trip_ms);
  // a part's last call runs over into the next: that has to stay a small share
  while (parts > 1 && server.keys < parts * count * 8) parts /= 2;
  return parts;
}

function cursorsKnown({ engine, version, cluster }: Pick<Server, 'engine' | 'version' | 'cluster'>): boolean {
  if (cluster) return false;
  const major = Number.parseInt(version, 10);
  return (engine === 'redis' && major >= 5 && major <= 8) || (engine === 'valkey' && major >= 8 && major <= 9);
}

function wanted(mode: Request['performance_mode'], roundTripMs: number): number {
  if (roundTripMs >= 10) return 16;
  if (roundTripMs >= 0.3) return 8;
  return mode === 'latency_optimized' ? 1 : 4;
}
