/**
 * The value of a key in parts of bounded size: small values in one packet with those of other keys, large collections
 * page by page, so that neither the server nor this process holds more than a part of them.
 */
import { type Bytes, toBuffer } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { cardinalityCommands } from '../catalog/cardinality.ts';
import { ReplyError, type WireArgument } from '../formats/resp.ts';
import type { Reader } from '../inspect/matching.ts';
import type { Target } from '../plan/target.ts';
import { type Reply, replyInteger, replyText } from '../redis/reply.ts';

/** The types that can be written as commands. */
export type ExportType = 'string' | 'list' | 'set' | 'zset' | 'hash' | 'stream';

/** A key before its value is read. `deadlineMs`: Unix milliseconds; undefined when it has no TTL. `size`: elements, bytes of a string. */
export interface KeyHead {
  readonly key: Bytes;
  readonly type: ExportType;
  readonly deadlineMs: number | undefined;
  readonly size: number;
}

/** One element as it is written: [value], [field, value], [member, score], [id, field, value, ...]. */
export type Element = readonly WireArgument[];

/** A key that cannot be written as it is, and what is missing. */
export interface Shortfall {
  readonly key: Bytes;
  readonly why: string;
}

/** Elements a reply holds at most; a collection up to this size is read whole. */
export const PAGE = 500;

/** Type, deadline and size of keys; a key that is gone is left out, one of a type that has no commands is a shortfall. */
export async function readHeads(
  lease: Reader,
  keys: readonly Bytes[],
  absolute: boolean,
): Promise<{ readonly heads: readonly KeyHead[]; readonly shortfalls: readonly Shortfall[] }> {
  // one packet: what is left to live and the clock are read at the same moment
  const replies = await Promise.all([
    lease.send(['TIME']),
    ...keys
      .map(toBuffer)
      .flatMap((key) => [lease.send(['TYPE', key]), lease.send([absolute ? 'PEXPIRETIME' : 'PTTL', key])]),
  ]);
  const [time, ...first] = replies;
  const timeMs = absolute ? 0 : timeOf(time!);
  const typed = keys.flatMap((key, index) => {
    const type = replyText(answerOf(first[index * 2]!)) ?? 'none';
    const ms = replyInteger(answerOf(first[index * 2 + 1]!)) ?? -1;
    return type === 'none' ? [] : [{ key, type, deadlineMs: ms < 0 ? undefined : timeMs + ms }];
  });
  const shortfalls = typed.flatMap(({ key, type }) =>
    cardinalityCommands.has(type) ? [] : [{ key, why: `not exported: the type ${type} has no commands that write it` }],
  );
  const known = typed.flatMap((head) => (isExportType(head.type) ? [{ ...head, type: head.type }] : []));
  const lengths = await Promise.all(
    known.map(({ key, type }) => lease.send([cardinalityCommands.get(type)!, toBuffer(key)])),
  );
  // a type that changed in between makes an error here; the key is read again on its own
  const heads = known.map((head, index) => ({ ...head, size: replyInteger(lengths[index]!) ?? Number.NaN }));
  return { heads: heads.filter(({ size, type }) => type === 'stream' || type === 'string' || size !== 0), shortfalls };
}

/** The whole value of a small key by one command. */
export function wholeCommand({ key, type }: KeyHead): WireArgument[] {
  const name = toBuffer(key);
  switch (type) {
    case 'string':
      return ['GET', name];
    case 'list':
      return ['LRANGE', name, '0', '-1'];
    case 'set':
      return ['SMEMBERS', name];
    case 'zset':
      return ['ZRANGE', name, '0', '-1', 'WITHSCORES'];
    case 'hash':
      return ['HGETALL', name];
    case 'stream':
      return ['XRANGE', name, '-', '+', 'COUNT', String(PAGE)];
  }
}

/** The elements of a reply to `wholeCommand` or of a page. Throws OpsError server_error for an error reply. */
export function elementsOf(type: ExportType, reply: Reply): Element[] {
  const value = answerOf(reply);
  if (type === 'string') return Buffer.isBuffer(value) ? [[value]] : [];
  if (value instanceof Map) return [...value].map(([field, content]) => [wordOf(field), wordOf(content)]);
  if (!Array.isArray(value)) return [];
  if (type === 'list' || type === 'set') return value.map((one) => [wordOf(one)]);
  if (type === 'stream') return value.map(entryOf);
  if (value.every((one) => Array.isArray(one))) return value.map((one) => one.map(wordOf));
  return pairsOf(value.map(wordOf));
}

/** The elements of a large collection, a page at a time. */
export async function* pagesOf(lease: Reader, head: KeyHead, pace: (commands: number) => Promise<void>) {
  const name = toBuffer(head.key);
  const ask = async (...argv: WireArgument[]): Promise<Reply> => {
    await pace(1);
    return answerOf(await lease.send(argv));
  };
  switch (head.type) {
    case 'string':
      yield elementsOf('string', await ask('GET', name));
      return;
    case 'list':
      for (let at = 0; ; at += PAGE) {
        const page = elementsOf('list', await ask('LRANGE', name, String(at), String(at + PAGE - 1)));
        if (page.length > 0) yield page;
        if (page.length < PAGE) return;
      }
    case 'stream':
      for (let from = '-'; ; ) {
        const page = elementsOf('stream', await ask('XRANGE', name, from, '+', 'COUNT', String(PAGE)));
        if (page.length > 0) yield page;
        if (page.length < PAGE) return;
        from = nextId(String(page.at(-1)![0]));
      }
    case 'set':
    case 'zset':
    case 'hash':
      for (let cursor = '0'; ; ) {
        const reply = await ask(scans[head.type], name, cursor, 'COUNT', String(PAGE));
        const [next, items] = Array.isArray(reply) ? reply : [];
        const words = Array.isArray(items) ? items.map(wordOf) : [];
        if (words.length > 0) yield head.type === 'set' ? words.map((word): Element => [word]) : pairsOf(words);
        cursor = (next === undefined ? undefined : replyText(next)) ?? '0';
        if (cursor === '0') return;
      }
  }
}

const scans = { set: 'SSCAN', zset: 'ZSCAN', hash: 'HSCAN' } as const;

function isExportType(type: string): type is ExportType {
  return cardinalityCommands.has(type);
}

/** What of a stream its entries do not say: its last id, and whether it has consumer groups. */
export async function streamInfo(
  lease: Reader,
  key: Bytes,
): Promise<{ readonly lastId: string; readonly groups: number }> {
  const reply = answerOf(await lease.send(['XINFO', 'STREAM', toBuffer(key)]));
  const flat = reply instanceof Map ? [...reply].flat() : Array.isArray(reply) ? reply : [];
  const facts = new Map<string, Reply>();
  for (let at = 0; at + 1 < flat.length; at += 2) facts.set(replyText(flat[at]!) ?? '', flat[at + 1]!);
  return {
    lastId: replyText(facts.get('last-generated-id') ?? null) ?? '0-0',
    groups: replyInteger(facts.get('groups') ?? null) ?? 0,
  };
}

/** Whether a server of this version keeps deadlines of hash fields: Redis from 7.4, Valkey from 9.0, Redict never. */
export function keepsFieldDeadlines({ engine, version }: Pick<Target['server'], 'engine' | 'version'>): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (engine === 'valkey') return major >= 9;
  return engine === 'redis' && (major > 7 || (major === 7 && minor >= 4));
}

/** Deadlines of hash fields in Unix milliseconds, -1 for none. `unknown`: the server knows no such command, as before Redis 7.4 and Valkey 9. `refused`: it did not say. */
export async function fieldDeadlines(
  lease: Reader,
  key: Bytes,
  fields: readonly WireArgument[],
): Promise<readonly number[] | 'unknown' | { readonly refused: string }> {
  const reply = await lease.send(['HPEXPIRETIME', toBuffer(key), 'FIELDS', String(fields.length), ...fields]);
  if (reply instanceof ReplyError && /^ERR unknown command/i.test(reply.message)) return 'unknown';
  if (!Array.isArray(reply)) return { refused: reply instanceof ReplyError ? reply.code : 'no list' };
  return reply.map((one) => replyInteger(one) ?? -1);
}

/** The value of a reply. Throws OpsError server_error for an error reply. */
export function answerOf(reply: Reply): Reply {
  if (!(reply instanceof ReplyError)) return reply;
  throw new OpsError('server_error', `the server refused to read a key: ${reply.message}`, { reply: reply.code });
}

function entryOf(entry: Reply): Element {
  const [id, fields] = Array.isArray(entry) ? entry : [];
  return [wordOf(id ?? null), ...(Array.isArray(fields) ? fields.map(wordOf) : [])];
}

function pairsOf(words: readonly WireArgument[]): Element[] {
  const pairs: Element[] = [];
  for (let at = 0; at + 1 < words.length; at += 2) pairs.push([words[at]!, words[at + 1]!]);
  return pairs;
}

/** A score of RESP3 is a double: the shortest text that is read back as the same one. */
function wordOf(value: Reply): WireArgument {
  if (Buffer.isBuffer(value) || typeof value === 'string') return value;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : numberText(value);
  return String(value);
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? 'inf' : '-inf';
}

/** The id behind a stream's id. */
function nextId(id: string): string {
  const [ms = '0', sequence = '0'] = id.split('-');
  const next = BigInt(sequence) + 1n;
  return next < 2n ** 64n ? `${ms}-${next}` : `${BigInt(ms) + 1n}-0`;
}

function timeOf(reply: Reply): number {
  const [seconds, micros] = Array.isArray(reply) ? reply : [];
  const text = [seconds, micros].map((one) => (one === undefined ? undefined : replyText(one)));
  if (text[0] !== undefined && text[1] !== undefined)
    return Number(text[0]) * 1000 + Math.floor(Number(text[1]) / 1000);
  throw new OpsError('auth', 'the server does not tell its time, so no deadline can be written', {
    remedy: 'The user needs +time.',
  });
}
