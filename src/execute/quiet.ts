/**
 * Whether others could have made the keys that a job finds after itself: the server counts the calls of every command. Where no
 * command was called that makes such keys, a key that is found was there before, and was missed. Only a proof counts: what the
 * server does not tell, or counts anew, proves nothing.
 */
import { commandName } from '../catalog/lookup.ts';
import { isWrite } from '../catalog/nature.ts';
import { infoFields } from '../inspect/info.ts';
import type { ForEachStep, Selection } from '../plan/step.ts';
import { literal } from '../plan/values.ts';
import { replyText } from '../redis/reply.ts';
import type { Session } from './session.ts';

/** Calls so far, by server process. */
export type Calls = ReadonlyMap<string, number>;

/** Commands that leave fewer such keys, or none more: by what the job does. Scripts only call others, which are counted themselves. */
const harmless: Readonly<Record<string, ReadonlySet<string>>> = {
  unlink: words('persist expire pexpire expireat pexpireat getdel'),
  pexpireat: words('expire pexpire expireat pexpireat'),
  persist: words('persist'),
};

function words(text: string): ReadonlySet<string> {
  return new Set(`del unlink flushall flushdb eval evalsha fcall ${text}`.split(' '));
}

/** How often commands were called, on all primaries, that could make a key such as the job leaves none of; undefined where that tells nothing, or when the user may not ask. Throws OpsError, LostConnection. */
export async function callsThatMake(session: Session, step: ForEachStep): Promise<Calls | undefined> {
  const name = commandName(step.do.argv.map(literal));
  const allowed = harmless[name === 'del' ? 'unlink' : name];
  if (allowed === undefined || changesByItself(step.selection)) return undefined;
  const routes = session.cluster ? session.context.connection.nodes().map(({ address }) => ({ address })) : [{}];
  const calls = new Map<string, number>();
  for (const route of routes) {
    const lease = await session.lease(route);
    const made = madeIn(replyText(await lease.send(['INFO', 'commandstats'])), allowed);
    if (made === undefined || lease.runId === undefined) return undefined;
    calls.set(lease.runId, made);
  }
  return calls;
}

/** True for filters that a key can come to pass without a command: a TTL runs down, fields of a hash expire, MEMORY USAGE samples. */
function changesByItself({ ttl, size, bytes }: Selection): boolean {
  return typeof ttl === 'object' || size !== undefined || bytes !== undefined;
}

/** Commands that no flag shows and after which the counts prove nothing: they forget them (before 7.0 counted as CONFIG), or bring other data. */
const voiding: ReadonlySet<string> = new Set(['config', 'config|resetstat', 'replicaof', 'slaveof']);

/** The calls that an INFO commandstats tells of, but for the harmless ones; undefined when it tells nothing. */
export function madeIn(text: string | undefined, allowed: ReadonlySet<string>): number | undefined {
  if (text === undefined) return undefined;
  let made = 0;
  let told = false;
  for (const [field, value] of infoFields(text)) {
    if (!field.startsWith('cmdstat_')) continue;
    told = true;
    const name = field.slice('cmdstat_'.length).toLowerCase();
    if (!voiding.has(name) && (allowed.has(name) || !isWrite(name.split('|')))) continue;
    made += Number(/calls=(\d+)/.exec(value)?.[1] ?? 1);
  }
  return told ? made : undefined;
}

/** True when no such call was made between the two, by the same processes. */
export function isQuiet(before: Calls | undefined, after: Calls | undefined): boolean {
  if (before === undefined || after === undefined || before.size !== after.size) return false;
  return [...before].every(([process, calls]) => after.get(process) === calls);
}
