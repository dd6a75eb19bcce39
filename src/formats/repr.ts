/** What the server writes between quotes for people (sdscatrepr in Redis' sds.c): MONITOR, and redis-cli's strings. */

/** The bytes of an escaped text, without its quotes, given as Latin-1. What is no escape stands for itself. */
export function fromRepr(text: string): Buffer {
  const bytes = text.replace(escapes, (_, hex?: string, letter?: string) =>
    hex === undefined ? (letters[letter ?? ''] ?? letter ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1');
}

const escapes = /\\(?:x([0-9a-f]{2})|([\s\S]))/g;
const letters: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' };
