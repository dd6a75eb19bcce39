/**
 * What a unit of work costs where no curve says it, in microseconds of the server's main thread (commandstats of Redis
 * 7.0.15).
 */
import { type Costs, windowUnits } from '../plan/costs.ts';
import type { Server } from '../plan/target.ts';
import { about, type Micros, timeOf, times } from './server-time.ts';

/** One simple command (SET 0.6, GET 0.9, INCR 0.6, ZADD 1.3 with 100,000 distinct keys), its parsing included. */
export const commandMicros = 1;

/** One key that KEYS visits (0.11 when nothing matches, 0.33 when all do). */
export const keysVisitMicros = 0.33;

/** One key that SCAN visits, in a keyspace of that size; 0.9 (1M keys, COUNT 10 to 100,000) where it was not measured. */
export function scanVisit({ server, costs }: { readonly server: Server; readonly costs: Costs }): Micros {
  if (costs.curves['scan/keys'] === undefined) return about(0.9, 2.5);
  const window = { command: 'scan', type: 'keys', form: 'string', size: server.keys, units: windowUnits, per: 'size' };
  return times(timeOf({ ...window, form: 'string', per: 'size' } as const, costs), 1 / windowUnits);
}
