/**
 * How many commands go out together. The specification's table by network distance, entered with the round trip that
 * was measured; the performance mode picks the end of the row. A starting point: in flight is one batch today.
 */
import { formatDuration } from '../base/units.ts';
import type { Request } from '../plan/request.ts';
import type { Target } from '../plan/target.ts';

/** A batch size (commands), and the sentence that says why. */
export interface BatchSize {
  readonly size: number;
  readonly reason: string;
}

interface Row {
  readonly network: 'local' | 'LAN' | 'WAN';
  readonly low: number;
  readonly high: number;
}

/** The batch size for a request on a target; without a target the row for a local server. A rate limit caps it at a tenth of a second's worth. */
export function batchSize(
  request: Pick<Request, 'performance_mode' | 'limits'>,
  target: Target | undefined,
): BatchSize {
  const row = rowFor(target?.server.round_trip_ms);
  const mode = request.performance_mode;
  const size = sizeIn(row, mode);
  const { rate } = request.limits;
  const paced = rate === undefined ? size : Math.max(1, Math.ceil(rate / 10));
  if (paced < size)
    return { size: paced, reason: `Batches of ${paced}: a tenth of a second's worth of the rate limit of ${rate}/s.` };
  const measured =
    target === undefined
      ? 'no round trip measured yet, so taken as local'
      : `round trip ${formatDuration(target.server.round_trip_ms)}: ${row.network}`;
  return { size, reason: `Batches of ${size}: ${measured}, ${row.low} to ${row.high} suit that, mode ${mode}.` };
}

/** SCAN's COUNT: how many keys one call visits. */
export function scanCount(mode: Request['performance_mode']): BatchSize {
  const size = { latency_optimized: 100, balanced: 500, throughput_optimized: 1000 }[mode];
  // 0.9 us a visited key: commandstats of SCAN over 1M keys, COUNT 10 to 100,000, on Redis 7.0.15
  const ms = (size * 0.9) / 1000;
  return { size, reason: `SCAN COUNT ${size} (${mode}): one call holds the server about ${formatDuration(ms)}.` };
}

function rowFor(roundTripMs: number | undefined): Row {
  if (roundTripMs === undefined || roundTripMs < 0.3) return { network: 'local', low: 100, high: 500 };
  if (roundTripMs < 10) return { network: 'LAN', low: 200, high: 1000 };
  return { network: 'WAN', low: 500, high: 2000 };
}

function sizeIn(row: Row, mode: Request['performance_mode']): number {
  if (mode === 'latency_optimized') return row.low;
  return mode === 'throughput_optimized' ? row.high : Math.round((row.low + row.high) / 2);
}
