/** The end of a snapshot is where its checksum says, wherever the bytes are cut and whatever looks like an end before it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isRdb, rdbEnd } from './rdb-end.ts';

/** CRC-64 of Redis, bit by bit: crc64("123456789") is e9c6d914c4b8d9ca, as crc64.c says. */
function crc64(bytes: Uint8Array): bigint {
  let crc = 0n;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1n ? (crc >> 1n) ^ 0x95ac9329ac4bc9b5n : crc >> 1n;
  }
  return crc;
}

function snapshot(body: Uint8Array, checksum = true): Buffer {
  const bytes = Buffer.concat([Buffer.from('REDIS0009'), body, Buffer.of(0xff)]);
  const sum = Buffer.alloc(8);
  if (checksum) sum.writeBigUInt64LE(crc64(bytes));
  return Buffer.concat([bytes, sum]);
}

function endOf(chunks: readonly Buffer[]) {
  const end = rdbEnd();
  let before = 0;
  for (const chunk of chunks) {
    const at = end.push(chunk);
    if (at !== undefined) return before + at;
    before += chunk.length;
  }
  return end.whole ? 'whole' : undefined;
}

test('the checksum of this test is that of Redis', () => {
  expect(crc64(Buffer.from('123456789')).toString(16)).toBe('e9c6d914c4b8d9ca');
});

test('is found before commands and before an annotation, cut anywhere', () => {
  const noise = fc.constantFrom(0xff, 0x2a, 0x23, 0x00, 0x31, 0x7f);
  fc.assert(
    fc.property(
      fc.array(noise, { maxLength: 60 }),
      fc.nat(80),
      fc.constantFrom('*1\r\n$4\r\nPING\r\n', '#TS:1\r\n'),
      (body, cut, tail) => {
        const head = snapshot(Uint8Array.from(body));
        // eight zero bytes behind 0xff are an end without a checksum
        fc.pre(!Buffer.from(body).includes(Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 0])));
        // a checksum that ends with a zero behind two times 0xff is, a byte earlier, that of what is before the second one
        fc.pre(!(body.at(-1) === 0xff && head.at(-1) === 0));
        const bytes = Buffer.concat([head, Buffer.from(tail)]);
        expect(endOf([bytes.subarray(0, cut), bytes.subarray(cut)])).toBe(head.length);
        expect(endOf([head])).toBe('whole');
        expect(endOf([head.subarray(0, head.length - 1)])).toBeUndefined();
      },
    ),
  );
});

test('without a checksum the eight bytes are zero', () => {
  const head = snapshot(Buffer.from('abc'), false);
  expect(endOf([Buffer.concat([head, Buffer.from('*1\r\n')])])).toBe(head.length);
});

test('a snapshot is known by its first bytes', () => {
  expect(isRdb(Buffer.from('REDIS0011...'))).toBe(true);
  expect(isRdb(Buffer.from('VALKEY080'))).toBe(true);
  expect(isRdb(Buffer.from('*3\r\n$3\r\n'))).toBe(false);
  expect(isRdb(Buffer.from('REDIS'))).toBe(false);
});
