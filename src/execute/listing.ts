/** Scans that only look: the keys of a selection, or the TTL states of its prefixes. */
import { type Bytes, bytesId, fromBuffer, toBuffer } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import type { Event } from '../plan/event.ts';
import type { TtlGroup } from '../plan/report.ts';
import type { ScanStep } from '../plan/step.ts';
import { noTotals } from '../plan/totals.ts';
import { replyInteger } from '../redis/reply.ts';
import type { Ending } from './pipeline.ts';
import { isInterruption, type Session } from './session.ts';
import { walk } from './walk.ts';

/** Prefixes told apart in an audit; further ones are counted together under the empty prefix. */
const MAX_GROUPS = 1_000;

/** Lists or audits; keys come once each, although SCAN may give them twice. */
export async function* runListing(session: Session, step: ScanStep): AsyncGenerator<Event, Ending> {
  const { signal, plan } = session.context;
  const limit = step.limit ?? Number.POSITIVE_INFINITY;
  const seen = new Set<string>();
  const found: Bytes[] = [];
  const groups = new Map<string, TtlGroup>();
  let walked = false;
  let ending: Ending = { end: 'done' };
  try {
    const pages = walk(session, { selection: step.selection, count: step.count, deletes: false });
    while (found.length < limit) {
      if (signal.aborted) {
        ending = { end: 'interrupted' };
        break;
      }
      const next = await pages.next();
      if (next.done) {
        walked = true;
        for (const reason of next.value) yield { kind: 'unproven', reason };
        break;
      }
      const page = next.value;
      const fresh = page.keys.filter((key) => !seen.has(bytesId(key)));
      for (const key of fresh) seen.add(bytesId(key));
      const unique = [...new Map(fresh.map((key) => [bytesId(key), key])).values()];
      if (step.collect === 'ttl') await audit(session, unique, groups);
      else found.push(...unique.slice(0, limit - found.length));
      walked = page.next === '0' && !session.cluster;
      yield {
        kind: 'page',
        totals: { ...noTotals, scanned: step.count, matched: unique.length },
        planned_keys: plan.execution_plan.estimate.keys,
      };
    }
  } catch (error) {
    if (isInterruption(error, signal)) ending = { end: 'interrupted' };
    else if (error instanceof OpsError) ending = { end: 'fault', fault: error };
    else throw error;
  }
  if (step.collect === 'keys') yield { kind: 'found', keys: found, more: !walked || seen.size > found.length };
  else
    yield {
      kind: 'audited',
      groups: [...groups.values()].sort((a, b) => b.without_ttl - a.without_ttl || b.keys - a.keys),
    };
  return ending;
}

async function audit(session: Session, keys: readonly Bytes[], groups: Map<string, TtlGroup>): Promise<void> {
  const replies = await Promise.all(keys.map((key) => session.read(['PTTL', toBuffer(key)])));
  keys.forEach((key, index) => {
    const ttl = replyInteger(replies[index]!);
    if (ttl === undefined || ttl === -2) return; // gone since the scan saw it
    const wanted = prefixOf(key);
    const prefix = groups.has(bytesId(wanted)) || groups.size < MAX_GROUPS ? wanted : '';
    const group = groups.get(bytesId(prefix)) ?? { prefix, keys: 0, without_ttl: 0 };
    groups.set(bytesId(prefix), {
      ...group,
      keys: group.keys + 1,
      without_ttl: group.without_ttl + (ttl === -1 ? 1 : 0),
      ...(ttl >= 0
        ? { shortest_ms: Math.min(group.shortest_ms ?? ttl, ttl), longest_ms: Math.max(group.longest_ms ?? ttl, ttl) }
        : {}),
    });
  });
}

/** Up to and with the first ':'; the whole key where it has none. */
function prefixOf(key: Bytes): Bytes {
  const bytes = toBuffer(key);
  const colon = bytes.indexOf(0x3a);
  return colon === -1 ? key : fromBuffer(bytes.subarray(0, colon + 1));
}
