/**
 * What a unit of work costs the server, in microseconds of its main thread: commandstats of Redis 7.0.15, medians of three
 * calls on collections of 200,000 elements (hash and set as tables, zset as skiplist, list of 10-byte items). They hold
 * within a factor of about two on common hardware; the price of a plan is for choosing, not for billing.
 */

/** One simple command (SET 0.6, GET 0.9, INCR 0.6, ZADD 1.3 with 100,000 distinct keys), its parsing included. */
export const commandMicros = 1;

/** One key that SCAN visits (commandstats over 1M keys, COUNT 10 to 100,000). */
export const scanVisitMicros = 0.9;

/** One key that KEYS visits (0.11 when nothing matches, 0.33 when all do). */
export const keysVisitMicros = 0.33;

/** One further argument of a command that takes many (HSET, SADD, ZADD ...). */
export const argumentMicros = 0.3;

/** Reading and sending one element, by type: HGETALL, SMEMBERS, ZRANGE, LRANGE, XRANGE. */
export function readMicros(type: string): number {
  return { hash: 0.38, set: 0.35, zset: 0.1, list: 0.11, stream: 0.78 }[type] ?? 0.35;
}

/** One element of an input of SUNION, SINTER, SDIFF, ZUNIONSTORE ...: hashing and, for stores, inserting. */
export const algebraMicros = 1.3;

/** Copying or sorting one element: COPY 0.46 (hash) to 0.95 (zset), SORT ALPHA 0.66. */
export const copyMicros = 0.7;

/** Stepping over one element of a list: LPOS, LREM, LINSERT. */
export const listStepMicros = 0.02;

/** Freeing one element on the main thread, by type; a 1M-field hash takes 400 to 600 ms. Lists and streams free whole nodes. */
export function freeMicros(type: string): number {
  return { hash: 0.45, set: 0.25, zset: 0.12, list: 0.001, stream: 0.001 }[type] ?? 0.45;
}

/** Freeing one byte of a string, which no server does in the background: 32 ms for 400 MB. */
export const freeStringByteMicros = 0.00008;
