/** Runs as they are kept: one line for each, and one in full. */
import { z } from 'zod';
import { Status, Totals } from './report.ts';

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

const off = z.literal('off');

/** What somebody wants of a run in motion, as a whole: what is left out is as the plan has it. Stands in the run's folder as control.json. */
export const Wishes = z.strictObject({
  paused: z.boolean(),
  /** Commands a second; off: no limit. */
  rate: z.union([z.int().positive(), off]).exactOptional(),
  /** Milliseconds that the p99 of other clients may rise by; off: nothing is held. */
  slo_p99_ms: z.union([z.number().positive().max(60_000), off]).exactOptional(),
});
/** See the schema. */
export type Wishes = z.output<typeof Wishes>;

/** A run as `redops runs show` has it. */
export const RunDetail = z.strictObject({
  ...RunSummary.shape,
  plan_digest: z.string(),
  /** On whose word it runs; left out where its journal does not say. */
  allowed_by: z.enum(['nothing', 'yes', 'typed_name', 'approval']).exactOptional(),
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
  /** Of a run in motion: what somebody wants of it other than its plan says. */
  wishes: Wishes.exactOptional(),
  /** How to go on, or why that cannot be. */
  resume: z.union([z.strictObject({ command: z.string() }), z.strictObject({ impossible: z.string() })]),
});
/** See the schema. */
export type RunDetail = z.output<typeof RunDetail>;

/** The command that goes on with a run. */
export function resumeCommand(runId: string): string {
  return `redops runs resume ${runId}`;
}
