/**
 * Keys whose name says that they are meant to go away. Judged by the first part of the name only (`cache:`, `lock:`):
 * `settings:session:timeout` is a setting, and a warning that is wrong once is not read again.
 */
import { type Bytes, toBuffer } from '../base/bytes.ts';

/** What a temporary key is for; undefined for every other key. */
export function temporaryKind(key: Bytes): 'cache' | 'session' | 'lock' | 'rate limit' | 'temporary' | undefined {
  const name = toBuffer(key).toString('latin1').toLowerCase();
  const first = /^\{?([a-z][a-z_-]*)\}?[:.|/]/.exec(name)?.[1];
  return first === undefined ? undefined : kinds.get(first);
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
