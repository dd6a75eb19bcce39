/**
 * Keys whose name says that they are meant to go away. Judged by the first part of the name only (`cache:`, `lock:`):
 * `settings:session:timeout` is a setting, and a warning that is wrong once is not read again.
 */
import { type Bytes, toBuffer } from '../base/bytes.ts';

/** What a temporary key is for; undefined for every other key. */
export function temporaryKind(key: Bytes): 'cache' | 'session' | 'lock' | 'rate limit' | 'temporary' | undefined {
  const name = typeof key === 'string' ? key : toBuffer(key).toString('latin1');
  const tagged = name.charCodeAt(0) === openBrace ? 1 : 0;
  let end = tagged;
  while (end <= longest && isNameCharacter(name.charCodeAt(end))) end += 1;
  const kind = end > longest ? undefined : kinds.get(name.slice(tagged, end).toLowerCase());
  if (kind === undefined) return undefined;
  // `{cache}:1` and `{cache:1}` are both of the first part
  return separators.has(name.charCodeAt(name.charCodeAt(end) === closeBrace ? end + 1 : end)) ? kind : undefined;
}

const openBrace = 0x7b;
const closeBrace = 0x7d;
const separators: ReadonlySet<number> = new Set([':', '.', '|', '/'].map((separator) => separator.charCodeAt(0)));
/** Of the names below, with a brace before it. */
const longest = 11;

/** A letter, `_` or `-`. */
function isNameCharacter(code: number): boolean {
  const lower = code | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || code === 0x5f || code === 0x2d;
}

const kinds: ReadonlyMap<string, 'cache' | 'session' | 'lock' | 'rate limit' | 'temporary'> = new Map([
  ['cache', 'cache'],
  ['cached', 'cache'],
  ['session', 'session'],
  ['sessions', 'session'],
  ['sess', 'session'],
  ['lock', 'lock'],
  ['locks', 'lock'],
  ['mutex', 'lock'],
  ['rate', 'rate limit'],
  ['ratelimit', 'rate limit'],
  ['rate_limit', 'rate limit'],
  ['rate-limit', 'rate limit'],
  ['throttle', 'rate limit'],
  ['tmp', 'temporary'],
  ['temp', 'temporary'],
  ['otp', 'temporary'],
]);
