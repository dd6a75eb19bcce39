/**
 * The TTL strategy guide: which time to live suits which data. One table, read by the recipe that sets TTLs and by the
 * rule that warns about a TTL outside its strategy's range.
 */

/** The strategies of the guide. */
export type TtlStrategyName = 'session' | 'cache_hot' | 'cache_warm' | 'cache_cold' | 'rate_limit' | 'lock';

/** One strategy. Times in milliseconds. */
export interface TtlStrategy {
  /** What the time to live follows from. */
  readonly follows: string;
  /** The recommended range, both ends included. */
  readonly range?: { readonly shortest_ms: number; readonly longest_ms: number };
  /** Set when the request gives no ttl: the range's longest, so that nothing is deleted early by default. Absent: ttl is needed. */
  readonly default_ms?: number;
  /** The TTL that is set is the given ttl times this: a lock must outlive the operation. */
  readonly factor: number;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** The guide's table. */
export const ttlStrategies: Readonly<Record<TtlStrategyName, TtlStrategy>> = {
  session: cache('the session timeout', 30 * minute, 24 * hour),
  cache_hot: cache('how fresh hot cache data must be', minute, 5 * minute),
  cache_warm: cache('how fresh warm cache data must be', 5 * minute, 60 * minute),
  cache_cold: cache('how fresh cold cache data must be', hour, 24 * hour),
  rate_limit: { follows: 'the window', range: { shortest_ms: second, longest_ms: hour }, factor: 1 },
  lock: { follows: 'the longest time the operation may take, times 3 as a safety margin', factor: 3 },
};

function cache(follows: string, shortest_ms: number, longest_ms: number): TtlStrategy {
  return { follows, range: { shortest_ms, longest_ms }, default_ms: longest_ms, factor: 1 };
}
