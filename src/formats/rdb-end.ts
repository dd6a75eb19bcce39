/**
 * Where a snapshot ends that an append-only file begins with (aof-use-rdb-preamble): without reading it, since its end is
 * proven by its checksum. It is an end-of-file byte, the CRC-64 of everything up to it in eight bytes, and behind them
 * commands or nothing. Where the server writes no checksums (rdbchecksum no) the eight bytes are zero.
 */

/** Bytes in; the end once it is known. */
export interface RdbEnd {
  /** The bytes of the chunk that belong to the snapshot when it ends in it; undefined: all of them, and it goes on. */
  push(chunk: Buffer): number | undefined;
  /** True when the file may end here: what was pushed is a whole snapshot. */
  readonly whole: boolean;
}

/** True when these first bytes are those of a snapshot: REDIS and a version of four digits (Valkey: VALKEY and three). */
export function isRdb(start: Uint8Array): boolean {
  return /^(?:REDIS\d{4}|VALKEY\d{3})/.test(Buffer.from(start.subarray(0, 9)).toString('latin1'));
}

/** Finds the end of a snapshot from its first byte on. */
export function rdbEnd(): RdbEnd {
  let low = 0;
  let high = 0;
  // the last ten bytes, and the checksum behind each of them: a candidate is nine bytes back
  const bytes = new Uint8Array(ring);
  const lows = new Uint32Array(ring);
  const highs = new Uint32Array(ring);
  let seen = 0;
  const endsBehind = (at: number): boolean => {
    if (at < 9 || bytes[(at - 9) & mask] !== 0xff) return false;
    let stored = [0, 0];
    for (let index = 0; index < 8; index += 1) {
      const byte = bytes[(at - 8 + index) & mask]!;
      stored =
        index < 4
          ? [stored[0]! + byte * 2 ** (8 * index), 0]
          : [stored[0]!, stored[1]! + byte * 2 ** (8 * (index - 4))];
    }
    const [storedLow, storedHigh] = [stored[0]!, stored[1]!];
    if (storedLow === 0 && storedHigh === 0) return true;
    return storedLow === lows[(at - 9) & mask] && storedHigh === highs[(at - 9) & mask];
  };
  return {
    push: (chunk) => {
      for (let at = 0; at < chunk.length; at += 1) {
        const byte = chunk[at]!;
        // commands or an annotation must stand behind the end, and the end is at least as far as the header
        if ((byte === 0x2a || byte === 0x23) && seen > 9 && endsBehind(seen)) return at;
        const index = (low ^ byte) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ tables.low[index]!;
        high = (high >>> 8) ^ tables.high[index]!;
        bytes[seen & mask] = byte;
        lows[seen & mask] = low;
        highs[seen & mask] = high;
        seen += 1;
      }
      return undefined;
    },
    get whole() {
      return seen > 9 && endsBehind(seen);
    },
  };
}

const ring = 16;
const mask = ring - 1;

/** CRC-64 of Redis (crc64.c: Jones, reflected, no initial value and no final xor), as two halves of 32 bits. */
const tables = crcTables();

function crcTables(): { readonly low: Uint32Array; readonly high: Uint32Array } {
  const low = new Uint32Array(256);
  const high = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    let value = BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) value = value & 1n ? (value >> 1n) ^ 0x95ac9329ac4bc9b5n : value >> 1n;
    low[byte] = Number(value & 0xffffffffn);
    high[byte] = Number(value >> 32n);
  }
  return { low, high };
}
