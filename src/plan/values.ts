/** The small values that every document is made of: bytes, arguments, replies. */
import { z } from 'zod';
import { type Bytes, fromBuffer, toBuffer } from '../base/bytes.ts';

const text = z.string().refine((value) => value.isWellFormed(), {
  error: 'the string has a lone surrogate, which has no UTF-8 form; give the bytes as {"base64": "..."}',
});
const base64 = z.strictObject({ base64: z.base64({ error: 'not valid base64' }) });

/** A string (its UTF-8 bytes), or `{"base64": "..."}` for other bytes. Parsed to its one canonical form. */
export const Bytestring = z
  .union([text, base64], { error: 'expected a string, or {"base64": "..."} for bytes that are not UTF-8' })
  .transform((value): Bytes => (typeof value === 'string' ? value : fromBuffer(toBuffer(value))));

/** A key: like any byte string; the empty key is legal in Redis. */
export const Key = Bytestring;

/** An argument of a command in a request: bytes, or a CEL expression over the names that `let` declares. */
export const RequestArgument = z
  .union([text, base64, z.strictObject({ expr: z.string().min(1) })], {
    error: 'expected a string, {"base64": "..."} or {"expr": "..."}',
  })
  .transform((value): Bytes | { readonly expr: string } =>
    typeof value === 'string' || 'expr' in value ? value : fromBuffer(toBuffer(value)),
  );
/** See the schema. */
export type RequestArgument = z.output<typeof RequestArgument>;

/**
 * An absolute deadline that is not known before the command is first sent: server time in Unix milliseconds then, plus
 * `after_ms`, plus a part of `jitter_ms` that is a hash of run id and key. Fixed once, journaled, reused by retries.
 */
const deadline = z.strictObject({
  deadline: z.strictObject({ after_ms: z.int().positive(), jitter_ms: z.int().nonnegative() }),
});

/** An argument of a step: bytes, an expression, the key of a for_each (`{"param": "key"}`), the name of a transaction's attempt (`{"param": "attempt"}`), or a deadline. */
export const Argument = z.union(
  [
    text,
    base64,
    z.strictObject({ expr: z.string().min(1) }),
    z.strictObject({ param: z.enum(['key', 'attempt']) }),
    deadline,
  ],
  { error: 'not an argument of a step' },
);
/** See the schema. */
export type Argument = z.output<typeof Argument>;

/** The bytes of a step's argument where they are known before the run, else undefined. */
export function literal(argument: Argument | RequestArgument): Bytes | undefined {
  return typeof argument === 'string' || 'base64' in argument ? argument : undefined;
}

/** A reply as JSON: integers beyond 2^53-1 are `{"integer": "..."}`, bytes that are not UTF-8 `{"base64": "..."}`, an error inside an EXEC array `{"error": {...}}`. */
export type ReplyValue =
  | string
  | number
  | boolean
  | null
  | { readonly base64: string }
  | { readonly integer: string }
  | { readonly error: { readonly code: string; readonly name: string; readonly message: string } }
  | readonly ReplyValue[];

/** The schema of ReplyValue. */
export const ReplyValue: z.ZodType<ReplyValue> = z.lazy(() =>
  z.union([
    z.string(),
    z.number(),
    z.boolean(),
    z.null(),
    base64,
    z.strictObject({ integer: z.string() }),
    z.strictObject({ error: z.strictObject({ code: z.string(), name: z.string(), message: z.string() }) }),
    z.array(ReplyValue),
  ]),
);
