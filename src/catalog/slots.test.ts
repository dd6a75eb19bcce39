import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBuffer } from '../base/bytes.ts';
import { hashTagOf, slotOf } from './slots.ts';

describe('slotOf', () => {
  it('gives what CLUSTER KEYSLOT answers', () => {
    const known: readonly (readonly [string, number])[] = [
      ['123456789', 12739],
      ['foo', 12182],
      ['{user1000}.following', 3443],
      ['{user1000}.followers', 3443],
      ['', 0],
    ];
    for (const [key, slot] of known) expect([key, slotOf(key)]).toEqual([key, slot]);
  });

  it('hashes only the tag, where there is one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.uint8Array(), (tag, rest) => {
        fc.pre(!tag.includes(0x7d));
        const key = Buffer.concat([Buffer.from('{'), tag, Buffer.from('}'), rest]);
        expect(slotOf(fromBuffer(key))).toBe(slotOf(hashTagOf(fromBuffer(key))) % 16384);
        expect(hashTagOf(fromBuffer(key))).toEqual(fromBuffer(tag));
      }),
    );
  });
});

describe('hashTagOf', () => {
  it('takes the first brace and the next closing one, and the whole key when nothing is between them', () => {
    expect(hashTagOf('a{b}c{d}')).toBe('b');
    expect(hashTagOf('foo{{bar}}zap')).toBe('{bar');
    expect(hashTagOf('foo{}{bar}')).toBe('foo{}{bar}');
    expect(hashTagOf('{}a}')).toBe('{}a}');
    expect(hashTagOf('}a{b')).toBe('}a{b');
    expect(hashTagOf({ base64: Buffer.from([0x7b, 0xff, 0x7d, 0x61]).toString('base64') })).toEqual({ base64: '/w==' });
  });
});
