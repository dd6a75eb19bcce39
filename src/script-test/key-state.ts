/**
 * The state of keys: written before a test, read around every call. It is only ever used on a server of our own, so
 * KEYS and whole values are no risk to anybody.
 */
import { type Bytes, bytesId, printable, toBuffer } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { type Decoded, ReplyError, type WireArgument } from '../formats/resp.ts';
import { type KeyContent, type ScriptTest, scoreText } from '../plan/script-fixtures.ts';
import { replyBytes, replyInteger, replyText } from '../redis/reply.ts';
import type { RedisSocket } from '../redis/socket.ts';

/** A key as it is on the server. `content` is undefined for a type that fixtures have no words for. */
export interface StoredKey {
  readonly key: Bytes;
  readonly type: string;
  readonly content: KeyContent | undefined;
  /** PTTL: -1 without a time to live. */
  readonly ttlMs: number;
}

/** Every key by its bytesId. */
export type KeySpace = ReadonlyMap<string, StoredKey>;

/** More keys than that are no fixture any more. */
const mostKeys = 10_000;

/** The commands that make the given keys. */
export function commandsOf(given: NonNullable<ScriptTest['given']>): readonly (readonly WireArgument[])[] {
  return given.flatMap(({ key, value }) => {
    const name = toBuffer(key);
    const makes = creation(name, value.content);
    return 'ttl' in value && value.ttl !== undefined ? [...makes, ['PEXPIRE', name, String(value.ttl)]] : makes;
  });
}

function creation(key: Buffer, content: KeyContent): WireArgument[][] {
  switch (content.type) {
    case 'string':
      return [['SET', key, toBuffer(content.value)]];
    case 'list':
      return [['RPUSH', key, ...content.items.map(toBuffer)]];
    case 'set':
      return [['SADD', key, ...content.items.map(toBuffer)]];
    case 'hash':
      return [['HSET', key, ...content.pairs.flat().map(toBuffer)]];
    case 'zset':
      return [['ZADD', key, ...content.pairs.flatMap(([member, score]) => [toBuffer(score), toBuffer(member)])]];
    case 'stream':
      return content.entries.map(({ id, fields }) => ['XADD', key, id, ...fields.flat().map(toBuffer)]);
  }
}

/** Reads every key of the database. Throws OpsError server_error for more than 10,000 keys, and what a socket throws. */
export async function readKeySpace(socket: RedisSocket): Promise<KeySpace> {
  const names = buffers(await asked(socket, ['KEYS', '*']));
  if (names.length > mostKeys)
    throw new OpsError('server_error', `there are ${names.length} keys: more than ${mostKeys} are not compared`);
  const stored = await Promise.all(names.map((name) => readKey(socket, name)));
  return new Map(stored.filter((one) => one.type !== 'none').map((one) => [bytesId(one.key), one]));
}

async function readKey(socket: RedisSocket, name: Buffer): Promise<StoredKey> {
  const [type, ttl] = await Promise.all([asked(socket, ['TYPE', name]), asked(socket, ['PTTL', name])]);
  const kind = replyText(type) ?? 'none';
  return {
    key: replyBytes(name) ?? '',
    type: kind,
    content: await readContent(socket, name, kind),
    ttlMs: replyInteger(ttl) ?? -1,
  };
}

async function readContent(socket: RedisSocket, key: Buffer, type: string): Promise<KeyContent | undefined> {
  const read = async (...argv: WireArgument[]): Promise<readonly Bytes[]> =>
    buffers(await asked(socket, argv)).map((item) => replyBytes(item) ?? '');
  switch (type) {
    case 'string':
      return { type, value: replyBytes(await asked(socket, ['GET', key])) ?? '' };
    case 'list':
      return { type, items: await read('LRANGE', key, '0', '-1') };
    case 'set':
      return { type, items: await read('SMEMBERS', key) };
    case 'hash':
      return { type, pairs: paired(await read('HGETALL', key)) };
    case 'zset': {
      const pairs = paired(await read('ZRANGE', key, '0', '-1', 'WITHSCORES'));
      return { type, pairs: pairs.map(([member, score]) => [member, scoreText(String(score))] as const) };
    }
    case 'stream': {
      const entries = await asked(socket, ['XRANGE', key, '-', '+']);
      return { type, entries: items(entries).map(entryOf) };
    }
    default:
      return undefined;
  }
}

function entryOf(entry: Decoded): { readonly id: string; readonly fields: readonly (readonly [Bytes, Bytes])[] } {
  const [id = null, fields = null] = items(entry);
  return { id: replyText(id) ?? '', fields: paired(buffers(fields).map((item) => replyBytes(item) ?? '')) };
}

/** The content in one spelling: equal texts are equal contents. What has no order is sorted. */
export function contentId(content: KeyContent): string {
  switch (content.type) {
    case 'string':
      return `string ${bytesId(content.value)}`;
    case 'list':
      return JSON.stringify(['list', ...content.items.map(bytesId)]);
    case 'set':
      return JSON.stringify(['set', ...content.items.map(bytesId).sort()]);
    case 'hash':
    case 'zset':
      return JSON.stringify([content.type, ...content.pairs.map((pair) => JSON.stringify(pair.map(bytesId))).sort()]);
    case 'stream':
      return JSON.stringify(content.entries.map(({ id, fields }) => [id, ...fields.flat().map(bytesId)]));
  }
}

/** The content for people: its type, then its elements. Unordered ones are sorted, so that two can be compared by eye. */
export function contentText(content: KeyContent): string {
  switch (content.type) {
    case 'string':
      return `string ${printable(content.value)}`;
    case 'list':
      return `list [${content.items.map(printable).join(', ')}]`;
    case 'set':
      return `set {${content.items.map(printable).sort().join(', ')}}`;
    case 'hash':
    case 'zset':
      return `${content.type} {${pairsText(content.pairs, true)}}`;
    case 'stream':
      return `stream [${content.entries.map(({ id, fields }) => `${printable(id)} {${pairsText(fields, false)}}`).join(', ')}]`;
  }
}

/** How many elements a key has; a string has one. */
export function contentSize(content: KeyContent): number {
  switch (content.type) {
    case 'string':
      return 1;
    case 'list':
    case 'set':
      return content.items.length;
    case 'hash':
    case 'zset':
      return content.pairs.length;
    case 'stream':
      return content.entries.length;
  }
}

function pairsText(pairs: readonly (readonly [Bytes, Bytes])[], sorted: boolean): string {
  const words = pairs.map(([name, value]) => `${printable(name)}: ${printable(value)}`);
  return (sorted ? words.sort() : words).join(', ');
}

async function asked(socket: RedisSocket, argv: readonly WireArgument[]): Promise<Decoded> {
  const reply = await socket.send(argv);
  if (reply instanceof ReplyError)
    throw new OpsError('server_error', `${String(argv[0])} was refused: ${reply.message}`, { reply: reply.code });
  return reply;
}

function items(reply: Decoded): readonly Decoded[] {
  return Array.isArray(reply) ? reply : [];
}

function buffers(reply: Decoded): readonly Buffer[] {
  return items(reply).filter((item) => Buffer.isBuffer(item));
}

function paired(words: readonly Bytes[]): readonly (readonly [Bytes, Bytes])[] {
  return words.flatMap((word, index) => (index % 2 === 0 ? [[word, words[index + 1] ?? ''] as const] : []));
}
