/**
 * Fixtures of a script: what `redops script test` runs on throwaway servers. Written in YAML beside the script, or
 * exported by a module. Words may be written as strings, as plain numbers, or as bytes (`{"base64": "..."}`).
 */
import { z } from 'zod';
import { type Bytes, fromBuffer, toBuffer } from '../base/bytes.ts';
import { parseDuration } from '../base/units.ts';

const base64 = z.strictObject({ base64: z.base64({ error: 'not valid base64' }) });

/** A number that has one spelling: whole and at most 2^53-1, or a plain decimal fraction. */
const plainNumber = z
  .number()
  .refine(
    (value) => /^-?\d+(\.\d+)?$/.test(String(value)) && (!Number.isInteger(value) || Number.isSafeInteger(value)),
    { error: 'the number has no exact plain spelling here: write it in quotes' },
  );

const Word = z
  .union([z.string(), plainNumber, base64], { error: 'expected a string, a number, or {"base64": "..."}' })
  .transform((value): Bytes => {
    if (typeof value === 'number') return String(value);
    return typeof value === 'string' ? value : fromBuffer(toBuffer(value));
  });

const Score = z
  .union([z.string(), plainNumber], { error: 'expected a score: a number, "inf" or "-inf"' })
  .transform((value) => scoreText(String(value)))
  .refine((value) => value !== 'NaN', { error: 'not a score: a number, "inf" or "-inf"' });

/** Pairs: an object, or an array of [name, value] where a name is not UTF-8. */
const pairsOf = (value: typeof Word | typeof Score) =>
  z
    .union([z.record(z.string(), value), z.array(z.tuple([Word, value]))], {
      error: 'expected names and values, or an array of [name, value]',
    })
    .transform((pairs): (readonly [Bytes, Bytes])[] => (Array.isArray(pairs) ? pairs : Object.entries(pairs)))
    .refine((pairs) => pairs.length > 0, { error: 'it is empty: Redis has no empty keys, say absent' });

/** By key: an object, or an array of {key, value} where a key is not UTF-8. */
const keyed = <T extends z.ZodType>(value: T) =>
  z
    .union([z.record(z.string(), value), z.array(z.strictObject({ key: Word, value }))], {
      error: 'expected keys and values, or an array of {key, value}',
    })
    .transform((entries): { readonly key: Bytes; readonly value: z.output<T> }[] =>
      Array.isArray(entries)
        ? (entries as { readonly key: Bytes; readonly value: z.output<T> }[])
        : Object.entries(entries as Record<string, z.output<T>>).map(([key, one]) => ({ key, value: one })),
    );

const Duration = z
  .string({ error: 'expected a duration with its unit, such as "30s" or "500ms"' })
  .refine((value) => /[a-z]/i.test(value) && parseDuration(value) !== undefined, {
    error: 'not a duration with its unit: write "500ms", "30s", "24h"',
  })
  .transform((value) => parseDuration(value) ?? 0);

const contents = {
  string: Word.exactOptional(),
  list: z.array(Word).min(1).exactOptional(),
  set: z.array(Word).min(1).exactOptional(),
  hash: pairsOf(Word).exactOptional(),
  zset: pairsOf(Score).exactOptional(),
  stream: z
    .array(z.strictObject({ id: z.string(), fields: pairsOf(Word) }))
    .min(1)
    .exactOptional(),
};
const kinds = ['string', 'list', 'set', 'hash', 'zset', 'stream'] as const;

/** What a key holds. Sets, hashes and sorted sets have no order; scores are in their shortest spelling. */
export type KeyContent =
  | { readonly type: 'string'; readonly value: Bytes }
  | { readonly type: 'list' | 'set'; readonly items: readonly Bytes[] }
  | { readonly type: 'hash' | 'zset'; readonly pairs: readonly (readonly [Bytes, Bytes])[] }
  | {
      readonly type: 'stream';
      readonly entries: readonly { readonly id: string; readonly fields: readonly (readonly [Bytes, Bytes])[] }[];
    };

const Given = z.union(
  [
    Word.transform((value) => ({ content: { type: 'string', value } as KeyContent })),
    z
      .strictObject({ ...contents, ttl: Duration.exactOptional() })
      .refine((value) => kindsIn(value).length === 1, { error: `expected exactly one of ${kinds.join(', ')}` })
      .transform(({ ttl, ...rest }) => ({ content: contentOf(rest), ...(ttl === undefined ? {} : { ttl }) })),
  ],
  { error: `expected the value of a string, or an object with one of ${kinds.join(', ')}` },
);

const ExpectedKey = z.union(
  [
    Word.transform((value) => ({ content: { type: 'string', value } as KeyContent })),
    z
      .strictObject(contents)
      .refine((value) => kindsIn(value).length === 1, { error: `expected exactly one of ${kinds.join(', ')}, or type` })
      .transform((value) => ({ content: contentOf(value) })),
    z.strictObject({ type: z.enum(kinds), size: z.int().positive().exactOptional() }),
  ],
  { error: `expected the value of a string, an object with one of ${kinds.join(', ')}, or {type, size}` },
);
/** A key as a fixture expects it: its content, or only its type and how many elements it has. */
export type ExpectedKey = z.output<typeof ExpectedKey>;

const Between = z
  .tuple([z.int(), z.int()])
  .refine(([low, high]) => low <= high, { error: 'the first bound is above the second' });

const ExpectedTtl = z.union(
  [
    z.enum(['none', 'any']),
    z
      .strictObject({ between: z.tuple([Duration, Duration]) })
      .refine(({ between: [low, high] }) => low <= high, { error: 'the first bound is above the second' }),
  ],
  { error: 'expected "none", "any", or {"between": ["1s", "30s"]}' },
);
/** A time to live as a fixture expects it, in ms. */
export type ExpectedTtl = z.output<typeof ExpectedTtl>;

/**
 * A reply as a fixture expects it. A number matches an integer reply only, a string any string reply; `{"status": "OK"}`
 * a status alone. `{"error": "..."}` matches an error whose text holds those words: versions put different ones around.
 */
export type ExpectedReply =
  | string
  | number
  | null
  | { readonly base64: string }
  | { readonly integer: string | true }
  | { readonly between: readonly [number, number] }
  | { readonly any: true }
  | { readonly status: string }
  | { readonly error: string }
  | readonly ExpectedReply[];

const ExpectedReply: z.ZodType<ExpectedReply> = z.lazy(() =>
  z.union(
    [
      z.null(),
      z.string(),
      z.int(),
      base64,
      z.strictObject({ integer: z.union([z.literal(true), z.string().regex(/^-?\d+$/)]) }),
      z.strictObject({ between: Between }),
      z.strictObject({ any: z.literal(true) }),
      z.strictObject({ status: z.string() }),
      z.strictObject({ error: z.string().min(1) }),
      z.array(ExpectedReply),
    ],
    {
      error:
        'expected a reply: a string, a whole number within 2^53-1, null, an array, or one of {base64} {integer} {between} {any: true} {status} {error}',
    },
  ),
);

const Run = z.strictObject({
  /** Commands as redis-cli reads them, sent before the script is called. */
  before: z.array(z.string()).default([]),
  /** The function of a library; else that of the fixtures. */
  function: z.string().min(1).exactOptional(),
  keys: z.array(Word).default([]),
  args: z.array(Word).default([]),
  reply: ExpectedReply.exactOptional(),
  error: z.string().min(1).exactOptional(),
});

const Expect = z.strictObject({
  /** Of the last run. */
  reply: ExpectedReply.exactOptional(),
  error: z.string().min(1).exactOptional(),
  /** The whole state of these keys. Without an entry in `ttl` a key must have no time to live. */
  keys: keyed(ExpectedKey).exactOptional(),
  ttl: keyed(ExpectedTtl).exactOptional(),
  absent: z.array(Word).exactOptional(),
  /** `fail` (the default): a write to a key that is not in KEYS, or is not named here, fails the test. */
  others: z.enum(['fail', 'ignore']).default('fail'),
});

const ScriptTest = z.strictObject({
  name: z.string().min(1),
  given: keyed(Given).exactOptional(),
  /** One call, or several in a row. */
  run: z.union([Run.transform((run) => [run]), z.array(Run).min(1)], { error: 'expected a run, or an array of runs' }),
  expect: Expect.exactOptional(),
});
/** One test, read. */
export type ScriptTest = z.output<typeof ScriptTest>;
/** One call of a test, read. */
export type ScriptCall = z.output<typeof Run>;

/** The schema. */
export const ScriptFixtures = z.strictObject({
  /** The script, by a path that is relative to the fixture file. */
  script: z.string().min(1),
  /** The function to call, where the script is a library (its first line is `#!lua name=...`). */
  function: z.string().min(1).exactOptional(),
  tests: z.array(ScriptTest).min(1),
});
/** Fixtures, read. */
export type ScriptFixtures = z.output<typeof ScriptFixtures>;
/** Fixtures as they are written. */
export type ScriptFixturesInput = z.input<typeof ScriptFixtures>;

/** The one spelling of a score, so that "1.0", "1" and "1e0" are the same; "NaN" where it is none. */
export function scoreText(text: string): string {
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text.trim());
  if (infinite) return infinite[1] === '-' ? '-inf' : 'inf';
  return text.trim() === '' ? 'NaN' : String(Number(text));
}

type Contents = z.output<z.ZodObject<typeof contents>>;

function kindsIn(value: Readonly<Record<string, unknown>>): readonly string[] {
  return kinds.filter((kind) => value[kind] !== undefined);
}

function contentOf(value: Contents): KeyContent {
  if (value.list) return { type: 'list', items: value.list };
  if (value.set) return { type: 'set', items: value.set };
  if (value.hash) return { type: 'hash', pairs: value.hash };
  if (value.zset) return { type: 'zset', pairs: value.zset };
  if (value.stream) return { type: 'stream', entries: value.stream };
  return { type: 'string', value: value.string ?? '' };
}
