/**
 * Waiting times counted in buckets a tenth apart: a quantile of any number of them in constant memory. Good to a tenth of
 * the value, which is finer than what a busy machine repeats.
 */

/** Counts of waiting times in milliseconds. */
export interface Histogram {
  /** Counts one, `weight` times. */
  add(ms: number, weight?: number): void;
  /**
   * Counts one wait, and those of the probes that it kept from being sent every `everyMs`: who only looks when the answer
   * to the last question has come sees one long wait where everybody else had many (coordinated omission).
   */
  addWithOmitted(ms: number, everyMs: number): void;
  /** How many were counted. */
  readonly count: number;
  /** How many of them were longer than `ms`, to a bucket. */
  over(ms: number): number;
  /** The smallest bucket's upper end that at least that share of them does not exceed; 0 when there are none. */
  quantile(share: number): number;
  clear(): void;
}

/** The first bucket ends here, in milliseconds; the last one holds everything above about two minutes. */
const FIRST_MS = 0.01;
const STEP = 1.1;
const BUCKETS = 172;
/** One long wait stands for this many omitted ones at most. */
const MOST_OMITTED = 1000;

/** An empty histogram. */
export function createHistogram(): Histogram {
  const counts = new Float64Array(BUCKETS);
  let count = 0;
  const add = (ms: number, weight = 1): void => {
    counts[bucketOf(ms)]! += weight;
    count += weight;
  };
  return {
    add,
    addWithOmitted(ms, everyMs) {
      add(ms);
      let left = MOST_OMITTED;
      for (let omitted = ms - everyMs; omitted >= everyMs && left > 0; omitted -= everyMs, left -= 1) add(omitted);
    },
    get count() {
      return count;
    },
    over(ms) {
      let many = 0;
      for (let bucket = bucketOf(ms) + 1; bucket < BUCKETS; bucket += 1) many += counts[bucket]!;
      return many;
    },
    quantile(share) {
      if (count === 0) return 0;
      let many = 0;
      for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
        many += counts[bucket]!;
        if (many >= share * count) return FIRST_MS * STEP ** bucket;
      }
      return FIRST_MS * STEP ** (BUCKETS - 1);
    },
    clear() {
      counts.fill(0);
      count = 0;
    },
  };
}

function bucketOf(ms: number): number {
  if (!(ms > FIRST_MS)) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / FIRST_MS) / Math.log(STEP) - 1e-9));
}
