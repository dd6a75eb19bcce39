import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bytes, byteLength, bytesId, fromBuffer, printable, quoted, sameBytes, toBuffer } from './bytes.ts';

describe('bytes', () => {
  it('are a string exactly when they are UTF-8', () => {
    expect(fromBuffer(Buffer.from('ключ'))).toBe('ключ');
    expect(fromBuffer(Buffer.from([]))).toBe('');
    expect(fromBuffer(Buffer.from([0xef, 0xbb, 0xbf, 0x61]))).toBe('\ufeffa'); // a byte order mark is data
    expect(fromBuffer(Buffer.from([0xff]))).toEqual({ base64: '/w==' });
    expect(fromBuffer(Buffer.from([0xed, 0xa0, 0x80]))).toEqual({ base64: '7aCA' }); // a surrogate is no UTF-8
    expect(fromBuffer(Buffer.from([0xc0, 0x80]))).toEqual({ base64: 'wIA=' }); // nor is an overlong form
  });

  it('come back as they were, with the right length', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (raw) => {
        const bytes = fromBuffer(raw);
        expect(toBuffer(bytes).equals(raw)).toBe(true);
        expect(byteLength(bytes)).toBe(raw.length);
      }),
    );
  });

  it('are the same exactly when they are the same bytes', () => {
    expect(sameBytes('a', 'a')).toBe(true);
    expect(sameBytes('a', 'b')).toBe(false);
    expect(sameBytes({ base64: '/w==' }, { base64: '/w==' })).toBe(true);
    expect(sameBytes('/w==', { base64: '/w==' })).toBe(false);
    expect(bytesId('/w==')).not.toBe(bytesId({ base64: '/w==' }));
  });
});

describe('printable', () => {
  it.each<[Bytes, string]>([
    ['user:1', 'user:1'],
    ['ключ', 'ключ'],
    ['\u{1F600}', '\u{1F600}'],
    ['{user}:1', '{user}:1'],
    ['', '""'],
    ['a b', '"a b"'],
    ['a"b', '"a\\"b"'],
    ["a'b", `"a'b"`],
    ['a\\b', '"a\\\\b"'],
    ['a\\', '"a\\\\"'],
    ['#a', '"#a"'],
    ['{{a}}', '"{{a}}"'],
    ['a{{b', '"a{{b"'],
    ['a\nb\r\t', '"a\\nb\\r\\t"'],
    ['\0\x1b[2J', '"\\x00\\x1b[2J"'],
    ['a\x7f', '"a\\x7f"'],
    [{ base64: '/wA=' }, '"\\xff\\x00"'],
    [{ base64: '/2Eix6k=' }, '"\\xffa\\"\\xc7\\xa9"'],
  ])('%j', (bytes, text) => {
    expect(printable(bytes)).toBe(text);
  });

  it('shows nothing that repaints, reorders or hides', () => {
    const hidden = [
      0x85, 0x9b, 0xad, 0x34f, 0x61c, 0x115f, 0x180e, 0x200b, 0x200e, 0x2028, 0x202e, 0x2066, 0x3164, 0xfeff, 0xffa0,
      0xe0041, 0xe01ef,
    ];
    for (const code of hidden) {
      expect(printable(`a${String.fromCodePoint(code)}b`)).toMatch(/^"a(\\x[0-9a-f]{2})+b"$/);
    }
  });

  it('is one line of visible characters for any bytes', () => {
    const any = fc.oneof(
      fc.uint8Array().map((raw) => fromBuffer(raw)),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(any, (bytes) => {
        for (const text of [printable(bytes), quoted(bytes)]) {
          expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
          expect(text.isWellFormed()).toBe(true);
        }
        expect(quoted(bytes)).toMatch(/^".*"$/u);
      }),
    );
  });
});
