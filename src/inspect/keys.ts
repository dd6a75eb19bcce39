/** Facts about single keys, with O(1) commands only; the reads do not disturb LRU or LFU where the server allows it. */
import type { Bytes } from '../base/bytes.ts';
import { toBuffer } from '../base/bytes.ts';
import { cardinalityCommands } from '../catalog/cardinality.ts';
import type { KeyFacts } from '../plan/target.ts';
import type { Lease } from '../redis/connection.ts';
import { type Reply, replyInteger, replyText } from '../redis/reply.ts';

/** Keys asked about in one round trip: bounds what waits in either direction. */
const CHUNK = 500;

/** Facts of each key, in order. A fact that the user may not ask for is left out. */
export async function inspectKeys(lease: Pick<Lease, 'send'>, keys: readonly Bytes[]): Promise<KeyFacts[]> {
  const facts: KeyFacts[] = [];
  for (let at = 0; at < keys.length; at += CHUNK) {
    const chunk = keys.slice(at, at + CHUNK);
    const first = await Promise.all(chunk.map((key) => askKey(lease, toBuffer(key))));
    const [counts, groups] = await Promise.all([
      Promise.all(
        chunk.map((key, index) => {
          const command = cardinalityCommands.get(first[index]!.type);
          return command ? lease.send([command, toBuffer(key)]) : null;
        }),
      ),
      Promise.all(
        chunk.map((key, index) =>
          first[index]!.type === 'stream' ? lease.send(['XINFO', 'GROUPS', toBuffer(key)]) : null,
        ),
      ),
    ]);
    chunk.forEach((key, index) => {
      facts.push(factsOf(key, first[index]!, counts[index] ?? null, groups[index] ?? null));
    });
  }
  return facts;
}

interface FirstAnswers {
  readonly type: string;
  readonly ttl: Reply;
  readonly encoding: Reply;
  readonly bytes: Reply;
}

async function askKey(lease: Pick<Lease, 'send'>, key: Buffer): Promise<FirstAnswers> {
  const [type, ttl, encoding, bytes] = await Promise.all([
    lease.send(['TYPE', key]),
    lease.send(['PTTL', key]),
    lease.send(['OBJECT', 'ENCODING', key]),
    lease.send(['MEMORY', 'USAGE', key]),
  ]);
  return { type: replyText(type) ?? 'unknown', ttl, encoding, bytes };
}

function factsOf(key: Bytes, first: FirstAnswers, count: Reply, groups: Reply): KeyFacts {
  if (first.type === 'none') return { key, exists: false, type: 'none' };
  const encoding = replyText(first.encoding);
  const elements = replyInteger(count);
  const bytes = replyInteger(first.bytes);
  const ttl = replyInteger(first.ttl);
  return {
    key,
    exists: true,
    type: first.type,
    ...(encoding === undefined ? {} : { encoding }),
    ...(elements === undefined ? {} : { elements }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(ttl === undefined || ttl < -1 ? {} : { ttl_ms: ttl }),
    ...groupsOf(groups),
  };
}

/** XINFO GROUPS: for each group a list of names and values. Nothing where it is refused. */
function groupsOf(reply: Reply): Pick<KeyFacts, 'groups' | 'pending'> {
  if (!Array.isArray(reply)) return {};
  const pending = reply.map((group) => {
    const at = Array.isArray(group) ? group.findIndex((word) => replyText(word) === 'pending') : -1;
    return (Array.isArray(group) && at >= 0 ? replyInteger(group[at + 1] ?? null) : undefined) ?? 0;
  });
  return { groups: reply.length, pending: pending.reduce((sum, one) => sum + one, 0) };
}
