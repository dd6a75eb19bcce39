/**
 * The keys that are measured on: collections of a known number of small elements, built by many short commands, so that
 * building them holds nobody up. Elements are 14 bytes, values 16: what is larger is priced by its bytes.
 */
import type { WireArgument } from '../formats/resp.ts';

/** The types that have curves of their own; `keys`: many strings of 16 bytes. */
export type Kind = 'string' | 'hash' | 'set' | 'zset' | 'list' | 'stream' | 'keys';

/** Elements that one command adds: about 100 us of the server. */
const chunk = 200;

/** The commands that build a key. `units`: elements of a collection, bytes of a string. `table`: never in the compact encoding, whatever the size. */
export function* building(kind: Kind, key: string, units: number, table: boolean): Generator<WireArgument[]> {
  if (kind === 'string') {
    yield* stringOf(key, units);
    return;
  }
  if (kind === 'keys') {
    for (let from = 0; from < units; from += chunk) yield setting(key, Math.min(chunk, units - from), from);
    return;
  }
  // one long element is what makes a small collection a table
  if (table && kind !== 'list' && kind !== 'stream') yield adding(kind, key, [longMember]);
  for (let from = table ? 1 : 0; from < units; from += chunk) {
    const members = Array.from({ length: Math.min(chunk, units - from) }, (_, at) => memberOf(from + at));
    if (kind === 'stream') for (const member of members) yield ['XADD', key, '*', 'field', member];
    else yield adding(kind, key, members);
  }
}

/** The name of the element with that number. */
export function memberOf(number: number): string {
  return `m:${String(number).padStart(12, '0')}`;
}

/** The value of a hash's field. */
export const fieldValue = 'value-0123456789';

const longMember = `m:${'x'.repeat(98)}`;

/** The names of many keys: of those from a number on. */
export function namesOf(prefix: string, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}:${from + at}`);
}

/** MSET of many keys with values of 16 bytes. */
export function setting(prefix: string, count: number, from = 0): string[] {
  return ['MSET', ...namesOf(prefix, count, from).flatMap((name) => [name, fieldValue])];
}

/** A command that adds elements to a collection. */
export function adding(
  kind: Exclude<Kind, 'string' | 'stream' | 'keys'>,
  key: string,
  members: readonly string[],
): string[] {
  switch (kind) {
    case 'hash':
      return ['HSET', key, ...members.flatMap((member) => [member, fieldValue])];
    case 'set':
      return ['SADD', key, ...members];
    case 'zset':
      return ['ZADD', key, ...members.flatMap((member) => [scoreOf(member), member])];
    case 'list':
      return ['RPUSH', key, ...members];
  }
}

/** Scores are no order of arrival: what lies side by side in a sorted set that is used lies anywhere in memory. */
function scoreOf(member: string): string {
  let mixed = Math.imul((Number.parseInt(member.slice(2), 10) || 0) + 1, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
  return String((mixed ^ (mixed >>> 13)) >>> 0);
}

const appended = 256 * 1024;

function* stringOf(key: string, bytes: number): Generator<WireArgument[]> {
  yield ['SET', key, Buffer.alloc(Math.min(bytes, appended), 0x61)];
  for (let at = appended; at < bytes; at += appended)
    yield ['APPEND', key, Buffer.alloc(Math.min(appended, bytes - at), 0x61)];
}
