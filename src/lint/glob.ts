/**
 * MATCH patterns as Redis' stringmatchlen reads them: their literal beginning, which is what every matching key starts
 * with (prefix caps are judged by it), and whether a key matches.
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

/** A pattern as a test of keys, which agrees with what the server matches byte for byte. */
export function globTest(pattern: string): (key: Bytes) => boolean {
  const bytes = latin1(pattern);
  const fixed = literalPrefix(pattern).toString('latin1');
  // `prefix*`, which nearly every pattern is
  if (bytes === `${fixed}*`) return (key) => latin1(key).startsWith(fixed);
  // the server takes `*` for every key without looking; otherwise an empty key matches the empty pattern alone
  const expression = new RegExp(`^${source(bytes)}$`, 's');
  return (key) => (key === '' ? bytes === '' : expression.test(latin1(key)));
}

function latin1(key: Bytes): string {
  return typeof key === 'string' && /^[\x00-\x7f]*$/.test(key) ? key : toBuffer(key).toString('latin1');
}

/** A pattern as a regular expression over one character a byte. */
function source(pattern: string): string {
  let out = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at]!;
    if (character === '*') {
      while (pattern[at + 1] === '*') at += 1; // several are one, and would only be slow
      out += '.*';
    } else if (character === '?') out += '.';
    else if (character === '[') {
      const found = classAt(pattern, at);
      out += found.source;
      at = found.end;
    } else {
      if (character === '\\' && at + 1 < pattern.length) at += 1;
      out += escaped(pattern[at]!);
    }
  }
  return out;
}

/** A class that opens here, and the offset of what closes it: a bracket, or the end. A range takes any byte as its end. */
function classAt(pattern: string, open: number): { readonly source: string; readonly end: number } {
  const negated = pattern[open + 1] === '^';
  const members: string[] = [];
  let at = open + (negated ? 2 : 1);
  for (; at < pattern.length; at += 1) {
    const left = pattern.length - at;
    if (pattern[at] === '\\' && left >= 2) {
      at += 1;
      members.push(escaped(pattern[at]!));
    } else if (pattern[at] === ']') break;
    else if (left >= 3 && pattern[at + 1] === '-') {
      const [low, high] = [pattern[at]!, pattern[at + 2]!].sort();
      members.push(`${escaped(low!)}-${escaped(high!)}`);
      at += 2;
    } else members.push(escaped(pattern[at]!));
  }
  const none = negated ? '.' : '(?!)';
  return { source: members.length === 0 ? none : `[${negated ? '^' : ''}${members.join('')}]`, end: at };
}

function escaped(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

const star = 0x2a;
const question = 0x3f;
const bracket = 0x5b;
const backslash = 0x5c;
