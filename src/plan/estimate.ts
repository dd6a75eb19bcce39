/** The price of a plan: what it will touch, and how long that takes. */
import { z } from 'zod';

/** counted: exact at planning; sampled: low..high is a 95 % interval; bound: between low and high for certain. */
export const Estimate = z.strictObject({
  keys: z.int().nonnegative(),
  basis: z.enum(['counted', 'sampled', 'bound']),
  low: z.int().nonnegative(),
  high: z.int().nonnegative(),
  /** Server CPU, in milliseconds. */
  server_ms: z.number().nonnegative(),
  bytes_out: z.int().nonnegative(),
  bytes_in: z.int().nonnegative(),
  /** From first command to last reply, in milliseconds. */
  duration_ms: z.number().nonnegative(),
});
/** See the schema. */
export type Estimate = z.output<typeof Estimate>;
