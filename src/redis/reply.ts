/** Replies as values. An error reply is a value too: it says "not applied" and is handled where its command is known. */
import { type Bytes, fromBuffer } from '../base/bytes.ts';
import { type Decoded, ReplyError } from '../formats/resp.ts';
import type { ReplyValue } from '../plan/values.ts';

/** A write that the recording connection did not send. Nothing invents its reply. */
export class NotSent {}

/** The one NotSent. */
export const notSent: NotSent = Object.freeze(new NotSent());

/** What a command gives: the decoded reply, or NotSent in a dry run. */
export type Reply = Decoded | NotSent;

/** The bytes of a simple or bulk string reply; undefined for any other reply. */
export function replyBytes(reply: Reply): Bytes | undefined {
  if (typeof reply === 'string') return reply;
  return Buffer.isBuffer(reply) ? fromBuffer(reply) : undefined;
}

/** The text of a simple or bulk string reply (bytes that are not UTF-8 replaced): for INFO and the like, never for keys or values. */
export function replyText(reply: Reply): string | undefined {
  if (typeof reply === 'string') return reply;
  return Buffer.isBuffer(reply) ? reply.toString('utf8') : undefined;
}

/** The integer of an integer reply where it is safe; undefined for any other reply. */
export function replyInteger(reply: Reply): number | undefined {
  return typeof reply === 'number' ? reply : undefined;
}

/** A reply as it stands in a document. `describe` gives the code and name of an error inside an array. */
export function toReplyValue(
  reply: Reply,
  describe: (error: ReplyError) => { code: string; name: string; message: string },
): ReplyValue {
  if (reply === null || typeof reply === 'boolean' || typeof reply === 'number' || typeof reply === 'string')
    return reply;
  if (Buffer.isBuffer(reply)) return fromBuffer(reply);
  if (typeof reply === 'bigint') return { integer: reply.toString() };
  if (Array.isArray(reply)) return reply.map((item) => toReplyValue(item, describe));
  if (reply instanceof Map) return [...reply].flat().map((item) => toReplyValue(item, describe));
  if (reply instanceof ReplyError) return { error: describe(reply) };
  return null;
}
