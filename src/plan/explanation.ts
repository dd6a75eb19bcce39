/**
 * What running something means, before it runs: every command of a plan with what it touches, how long that holds the
 * server, and what it changes. Redis has no EXPLAIN; this is what `redops explain --json` prints beside the estimate.
 */
import { z } from 'zod';
import { Costs } from './costs.ts';
import { KeyFacts } from './target.ts';
import { Argument, Key } from './values.ts';

const count = z.int().nonnegative();

/** Milliseconds of the server's main thread: what is expected, and between which nine of ten runs lie. */
export const ServerTime = z.strictObject({
  expected: z.number().nonnegative(),
  low: z.number().nonnegative(),
  high: z.number().nonnegative(),
});
/** See the schema. */
export type ServerTime = z.output<typeof ServerTime>;

/** A key of a command. */
export const ExplainedKey = z.strictObject({
  key: Key,
  /** What the command does with it; overwrites: its old value is gone unseen. */
  access: z.enum(['reads', 'changes', 'overwrites', 'deletes']),
  slot: z.int().min(0).max(16383),
  /** As the server told it; left out where nothing was asked. */
  facts: KeyFacts.exactOptional(),
});
/** See the schema. */
export type ExplainedKey = z.output<typeof ExplainedKey>;

/** One command; the figures are of one call. */
export const ExplainedCommand = z.strictObject({
  /** As it is sent; `{"param": "key"}` stands for each key of a job. */
  argv: z.array(Argument).min(1),
  /** How often it is sent, as far as is known. */
  times: count,
  summary: z.string(),
  /** As Redis documents it. */
  complexity: z.string(),
  /** The first keys; `more_keys` are not listed. */
  keys: z.array(ExplainedKey),
  more_keys: count,
  /** Elements that the server touches. Not exact: so many at most, or a key was not asked for. */
  elements: z.strictObject({ count, exact: z.boolean() }),
  server_ms: ServerTime,
  bytes_out: count,
  bytes_in: count,
  /** How the memory of the data changes; left out where that is not known (scripts, unknown commands). */
  memory_bytes: z.strictObject({ low: z.int(), high: z.int() }).exactOptional(),
  writes: z.boolean(),
  /** Can remove or overwrite what cannot be computed back. */
  destructive: z.boolean(),
  /** Twice in a row leaves the data that once leaves. */
  idempotent: z.boolean(),
  /** May wait for other clients or replicas; the server goes on meanwhile. */
  waits: z.boolean(),
  /** Its keys are in more than one slot: a cluster refuses it. */
  crossslot: z.boolean(),
  /** ACL DRYRUN of the connected user; left out where the server does not say. */
  allowed: z.boolean().exactOptional(),
  /** What does the same with less risk. */
  instead: z.string().exactOptional(),
});
/** See the schema. */
export type ExplainedCommand = z.output<typeof ExplainedCommand>;

/** A step of the plan with its commands. */
export const ExplainedStep = z.strictObject({
  kind: z.enum(['command', 'pipeline', 'transaction', 'script', 'scan', 'for_each', 'stream']),
  /** Nobody else's commands run in between. */
  atomic: z.boolean(),
  /** Commands that are listed; `more` are not. */
  commands: z.array(ExplainedCommand),
  more: count,
});
/** See the schema. */
export type ExplainedStep = z.output<typeof ExplainedStep>;

/** The whole explanation. */
export const Explanation = z.strictObject({
  version: z.literal(1),
  /** live: keys and sizes were read from the server; none: nothing was asked, and no figure rests on data. */
  facts: z.enum(['live', 'none']),
  /** Whose measurements the times rest on. */
  costs: Costs.omit({ curves: true }),
  steps: z.array(ExplainedStep),
  /** The longest that one command, or one transaction, holds the server: nobody else is answered meanwhile. */
  longest_ms: ServerTime,
  /** What is sent to each replica and, where there is one, to the append-only file. */
  replication: z.strictObject({ replicas: count.exactOptional(), bytes: count }),
  atomic: z.boolean(),
  idempotent: z.boolean(),
  reversible: z.boolean(),
  permissions: z.array(z.string()),
  min_version: z.strictObject({ redis: z.string(), valkey: z.string() }),
});
/** See the schema. */
export type Explanation = z.output<typeof Explanation>;
