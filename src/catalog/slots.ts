/**
 * The hash slot of a key, as Redis Cluster computes it: CRC16 (XMODEM) of the hash tag, modulo 16384, over bytes. The
 * npm package that clients share is not used: for a key such as `{}a}` it finds a tag where the server finds none.
 */
import { type Bytes, fromBuffer, toBuffer } from '../base/bytes.ts';

const slots = 16_384;
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

/** The slot of a key, 0 to 16383; what CLUSTER KEYSLOT answers. */
export function slotOf(key: Bytes): number {
  let crc = 0;
  for (const byte of tagBytes(toBuffer(key))) crc = ((crc << 8) & 0xffff) ^ table[(crc >> 8) ^ byte]!;
  return crc % slots;
}

/** The part of a key that decides its slot: between the first `{` and the next `}` when that is not empty, else the whole key. */
export function hashTagOf(key: Bytes): Bytes {
  return fromBuffer(tagBytes(toBuffer(key)));
}

function tagBytes(key: Buffer): Buffer {
  const open = key.indexOf(0x7b);
  const close = open < 0 ? -1 : key.indexOf(0x7d, open + 1);
  return close > open + 1 ? key.subarray(open + 1, close) : key;
}
