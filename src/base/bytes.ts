/**
 * Keys and values are foreign bytes. In documents they are `Bytes`: a string where the bytes are valid UTF-8, else
 * `{ base64 }`. One byte string has exactly one such form, so digests and comparisons are exact and nothing is mangled.
 */

/** Bytes in a JSON document: a string (its UTF-8 bytes) or base64 for anything that is not valid UTF-8. */
export type Bytes = string | { readonly base64: string };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes of a document value. */
export function toBuffer(bytes: Bytes): Buffer {
  return typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : Buffer.from(bytes.base64, 'base64');
}

/** The document form of bytes: the string when they are valid UTF-8, else canonical base64. */
export function fromBuffer(buffer: Uint8Array): Bytes {
  const bytes = Buffer.isBuffer(buffer) ? buffer : Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  // much faster than a fatal decoder, and as exact: what is not valid becomes U+FFFD, and only then is it looked at twice
  const text = bytes.toString('utf8');
  if (!text.includes('\ufffd')) return text;
  try {
    return utf8.decode(buffer);
  } catch {
    return { base64: bytes.toString('base64') };
  }
}

/** True when both are the same bytes (both sides in canonical form). */
export function sameBytes(a: Bytes, b: Bytes): boolean {
  return bytesId(a) === bytesId(b);
}

/** A string that identifies the bytes, for use as a Map key: a key that reads like base64 is not mistaken for bytes. */
export function bytesId(bytes: Bytes): string {
  return typeof bytes === 'string' ? `s${bytes}` : `b${bytes.base64}`;
}

/** The number of bytes. */
export function byteLength(bytes: Bytes): number {
  return typeof bytes === 'string' ? Buffer.byteLength(bytes, 'utf8') : Buffer.from(bytes.base64, 'base64').length;
}

// C0, DEL, C1, bidirectional controls, zero-width and blank-looking characters, line separators, tag characters: what
// could repaint or reorder a terminal, or carry text that a reader does not see
const unsafe =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|\u034f|\u17b4|\u17b5|\u180b|\u180c|\u180d|\udb40[\udc00-\udfff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/**
 * Bytes as one word for a terminal or a command file: as they are when plain, else in redis-cli's double quotes with
 * `\xHH`, `\n`, `\r`, `\t`, `\"`, `\\` escapes. Reads back byte for byte with the line parser (formats/text.ts).
 */
export function printable(bytes: Bytes): string {
  if (typeof bytes === 'string' && bytes !== '' && !unsafe.test(bytes) && !/[\s"'\\#]|\{\{/.test(bytes)) return bytes;
  return quoted(bytes);
}

/** True for a text in which a reader sees every character, in the order that they stand in. */
export function isPlain(text: string): boolean {
  return !unsafe.test(text);
}

/** Bytes in redis-cli's double quotes, always. */
export function quoted(bytes: Bytes): string {
  if (typeof bytes === 'string' && !unsafe.test(bytes)) return `"${bytes.replace(/["\\]/g, '\\$&')}"`;
  let out = '"';
  for (const byte of toBuffer(bytes)) {
    if (byte === 0x22 || byte === 0x5c) out += `\\${String.fromCharCode(byte)}`;
    else if (byte === 0x0a) out += '\\n';
    else if (byte === 0x0d) out += '\\r';
    else if (byte === 0x09) out += '\\t';
    else if (byte >= 0x20 && byte < 0x7f) out += String.fromCharCode(byte);
    else out += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `${out}"`;
}

/** True when the bytes begin with the prefix. */
export function beginsWith(bytes: Buffer, prefix: Buffer): boolean {
  return bytes.subarray(0, prefix.length).equals(prefix);
}
