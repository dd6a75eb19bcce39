/** What others may ask of a run in motion: a pause, another rate, another allowance for what they feel. */
import { z } from 'zod';

/** What an operator wants of a run in motion. null: without the limit that the plan has; left out: as planned. */
export const Steering = z.strictObject({
  paused: z.boolean(),
  /** Commands a second. */
  rate: z.int().positive().nullable().exactOptional(),
  /** Milliseconds that the p99 of others may rise by. */
  slo_p99_ms: z.number().positive().max(60_000).nullable().exactOptional(),
});
/** See the schema. */
export type Steering = z.output<typeof Steering>;

/** What was changed of a run in motion, and when. */
export const Change = z.strictObject({ at: z.string(), ...Steering.partial().shape });
/** See the schema. */
export type Change = z.output<typeof Change>;

/** What others changed of a run while it was in motion (redops runs pause, set). */
export const SteeringFacts = z.strictObject({ paused_ms: z.int().nonnegative(), changes: z.array(Change) });
/** See the schema. */
export type SteeringFacts = z.output<typeof SteeringFacts>;
