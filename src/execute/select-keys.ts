/**
 * The filters of a selection that SCAN does not apply (plan/filters.ts), on the keys of a page. Reads only, so they are
 * repeated when a connection is lost. A key can change between this and what is done to it: who acts looks again
 * (plan/guarded-command.ts).
 */
import type { Bytes } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { errorOf } from '../catalog/errors.ts';
import { matching, type Reader } from '../inspect/matching.ts';
import { isFiltered, readsPerKey } from '../plan/filters.ts';
import type { Selection } from '../plan/step.ts';
import { backoffMs, type Session } from './session.ts';
import { isPassing } from './walk-page.ts';

/** Keys that are asked about in one packet. */
const PACKET = 500;

/** Those of the keys that pass the filters of the selection, in their order; all of them, at no cost, where it has none. Keeps to the rate. Throws OpsError, or LostConnection when retries are used up. */
export async function keepMatching(
  session: Session,
  selection: Selection,
  keys: readonly Bytes[],
): Promise<readonly Bytes[]> {
  if (!isFiltered(selection)) return keys;
  const kept: Bytes[] = [];
  const size = session.batchSize(PACKET);
  for (let at = 0; at < keys.length; at += size) {
    const packet = keys.slice(at, at + size);
    await session.pace(packet.length * readsPerKey(selection));
    kept.push(...(await readPacket(session, selection, packet)));
  }
  return kept;
}

async function readPacket(session: Session, selection: Selection, keys: readonly Bytes[]): Promise<readonly Bytes[]> {
  const { clock, signal, plan } = session.context;
  const { retry } = plan.request;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await matching(await quietReader(session), selection, keys);
    } catch (error) {
      if (session.closed || !mayPass(error) || attempt >= retry.max_retries) throw error;
      await clock.sleep(backoffMs(attempt, retry.base_ms), signal);
    }
  }
}

/**
 * A connection that has sent CLIENT NO-TOUCH ON, so that looking at a key does not make it look used: from 7.2. Said again
 * with each packet, since a connection that was lost comes back without it. Never in a cluster: Redis 8.0.2 ends by
 * SIGSEGV when such a connection names a key of a slot that is being moved.
 */
async function quietReader(session: Session): Promise<Reader> {
  const reader = await session.reader();
  const [major = 0, minor = 0] = session.context.plan.target.server.redis_version.split('.').map(Number);
  if (session.cluster || major < 7 || (major === 7 && minor < 2)) return reader;
  // where the user may not, keys look used
  reader.send(['CLIENT', 'NO-TOUCH', 'ON']).catch(() => undefined);
  return reader;
}

function mayPass(error: unknown): boolean {
  return isPassing(error) || (error instanceof OpsError && error.reply !== undefined && errorOf(error.reply).retry);
}
