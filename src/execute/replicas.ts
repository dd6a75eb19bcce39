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

/** What is known of the replicas of something applied. */
export interface Replication {
  readonly replicas?: number;
  /** Left out where nobody asked and there are none. */
  readonly replicated?: 'confirmed' | 'not_known';
}

/** What WAIT's answer means for what was asked, on a server with so many replicas. */
export function replicationOf(
  confirmed: number | undefined,
  asked: { readonly replicas: number } | undefined,
  server: { readonly replicas: number },
): Replication {
  if (asked === undefined) return server.replicas > 0 ? { replicated: 'not_known' } : {};
  const replicated = (confirmed ?? 0) >= asked.replicas ? 'confirmed' : 'not_known';
  return { replicated, ...(confirmed === undefined ? {} : { replicas: confirmed }) };
}

/** Why it is not proven that what was asked for was reached; undefined when it was, or nobody asked. */
export function unreplicated(
  confirmed: number | undefined,
  asked: { readonly replicas: number; readonly timeout_ms: number } | undefined,
): string | undefined {
  if (asked === undefined || (confirmed ?? 0) >= asked.replicas) return undefined;
  const told =
    confirmed === undefined ? 'WAIT was not answered' : `${confirmed} of ${asked.replicas} replicas confirmed it`;
  return `the transaction is committed, and not known to be replicated: ${told} within ${asked.timeout_ms} ms`;
}
