/**
 * Keys, values and replies as a model may see them: bounded, escaped, redacted. They are data that anybody may have written,
 * so every one of them stands below a member called `untrusted`, and nothing in them is ever an instruction.
 */
import { type Bytes, isPlain, quoted } from '../base/bytes.ts';
import type { ReplyValue } from '../plan/values.ts';
import { isSecretName, type Redact } from './redact.ts';

/** A text, or the redis-cli form of bytes that are no plain text. */
export type Shown = string | { readonly escaped: string };

/** A reply, bounded. */
export type ShownReply = Shown | number | boolean | null | { readonly error: string } | readonly ShownReply[];

/** Characters of one value that are shown. */
export const mostCharacters = 256;
/** Elements of one array that are shown; the rest is counted, and can be paged through. */
export const mostElements = 50;
/** Characters of a report of the server that are shown. */
const mostOfLines = 8_000;
/** What is looked at for secrets before it is cut. */
const looked = 4096;

/** Bytes as one bounded value. */
export function shownBytes(bytes: Bytes, redact: Redact): Shown {
  const plain = typeof bytes === 'string' && isPlain(bytes);
  const text = plain ? bytes : quoted(headOf(bytes));
  const bounded = cut(redact(text.slice(0, looked)), text.length > looked);
  return plain ? bounded : { escaped: bounded };
}

/** A report of the server's own (INFO, CLIENT LIST): its lines, each as one value, and more of them than of a value. */
export function shownLines(text: string, redact: Redact): string {
  const lines = text.trimEnd().split(/\r?\n/);
  const shown = lines.map((line) => (isPlain(line) ? line : quoted(line)));
  const whole = redact(shown.join('\n').slice(0, mostOfLines * 2));
  return whole.length <= mostOfLines ? whole : `${whole.slice(0, mostOfLines)}... (cut)`;
}

/** How a reply is shown. */
export interface ReplyOptions {
  /** The first element of its array that is shown. */
  readonly from?: number;
  /** What it holds is a secret by its name. */
  readonly secret?: boolean;
  /** Characters of JSON that are left for it; what does not fit is counted. */
  readonly room?: { left: number };
}

/** A reply as bounded values: every value, every array, and with `room` all of it. */
export function shownReply(reply: ReplyValue, redact: Redact, options: ReplyOptions = {}): ShownReply {
  const { from = 0, secret = false, room = { left: Number.POSITIVE_INFINITY } } = options;
  if (isArray(reply)) return shownArray(reply, redact, from, secret, room);
  const shown = shownOne(reply, redact, secret);
  room.left -= JSON.stringify(shown).length + 1;
  return shown;
}

function shownOne(reply: Exclude<ReplyValue, readonly ReplyValue[]>, redact: Redact, secret: boolean): ShownReply {
  if (reply === null || typeof reply === 'number' || typeof reply === 'boolean') return reply;
  if (typeof reply === 'string' || 'base64' in reply) return secret ? '[redacted]' : shownBytes(reply, redact);
  if ('integer' in reply) return reply.integer;
  return { error: cut(redact(reply.error.message), false) };
}

// a field called password is followed by a password: HGETALL answers names and values in turn
function shownArray(
  items: readonly ReplyValue[],
  redact: Redact,
  from: number,
  secret: boolean,
  room: { left: number },
): ShownReply {
  const shown: ShownReply[] = [];
  for (const [offset, item] of items.slice(from, from + mostElements).entries()) {
    if (room.left <= 0) break;
    const before = items[from + offset - 1];
    const named = typeof before === 'string' && isSecretName(before);
    room.left -= 2;
    shown.push(shownReply(item, redact, { secret: secret || named, room }));
  }
  const rest = items.length - from - shown.length;
  return rest > 0 ? [...shown, `... and ${rest} more elements`] : shown;
}

/** No more of a large value is escaped than is looked at. */
function headOf(bytes: Bytes): Bytes {
  return typeof bytes === 'string'
    ? bytes.slice(0, looked)
    : { base64: bytes.base64.slice(0, Math.ceil(looked / 3) * 4) };
}

function cut(text: string, longer: boolean): string {
  if (text.length <= mostCharacters && !longer) return text;
  // not between the two halves of one character
  const end = /[\ud800-\udbff]$/.test(text.slice(0, mostCharacters)) ? mostCharacters - 1 : mostCharacters;
  return `${text.slice(0, end)}... (cut)`;
}

function isArray(reply: ReplyValue): reply is readonly ReplyValue[] {
  return Array.isArray(reply);
}
