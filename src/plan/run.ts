/** Runs as they are kept: one line for each, and one in full. */
import { z } from 'zod';
import { LeftBehind, Status, Totals } from './report.ts';
import { Steering } from './steering.ts';

/** running: a process works on it now; paused: it does, and waits to be told to go on; cancelled: somebody ended it, and it cannot go on; else the report's, or interrupted where there is none. */
export const RunStatus = z.enum([...Status.options, 'running', 'paused', 'cancelled']);
/** See the schema. */
export type RunStatus = z.output<typeof RunStatus>;

/** One run of `redops runs list`. */
export const RunSummary = z.strictObject({
  run_id: z.string(),
  started_at: z.string(),
  /** The target's name. */
  target: z.string(),
  /** What it does, in words; empty where its plan cannot be read. */
  what: z.string(),
  status: RunStatus,
});
/** See the schema. */
export type RunSummary = z.output<typeof RunSummary>;

/** A run as `redops runs show` has it. */
export const RunDetail = z.strictObject({
  ...RunSummary.shape,
  plan_digest: z.string(),
  /** On whose word it runs; left out where its journal does not say. */
  allowed_by: z.enum(['nothing', 'yes', 'elicitation', 'typed_name', 'approval']).exactOptional(),
  /** Of the report; while there is none, of what the journal has. */
  totals: Totals,
  /** Of a scan job: how often it was begun, into how many parts the keyspace is divided, and how many of them are done. */
  progress: z
    .strictObject({
      attempts: z.int().nonnegative(),
      parts: z.int().nonnegative(),
      done: z.int().nonnegative(),
      /** Keys that the plan foresaw. */
      planned_keys: z.int().nonnegative(),
    })
    .exactOptional(),
  /** Of a run in motion: what was asked of it since it began. */
  steering: Steering.exactOptional(),
  /** How to go on, or why that cannot be. */
  resume: z.union([z.strictObject({ command: z.string() }), z.strictObject({ impossible: z.string() })]),
});
/** See the schema. */
export type RunDetail = z.output<typeof RunDetail>;

/** What `redops runs verify` found. */
export const Verified = z.strictObject({
  run_id: z.string(),
  /** Left out where the walk came to no end. */
  walked: LeftBehind.exactOptional(),
  unproven: z.array(z.string()),
});
/** See the schema. */
export type Verified = z.output<typeof Verified>;

/** The command that goes on with a run. */
export function resumeCommand(runId: string): string {
  return `redops runs resume ${runId}`;
}
