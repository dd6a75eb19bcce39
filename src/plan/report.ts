/** The report: what was done. Every write is applied (ok), not applied (error, not_sent) or unknown. */
import { z } from 'zod';
import { Diagnostic } from './diagnostic.ts';
import { SteeringFacts } from './steering.ts';
import { Argument, Bytestring, ReplyValue } from './values.ts';

/** ok: applied; error: the server refused it, nothing was applied (a script: see unknown); not_sent; unknown: no reply, or a script that may have half run. */
export const Outcome = z.enum(['ok', 'error', 'not_sent', 'unknown']);
/** See the schema. */
export type Outcome = z.output<typeof Outcome>;

/** What an error reply says: code and name from docs/errors.md, the server's own words. */
export const ReplyProblem = z.strictObject({ code: z.string(), name: z.string(), message: z.string() });
/** See the schema. */
export type ReplyProblem = z.output<typeof ReplyProblem>;

/** One command's outcome. */
export const CommandResult = z.strictObject({
  index: z.int().nonnegative(),
  /** Of a command of a file: its line, from 1 (in the protocol's form: its number). */
  line: z.int().positive().exactOptional(),
  argv: z.array(Argument),
  outcome: Outcome,
  reply: ReplyValue,
  error: ReplyProblem.exactOptional(),
  /** True when a lost connection made it be sent twice: the reply is the second's, and its 0 may hide what the first did. */
  repeated: z.literal(true).exactOptional(),
});
/** See the schema. */
export type CommandResult = z.output<typeof CommandResult>;

/** committed: applied; conflict: a watched key changed, nothing applied; redirected: nothing applied, the server was not ready for it; aborted: refused when queued, nothing applied; partial: some commands failed inside EXEC; not_met: the guard was false; unknown: the connection was lost around EXEC. */
export const TransactionOutcome = z.enum([
  'committed',
  'conflict',
  'redirected',
  'aborted',
  'partial',
  'not_met',
  'unknown',
]);
/** See the schema. */
export type TransactionOutcome = z.output<typeof TransactionOutcome>;

/** What ran a transaction: WATCH and MULTI/EXEC, or a script that does the same. */
export const TransactionEngine = z.enum(['watch', 'script', 'native']);
/** See the schema. */
export type TransactionEngine = z.output<typeof TransactionEngine>;

/** Where a transaction went on with the other engine: the first attempt of that engine, counted from 1, and why (`conflict`, `integer_range`, the code of a refusal). */
export const EngineSwitch = z.strictObject({ attempt: z.int().positive(), reason: z.string() });
/** See the schema. */
export type EngineSwitch = z.output<typeof EngineSwitch>;

/** Counts of keys or commands. */
export const Totals = z.strictObject({
  /** Keys that a scan visited, about: COUNT a call, at most as many as there were at planning. */
  scanned: z.int().nonnegative(),
  matched: z.int().nonnegative(),
  changed: z.int().nonnegative(),
  unchanged: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  unknown: z.int().nonnegative(),
  retried: z.int().nonnegative(),
});
/** See the schema. */
export type Totals = z.output<typeof Totals>;

/** TTL states of one prefix (up to and with its first ':'). */
export const TtlGroup = z.strictObject({
  prefix: Bytestring,
  keys: z.int().nonnegative(),
  without_ttl: z.int().nonnegative(),
  /** Shortest and longest time to live seen, in milliseconds. */
  shortest_ms: z.int().nonnegative().exactOptional(),
  longest_ms: z.int().nonnegative().exactOptional(),
});
/** See the schema. */
export type TtlGroup = z.output<typeof TtlGroup>;

/** One kind of error with its count. */
export const ErrorCount = z.strictObject({
  code: z.string(),
  name: z.string(),
  count: z.int().positive(),
  /** A few of the commands. */
  sample: z.array(z.array(Argument)),
  recovery: z.string(),
});

/** The end of a run. */
export const Status = z.enum(['succeeded', 'partial', 'failed', 'refused', 'interrupted', 'needs_approval']);
/** See the schema. */
export type Status = z.output<typeof Status>;

/** A stream of commands: how far it came, at what pace, and where what was not applied is kept. */
export const StreamFacts = z.strictObject({
  /** Commands of the file that have an outcome. */
  commands: z.int().nonnegative(),
  per_second: z.int().nonnegative(),
  /** Commands in flight at the end, the shortest round trip seen, and why so many. */
  window: z.strictObject({
    depth: z.int().positive(),
    round_trip_ms: z.number().nonnegative(),
    reason: z.string(),
  }),
  /** Where the run stopped before the end of the file: nothing from this line (of the protocol's form: command) on was sent. */
  next: z.strictObject({ line: z.int().positive(), how: z.string() }).exactOptional(),
  /** Files of commands that were not applied, and of commands whose outcome is not known; left out when there are none. */
  failures: z.strictObject({ path: z.string(), commands: z.int().positive() }).exactOptional(),
  unknown: z.strictObject({ path: z.string(), commands: z.int().positive() }).exactOptional(),
});
/** See the schema. */
export type StreamFacts = z.output<typeof StreamFacts>;

/** A file of exported keys. After a run that ended early it has the suffix .partial and holds whole keys only. */
export const ExportFacts = z.strictObject({
  path: z.string(),
  format: z.enum(['resp', 'jsonl']),
  keys: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
});
/** See the schema. */
export type ExportFacts = z.output<typeof ExportFacts>;

/** A file that a reply was written to, whole. */
export const SavedFacts = z.strictObject({
  path: z.string(),
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
/** See the schema. */
export type SavedFacts = z.output<typeof SavedFacts>;

/** Where a scan job worked on its keys: commands from here, or a script on the server. */
export const Engine = z.enum(['client', 'server']);
/** See the schema. */
export type Engine = z.output<typeof Engine>;

/** What a run rested for: other clients' latency, or what INFO said: see docs/guide/requests.md. */
export const YieldReason = z.enum(['latency', 'replica_lag', 'lazyfree', 'output_buffers', 'memory', 'fork']);
/** See the schema. */
export type YieldReason = z.output<typeof YieldReason>;

/** What a probe on a connection of its own felt while the run worked, and how the run made way for others. Milliseconds. */
export const GovernorFacts = z.strictObject({
  /** What the p99 of others was allowed to rise by; left out: nothing was held. */
  slo_p99_ms: z.number().positive().exactOptional(),
  probes: z.int().nonnegative(),
  /** p99 of the probe before the run worked, and by how much it was higher during the run. Left out: not measured. */
  idle_p99_ms: z.number().nonnegative().exactOptional(),
  p99_added_ms: z.number().nonnegative().exactOptional(),
  /** Of the server's time that the run took at most: 0 is a pause, 1 all of it. */
  share: z.strictObject({
    lowest: z.number().min(0).max(1),
    highest: z.number().min(0).max(1),
    last: z.number().min(0).max(1),
  }),
  /** The fewest commands that were sent at once; left out: never held back. */
  smallest_chunk: z.int().positive().exactOptional(),
  /** Time rested, longest first. */
  rested: z.array(z.strictObject({ reason: YieldReason, ms: z.int().nonnegative() })),
  /** What could not be watched, in sentences. */
  unmeasured: z.array(z.string()),
});
/** See the schema. */
export type GovernorFacts = z.output<typeof GovernorFacts>;

/** What a walk after the job found of keys that are not as its action leaves them. */
export const LeftBehind = z.strictObject({
  left: z.int().nonnegative(),
  /** Of these: keys that the report names as not applied or unknown. */
  not_applied: z.int().nonnegative(),
  /** New since, or missed: see quiet. The run is not proven complete then. */
  others: z.int().nonnegative(),
  /** The others are not new: since the run began no command was called that could have made them. */
  quiet: z.literal(true).exactOptional(),
  /** The first of them. */
  sample: z.array(Bytestring),
});
/** See the schema. */
export type LeftBehind = z.output<typeof LeftBehind>;

/** The report document. */
export const Report = z.strictObject({
  run_id: z.string(),
  plan_digest: z.string(),
  dry_run: z.boolean(),
  /** Of a dry run: how many commands would have been sent. */
  would_send: z.int().nonnegative().exactOptional(),
  status: Status,
  totals: Totals,
  /** In order, at most 10,000; `results_left_out` counts the rest. */
  results: z.array(CommandResult),
  results_left_out: z.int().nonnegative(),
  /** Keys that a find listed. */
  found: z.strictObject({ keys: z.array(Bytestring), more: z.boolean() }).exactOptional(),
  /** TTL states per prefix, of an audit. */
  audit: z.array(TtlGroup).exactOptional(),
  transaction: z
    .strictObject({
      outcome: TransactionOutcome,
      attempts: z.int().nonnegative(),
      /** The engine of the last attempt. */
      engine: TransactionEngine,
      /** Left out where all attempts had one engine. */
      switched: EngineSwitch.exactOptional(),
      /** Values that the reads gave at the last attempt. */
      reads: z.record(z.string(), ReplyValue).exactOptional(),
      /** Of what was applied: the replicas that confirmed it, where they were asked and answered. */
      replicas: z.int().nonnegative().exactOptional(),
      /** confirmed: by as many replicas as were asked for; left out where nobody asked and there were none. */
      replicated: z.enum(['confirmed', 'not_known']).exactOptional(),
      /** No reply came to EXEC: its marker says what became of it. */
      found_by: z.literal('marker').exactOptional(),
    })
    .exactOptional(),
  /** How a file of commands was streamed. */
  stream: StreamFacts.exactOptional(),
  /** The file that keys were exported to. */
  exported: ExportFacts.exactOptional(),
  /** The file that a reply was written to. */
  saved: SavedFacts.exactOptional(),
  /** Of a scan job: where its keys were worked on. */
  engine: Engine.exactOptional(),
  /** How the run made way for other clients. */
  governor: GovernorFacts.exactOptional(),
  /** How others steered it while it was in motion. */
  steered: SteeringFacts.exactOptional(),
  errors: z.array(ErrorCount),
  warnings: z.array(Diagnostic),
  timing: z.strictObject({ started_at: z.string(), duration_ms: z.number().nonnegative() }),
  verification: z.strictObject({
    complete: z.boolean(),
    unproven: z.array(z.string()),
    /** Left out where nothing was walked again. */
    walked: LeftBehind.exactOptional(),
  }),
  /** A run that ended early and can go on: how. */
  resume: z.strictObject({ command: z.string() }).exactOptional(),
  undo: z.strictObject({ available: z.literal(false) }),
});
/** See the schema. */
export type Report = z.output<typeof Report>;
