/**
 * The literal beginning of a MATCH pattern, as Redis' stringmatchlen reads it: what every matching key starts with. Prefix
 * caps are judged by it.
 */
import { type Bytes, toBuffer } from '../base/bytes.ts';

/** The bytes that every key matching the pattern begins with; empty when there are none. `\*` is a literal star, `[a]` ends the literal part. */
export function literalPrefix(pattern: Bytes): Buffer {
  const bytes = toBuffer(pattern);
  const literal: number[] = [];
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index]!;
    if (byte === star || byte === question || byte === bracket) break;
    if (byte === backslash && index + 1 < bytes.length) index += 1; // a backslash at the very end stands for itself
    literal.push(bytes[index]!);
  }
  return Buffer.from(literal);
}

const star = 0x2a;
const question = 0x3f;
const bracket = 0x5b;
const backslash = 0x5c;
