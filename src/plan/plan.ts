/**
 * The plan: the specification's output schema. `execution_plan.steps` is the tree and the only authority; everything
 * beside it is derived from it and recomputed when a plan is read. `digest` is what is approved.
 */
import { z } from 'zod';
import { type Bytes, byteLength } from '../base/bytes.ts';
import { digestOf } from '../base/canonical.ts';
import { Diagnostic, Unchecked } from './diagnostic.ts';
import { Estimate } from './estimate.ts';
import { Request } from './request.ts';
import { placeInSource, Step, type StreamSource } from './step.ts';
import { type Identity, Target } from './target.ts';
import { Argument } from './values.ts';

/** How the steps run. */
export const Strategy = z.enum(['pipeline', 'transaction', 'watch_transaction', 'script', 'scan_job', 'inspection']);
/** See the schema. */
export type Strategy = z.output<typeof Strategy>;

/** One command of the plan as a reader sees it; a job's template shows {"param": "key"}. */
export const PlannedCommand = z.strictObject({
  argv: z.array(Argument),
  node: z.string().exactOptional(),
  slot: z.int().min(0).max(16383).exactOptional(),
});
/** See the schema. */
export type PlannedCommand = z.output<typeof PlannedCommand>;

/** How the plan runs and what it is. */
export const ExecutionPlan = z.strictObject({
  strategy: Strategy,
  steps: z.array(Step),
  batch_size: z.int().positive(),
  /** Batches in flight at most. */
  in_flight: z.int().positive(),
  round_trips: z.int().nonnegative(),
  round_trip_ms: z.number().nonnegative(),
  atomic: z.boolean(),
  idempotent: z.boolean(),
  reversible: z.boolean(),
  destructive: z.boolean(),
  /** False: the plan only reads. */
  writes: z.boolean(),
  /** Present on transactions: Redis undoes nothing when a command of EXEC fails. */
  rollback: z.literal('none').exactOptional(),
  /** Why this strategy, this batch size, this TTL. */
  reasons: z.array(z.string()),
  retry: z.strictObject({
    max_retries: z.int().nonnegative(),
    backoff: z.literal('exponential'),
    base_ms: z.int().nonnegative(),
    retry_on: z.array(z.string()),
  }),
  estimate: Estimate,
  permissions: z.array(z.string()),
  min_version: z.strictObject({ redis: z.string(), valkey: z.string() }),
});
/** See the schema. */
export type ExecutionPlan = z.output<typeof ExecutionPlan>;

/** The plan document. */
export const Plan = z.strictObject({
  version: z.literal(1),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  request: Request,
  target: Target,
  commands: z.array(PlannedCommand),
  execution_plan: ExecutionPlan,
  /** Elements the server will touch: the N of the O(N). */
  estimated_ops: z.int().nonnegative(),
  warnings: z.array(Diagnostic),
  /** Rules that could not be judged here, and why. */
  unchecked: z.array(Unchecked),
});
/** See the schema. */
export type Plan = z.output<typeof Plan>;

/** What a recipe makes of a request: the steps, and why these. Everything else of the plan is derived from it. */
export interface Draft {
  readonly request: Request;
  readonly strategy: Strategy;
  readonly steps: readonly Step[];
  readonly batch_size: number;
  readonly reasons: readonly string[];
}

/** True when a run of the plan counts by its pages (scan jobs, streams), and its results only name what is worth showing. */
export function countsByPage(plan: Plan): boolean {
  const { strategy, steps } = plan.execution_plan;
  return strategy === 'scan_job' || steps.some((step) => step.kind === 'stream');
}

/** True for a scan job that does no harm by doing a page twice: a run of it that ended early can go on. */
export function isJob(plan: Pick<Plan, 'execution_plan'>): boolean {
  const { steps, idempotent } = plan.execution_plan;
  return steps.length === 1 && steps[0]!.kind === 'for_each' && idempotent;
}

/** The commands of the plan's files that were read while planning, with their places. */
export function sampledCommands(draft: Pick<Draft, 'steps'>, target: Target | undefined): readonly SampledCommand[] {
  return draft.steps.flatMap((step) => {
    if (step.kind !== 'stream') return [];
    const facts = target?.sources?.find(({ path }) => path === step.source.path);
    return (facts?.sample ?? []).map(({ argv, line }) => ({
      argv,
      line,
      at: placeInSource(step.source, line),
      source: step.source,
    }));
  });
}

/** The first of some commands, as far as they are fit to be shown: at most `most`, and 64 kB of words. */
export function shownSample<Command extends { readonly argv: readonly Bytes[] }>(
  commands: readonly Command[],
  most: number,
): Command[] {
  let left = 64 * 1024;
  const shown: Command[] = [];
  for (const command of commands.slice(0, most)) {
    left -= command.argv.reduce((bytes, word) => bytes + byteLength(word), 0);
    if (left < 0) break;
    shown.push(command);
  }
  return shown;
}

/** One command of a file. */
export interface SampledCommand {
  readonly argv: readonly Bytes[];
  readonly line: number;
  readonly at: string;
  readonly source: StreamSource;
}

/**
 * The digest of a plan: SHA-256 of the RFC 8785 JSON of what is approved (request with limits and accepted rules, steps,
 * identity). Not how many commands go out together, which follows the round trip: whoever plans the same again on the same
 * data has the same digest.
 */
export function planDigest(draft: Pick<Draft, 'request' | 'steps'>, identity: Identity): string {
  return digestOf({ version: 1, request: draft.request, steps: draft.steps.map(approved), identity });
}

function approved(step: Step): Omit<Step, 'batch_size'> {
  if (!('batch_size' in step)) return step;
  const { batch_size: _, ...rest } = step;
  return rest;
}
