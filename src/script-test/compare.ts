/** What a test expected against what is there: pure, and every difference in words that name both sides. */
import { type Bytes, bytesId, printable, quoted } from '../base/bytes.ts';
import { type Decoded, ReplyError } from '../formats/resp.ts';
import type { ExpectedKey, ExpectedReply, ExpectedTtl, ScriptTest } from '../plan/script-fixtures.ts';
import type { Mismatch } from '../plan/script-results.ts';
import { replyBytes } from '../redis/reply.ts';
import { contentId, contentSize, contentText, type KeySpace, type StoredKey } from './key-state.ts';

type Expect = NonNullable<ScriptTest['expect']>;

/** The difference between a reply and what was expected of it; undefined where it is as expected. */
export function replyMismatch(expected: ExpectedReply, got: Decoded, at: string): Mismatch | undefined {
  return replyMatches(expected, got) ? undefined : { at, expected: expectedText(expected), got: replyWords(got) };
}

function replyMatches(expected: ExpectedReply, got: Decoded): boolean {
  if (expected === null) return got === null;
  if (typeof expected === 'number') return got === expected;
  if (typeof expected === 'string') return sameText(expected, got);
  if (isList(expected)) {
    return (
      Array.isArray(got) &&
      got.length === expected.length &&
      expected.every((one, index) => replyMatches(one, got[index] ?? null))
    );
  }
  if ('base64' in expected) return sameText(expected, got);
  if ('any' in expected) return !(got instanceof ReplyError);
  if ('status' in expected) return got === expected.status;
  if ('error' in expected) return got instanceof ReplyError && got.message.includes(expected.error);
  const integer = integerOf(got);
  if ('integer' in expected) {
    const whole = typeof got === 'number' || typeof got === 'bigint';
    return whole && (expected.integer === true || integer === BigInt(expected.integer));
  }
  const [low, high] = expected.between;
  return integer !== undefined && integer >= BigInt(low) && integer <= BigInt(high);
}

// Array.isArray does not narrow a readonly array
function isList(expected: ExpectedReply): expected is readonly ExpectedReply[] {
  return Array.isArray(expected);
}

function sameText(expected: Bytes, got: Decoded): boolean {
  const bytes = got instanceof ReplyError ? undefined : replyBytes(got);
  return bytes !== undefined && bytesId(bytes) === bytesId(expected);
}

/** The integer of an integer reply, or of a string reply that spells one. */
function integerOf(got: Decoded): bigint | undefined {
  if (typeof got === 'number' || typeof got === 'bigint') return BigInt(got);
  const text = got instanceof ReplyError ? undefined : replyBytes(got);
  return typeof text === 'string' && /^-?\d+$/.test(text) ? BigInt(text) : undefined;
}

function expectedText(expected: ExpectedReply): string {
  if (expected === null) return 'nil';
  if (typeof expected === 'number') return `the integer ${expected}`;
  if (typeof expected === 'string') return quoted(expected);
  if (isList(expected)) return `[${expected.map(expectedText).join(', ')}]`;
  if ('base64' in expected) return quoted(expected);
  if ('any' in expected) return 'any reply that is no error';
  if ('status' in expected) return `the status ${printable(expected.status)}`;
  if ('error' in expected) return `an error with ${quoted(expected.error)}`;
  if ('integer' in expected) return expected.integer === true ? 'any integer' : `the integer ${expected.integer}`;
  return `an integer from ${expected.between[0]} to ${expected.between[1]}`;
}

/** A reply in words: strings in quotes, integers named, so that 1 and "1" are told apart. */
export function replyWords(reply: Decoded): string {
  if (reply === null) return 'nil';
  if (reply instanceof ReplyError) return `the error ${quoted(reply.message)}`;
  if (Array.isArray(reply)) return `[${reply.map(replyWords).join(', ')}]`;
  if (typeof reply === 'string') return `the status ${printable(reply)}`;
  if (Buffer.isBuffer(reply)) return quoted(replyBytes(reply) ?? '');
  if (reply instanceof Map) return `a map of ${reply.size}`;
  return typeof reply === 'boolean' ? String(reply) : `the integer ${reply}`;
}

/** The differences between the keys that are named and what is there. */
export function keyMismatches(expect: Expect, space: KeySpace): Mismatch[] {
  const ttls = new Map((expect.ttl ?? []).map(({ key, value }) => [bytesId(key), value]));
  return [
    ...(expect.keys ?? []).flatMap(({ key, value }) => keyMismatch(key, value, space.get(bytesId(key)))),
    ...(expect.keys ?? []).flatMap(({ key }) =>
      ttls.has(bytesId(key)) ? [] : ttlMismatch(key, 'none', space.get(bytesId(key)), true),
    ),
    ...(expect.ttl ?? []).flatMap(({ key, value }) => ttlMismatch(key, value, space.get(bytesId(key)), false)),
    ...(expect.absent ?? []).flatMap((key) => {
      const stored = space.get(bytesId(key));
      return stored ? [{ at: `key ${printable(key)}`, expected: 'absent', got: storedText(stored) }] : [];
    }),
  ];
}

function keyMismatch(key: Bytes, expected: ExpectedKey, stored: StoredKey | undefined): Mismatch[] {
  const at = `key ${printable(key)}`;
  if ('content' in expected) {
    const same = stored?.content !== undefined && contentId(stored.content) === contentId(expected.content);
    return same ? [] : [{ at, expected: contentText(expected.content), got: storedText(stored) }];
  }
  const { type, size } = expected;
  const fits =
    stored?.type === type && (size === undefined || (stored.content && contentSize(stored.content) === size));
  return fits
    ? []
    : [{ at, expected: size === undefined ? `a ${type}` : `a ${type} of size ${size}`, got: storedText(stored) }];
}

/** `unnamed`: the fixture says nothing of a time to live, which means that there is none. A key that is not there is reported elsewhere. */
function ttlMismatch(key: Bytes, expected: ExpectedTtl, stored: StoredKey | undefined, unnamed: boolean): Mismatch[] {
  if (!stored && unnamed) return [];
  const ttl = stored?.ttlMs;
  const got = ttl === undefined ? 'no key' : ttl < 0 ? 'none' : `${ttl} ms`;
  const at = `ttl of ${printable(key)}`;
  if (expected === 'any') return ttl !== undefined && ttl >= 0 ? [] : [{ at, expected: 'some', got }];
  if (expected === 'none') {
    const words = unnamed ? 'none, since expect.ttl does not name the key' : 'none';
    return ttl === -1 ? [] : [{ at, expected: words, got }];
  }
  const [low, high] = expected.between;
  return ttl !== undefined && ttl >= low && ttl <= high ? [] : [{ at, expected: `${low} to ${high} ms`, got }];
}

function storedText(stored: StoredKey | undefined): string {
  if (!stored) return 'absent';
  return stored.content ? contentText(stored.content) : `a ${stored.type}`;
}

/** The keys that differ between two states: made, removed or changed. What expired by itself in `elapsedMs` was not touched. */
export function touchedKeys(before: KeySpace, after: KeySpace, elapsedMs: number): readonly Touched[] {
  const ids = new Set([...before.keys(), ...after.keys()]);
  return [...ids].flatMap((id) => {
    const was = before.get(id);
    const is = after.get(id);
    const expired = was !== undefined && is === undefined && was.ttlMs >= 0 && was.ttlMs <= elapsedMs + 1;
    const how = expired ? undefined : howTouched(was, is);
    return how === undefined ? [] : [{ key: (was ?? is)!.key, how, is }];
  });
}

/** A key that a call changed, how in words, and what it is now. */
export interface Touched {
  readonly key: Bytes;
  readonly how: 'made' | 'removed' | 'changed' | 'given a time to live' | 'left without its time to live';
  readonly is: StoredKey | undefined;
}

function howTouched(was: StoredKey | undefined, is: StoredKey | undefined): Touched['how'] | undefined {
  if (!was) return 'made';
  if (!is) return 'removed';
  if (identity(was) !== identity(is)) return 'changed';
  if (was.ttlMs < 0 && is.ttlMs >= 0) return 'given a time to live';
  return was.ttlMs >= 0 && is.ttlMs < 0 ? 'left without its time to live' : undefined;
}

function identity({ type, content }: StoredKey): string {
  return content ? contentId(content) : type;
}

/** What a call touched although it must not: keys outside its KEYS, and keys that the test does not name. */
export function strayMismatches(
  touched: readonly Touched[],
  declared: readonly Bytes[],
  expect: Expect | undefined,
): Mismatch[] {
  const inKeys = new Set(declared.map(bytesId));
  const named = new Set(
    [...(expect?.keys ?? []), ...(expect?.ttl ?? [])]
      .map(({ key }) => bytesId(key))
      .concat((expect?.absent ?? []).map(bytesId)),
  );
  return touched.flatMap(({ key, how, is }) => {
    const at = `key ${printable(key)}`;
    const got = is ? `${how}: ${storedText(is)}` : how;
    if (!inKeys.has(bytesId(key))) return [{ at, expected: 'untouched, since it is not in KEYS', got }];
    return named.has(bytesId(key)) ? [] : [{ at, expected: 'untouched, since expect does not name it', got }];
  });
}
