/** Which names say that a key is meant to go away: the same as the pattern that says it in one line. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Bytes, fromBuffer, toBuffer } from '../base/bytes.ts';
import { temporaryKind } from './temporary-keys.ts';

const words =
  'cache cached session sessions sess lock locks mutex rate ratelimit rate_limit rate-limit throttle tmp temp otp';

function byPattern(key: Bytes): boolean {
  const first = /^\{?([a-z][a-z_-]*)\}?[:.|/]/.exec(toBuffer(key).toString('latin1').toLowerCase())?.[1];
  return first !== undefined && words.split(' ').includes(first);
}

test.each(['cache:1', '{cache}:1', '{cache:1}', 'CACHE.1', 'rate_limit|x', 'rate-limit/x', '{rate_limit}:', 'otp:'])(
  '%s is',
  (key) => {
    expect(temporaryKind(key)).toBeDefined();
    expect(byPattern(key)).toBe(true);
  },
);

test.each([
  'cache',
  'mycache:1',
  'cache1:1',
  'caches:1',
  '-cache:1',
  '{{cache}}:1',
  'loc\u212a:1',
  'rate_limits:1',
  '',
])('%s is not', (key) => {
  expect(temporaryKind(key)).toBeUndefined();
  expect(byPattern(key)).toBe(false);
});

test('agrees with the pattern for any bytes', () => {
  const part = fc.constantFrom(...words.split(' '), '{', '}', ':', '.', '-', '_', 'a', 'X', '1', '\u212a', 'é');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(part, { maxLength: 5 }).map((parts) => parts.join('')),
        fc.uint8Array().map(fromBuffer),
      ),
      (key) => {
        expect(temporaryKind(key) !== undefined).toBe(byPattern(key));
      },
    ),
    { numRuns: 2000 },
  );
});
