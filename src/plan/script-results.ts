/** What a test of a script came to, on one server: the document that `redops script test --json` prints. */
import { z } from 'zod';

/** What was not as expected: where (`reply`, `key k`, `ttl of k`), both sides as people read them. */
export const Mismatch = z.strictObject({ at: z.string(), expected: z.string(), got: z.string() });
/** See the schema. */
export type Mismatch = z.output<typeof Mismatch>;

/** One test on one server. `skipped`: the server cannot run such a script at all; `reason` says why. */
export const ScriptTestResult = z.strictObject({
  file: z.string(),
  test: z.string(),
  server: z.string(),
  outcome: z.enum(['passed', 'failed', 'skipped']),
  /** Empty unless the test failed. */
  mismatches: z.array(Mismatch),
  reason: z.string().exactOptional(),
  duration_ms: z.number().nonnegative(),
});
/** See the schema. */
export type ScriptTestResult = z.output<typeof ScriptTestResult>;

/** Every test on every server, in the order they ran. */
export const ScriptTestReport = z.strictObject({
  servers: z.array(z.string()),
  passed: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  skipped: z.int().nonnegative(),
  results: z.array(ScriptTestResult),
});
/** See the schema. */
export type ScriptTestReport = z.output<typeof ScriptTestReport>;
