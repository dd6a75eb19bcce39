/**
 * How many replicas have what was just written: WAIT, on the connection that wrote it. A replica that confirmed has it in
 * memory; which of them a failover promotes is another matter, and so is a failover of a primary that confirmed alone.
 */
import { OpsError } from '../base/ops-error.ts';
import type { Lease } from '../redis/connection.ts';
import { replyInteger } from '../redis/reply.ts';

/** Milliseconds that WAIT is given where nobody says how many. */
export const defaultWaitMs = 1_000;

/** Replicas that confirmed, as WAIT counts them; undefined when the server did not say (not permitted, connection lost). Never rejects for that: what was written stays written. */
export async function confirmedBy(
  lease: Lease,
  { replicas, timeout_ms }: { readonly replicas: number; readonly timeout_ms: number },
): Promise<number | undefined> {
  try {
    // beyond WAIT's own time the connection is lost, not the transaction
    const timeoutMs = timeout_ms + GRACE_MS;
    return replyInteger(await lease.send(['WAIT', String(replicas), String(timeout_ms)], { timeoutMs }));
  } catch (error) {
    if (error instanceof OpsError) return undefined;
    throw error;
  }
}

const GRACE_MS = 5_000;
