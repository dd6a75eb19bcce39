/** The price of a plan: what it will touch, and how long that takes. */
import { z } from 'zod';

/** counted: exact at planning; sampled: low..high is a 95 % interval; bound: between low and high for certain. */
export const Estimate = z.strictObject({
  keys: z.int().nonnegative(),
  basis: z.enum(['counted', 'sampled', 'bound']),
  low: z.int().nonnegative(),
  high: z.int().nonnegative(),
  /** Time of the server's main thread, in milliseconds: what is expected, and between which nine of ten runs lie. */
  server_ms: z.number().nonnegative(),
  server_ms_low: z.number().nonnegative(),
  server_ms_high: z.number().nonnegative(),
  /** Whose measurements these times rest on: the target's own, those of a throwaway server of its version, or those that redops brings along. */
  costs: z.enum(['target', 'throwaway', 'default']),
  bytes_out: z.int().nonnegative(),
  bytes_in: z.int().nonnegative(),
  /** From first command to last reply, in milliseconds. */
  duration_ms: z.number().nonnegative(),
});
/** See the schema. */
export type Estimate = z.output<typeof Estimate>;
