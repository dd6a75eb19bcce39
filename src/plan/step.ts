/**
 * The step: what runs. A closed union of inert data; every stage switches over `kind`, so a new kind does not compile
 * until each of them handles it. Leaves do (command, script, scan); the others say how (pipeline, transaction, for_each).
 */
import { z } from 'zod';
import { ExportFormat, KeyType, SourceFormat } from './request.ts';
import { Argument, Bytestring, Key } from './values.ts';

const count = z.int().nonnegative();

/** A file of keys exactly as it was planned: the SHA-256 is of its bytes as they lie on disk. */
export const KeysFile = z.strictObject({
  path: z.string().min(1),
  gzip: z.boolean(),
  bytes: count,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
/** See the schema. */
export type KeysFile = z.output<typeof KeysFile>;

/** Keys by pattern and type, as SCAN MATCH and TYPE take them, and by what each key is asked for besides (plan/filters.ts). Bounds are inclusive. */
export const Selection = z.strictObject({
  match: Bytestring,
  type: KeyType.exactOptional(),
  /** none: no TTL; any: some TTL; a range: a TTL with so many milliseconds left. */
  ttl: z
    .union([z.enum(['none', 'any']), z.strictObject({ min_ms: count.exactOptional(), max_ms: count.exactOptional() })])
    .exactOptional(),
  /** Elements of a collection, bytes of a string. */
  size: z.strictObject({ min: count.exactOptional(), max: count.exactOptional() }).exactOptional(),
  /** MEMORY USAGE with its default samples. */
  bytes: z.strictObject({ min: count.exactOptional(), max: count.exactOptional() }).exactOptional(),
  /** The keys stand in a file, and nothing is scanned: `match` is `*` then, and the type is asked of each key. */
  keys_file: KeysFile.exactOptional(),
});
/** See the schema. */
export type Selection = z.output<typeof Selection>;

/** One command. */
export const CommandStep = z.strictObject({
  kind: z.literal('command'),
  argv: z.array(Argument).min(1),
  /** Its reply, a bulk string, is written to this new file; alone only. */
  save_to: z.string().min(1).exactOptional(),
});
/** See the schema. */
export type CommandStep = z.output<typeof CommandStep>;

/** One call of a Lua script by its SHA1, loaded when the server does not have it. `read_only`: proven to write nothing. */
export const ScriptStep = z.strictObject({
  kind: z.literal('script'),
  sha1: z.string(),
  source: Bytestring,
  keys: z.array(Key),
  args: z.array(Bytestring),
  read_only: z.boolean(),
});
/** See the schema. */
export type ScriptStep = z.output<typeof ScriptStep>;

/** Lists the keys of a selection (`keys`), or counts TTL states per prefix (`ttl`). Ends after `limit` keys. */
export const ScanStep = z.strictObject({
  kind: z.literal('scan'),
  selection: Selection,
  /** SCAN's COUNT: keys visited a call. */
  count: z.int().positive(),
  limit: z.int().positive().exactOptional(),
  collect: z.enum(['keys', 'ttl']),
  /** Writes the keys with their values and deadlines to a file instead of listing them. */
  export: z.strictObject({ file: z.string().min(1), format: ExportFormat }).exactOptional(),
});
/** See the schema. */
export type ScanStep = z.output<typeof ScanStep>;

/** A condition over the names that the transaction's reads declare (CEL). False: nothing is written. */
export const GuardStep = z.strictObject({ kind: z.literal('guard'), expr: z.string().min(1) });

/** Commands that go out together at most: no more than redops plans for any network. It follows the round trip, so no digest holds it. */
const BatchSize = z.int().positive().max(2000);

/** Commands sent together, each with an outcome of its own; `batch_size` commands are in flight at most. */
export const PipelineStep = z.strictObject({
  kind: z.literal('pipeline'),
  batch_size: BatchSize,
  steps: z.array(CommandStep).min(1),
});
/** See the schema. */
export type PipelineStep = z.output<typeof PipelineStep>;

/** WATCH the keys, read, check the guard, then MULTI, the commands, EXEC: on a connection of its own. Without watch and reads it is a plain MULTI/EXEC. */
export const TransactionStep = z.strictObject({
  kind: z.literal('transaction'),
  watch: z.array(Key),
  reads: z.array(z.strictObject({ name: z.string(), command: CommandStep })),
  guard: GuardStep.exactOptional(),
  steps: z.array(CommandStep).min(1),
  /** The key that the last of `steps` writes with the name of the attempt: by it a lost EXEC is found out. */
  marker: z.strictObject({ key: Key, ttl_ms: z.int().positive() }).exactOptional(),
  /** What is sent instead of all of it: one command that compares and acts (a plain compare-and-set or -delete). */
  native: CommandStep.exactOptional(),
  /** WAIT after EXEC, on the same connection. */
  wait: z.strictObject({ replicas: z.int().positive(), timeout_ms: z.int().positive() }).exactOptional(),
  /** The script (transaction-script.ts) that may do the same in one call: whether it did is in the report. */
  script: z.strictObject({ sha1: z.string() }).exactOptional(),
});
/** See the schema. */
export type TransactionStep = z.output<typeof TransactionStep>;

/** One command for every key of a selection (a scan job), in batches of `batch_size`, atomic per key. */
export const ForEachStep = z.strictObject({
  kind: z.literal('for_each'),
  selection: Selection,
  count: z.int().positive(),
  batch_size: BatchSize,
  do: CommandStep,
  /** The script (chunk-script.ts) that may do the same on the server: whether it did is in the report. */
  server_side: z.strictObject({ sha1: z.string() }).exactOptional(),
});
/** See the schema. */
export type ForEachStep = z.output<typeof ForEachStep>;

/** A file of commands exactly as it was planned: the SHA-256 is of its bytes as they lie on disk. */
export const StreamSource = z.strictObject({
  path: z.string().min(1),
  format: SourceFormat,
  each: z.string().exactOptional(),
  gzip: z.boolean(),
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
/** See the schema. */
export type StreamSource = z.output<typeof StreamSource>;

/** The commands of a file, in order, each with an outcome of its own. How many are in flight is measured when it runs, so it is no part of the step: the same file has the same digest on a busy day. */
export const StreamStep = z.strictObject({
  kind: z.literal('stream'),
  source: StreamSource,
  /** Where commands that were not applied are written. */
  failures_file: z.string().min(1).exactOptional(),
});
/** See the schema. */
export type StreamStep = z.output<typeof StreamStep>;

/** What stands in `execution_plan.steps`; they run in order. */
export const Step = z.discriminatedUnion('kind', [
  CommandStep,
  ScriptStep,
  ScanStep,
  PipelineStep,
  TransactionStep,
  ForEachStep,
  StreamStep,
]);
/** See the schema. */
export type Step = z.output<typeof Step>;

/** The commands of a step, with the place of each below `at`; scripts and scans have none, and those of a stream stand in its file. */
export function commandsOf(
  step: Step,
  at: string,
): { readonly argv: readonly Argument[]; readonly at: string; readonly role: 'do' | 'read' }[] {
  switch (step.kind) {
    case 'command':
      return [{ argv: step.argv, at, role: 'do' }];
    case 'pipeline':
      return step.steps.map((command, index) => ({ argv: command.argv, at: `${at}.steps[${index}]`, role: 'do' }));
    case 'transaction':
      return [
        ...step.reads.map((read, index) => ({
          argv: read.command.argv,
          at: `${at}.reads[${index}]`,
          role: 'read' as const,
        })),
        ...step.steps.map((command, index) => ({
          argv: command.argv,
          at: `${at}.steps[${index}]`,
          role: 'do' as const,
        })),
      ];
    case 'for_each':
      return [{ argv: step.do.argv, at: `${at}.do`, role: 'do' }];
    case 'script':
    case 'scan':
    case 'stream':
      return [];
  }
}

/** The place of a command in a file, in words: `app.redis:12`; in the protocol's form commands are counted, not lines. */
export function placeInSource(source: Pick<StreamSource, 'path' | 'format'>, line: number): string {
  return source.format === 'resp' ? `${source.path}: command ${line}` : `${source.path}:${line}`;
}
