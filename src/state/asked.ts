/**
 * What agents have asked a person for: the plan, the policy it was asked under, and why. `redops approve` shows it and binds
 * the approval to that policy. Names of clients are what the client says of itself: shown, never trusted.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { ensureDirectory, writeDurably } from './files.ts';
import { readJson } from './runs.ts';

const Asked = z.strictObject({
  digest: z.string(),
  /** policyDigest of plan/policy.ts. */
  policy: z.string(),
  target: z.string(),
  /** What of the plan goes beyond the policy, in sentences. */
  reason: z.string(),
  /** What the client calls itself. */
  client: z.string(),
  at_ms: z.int(),
});
/** See the schema. */
export type Asked = z.output<typeof Asked>;

/** Keeps what was asked for, one note a plan. Rejects with OpsError state. */
export async function noteAsked(dir: string, asked: Asked): Promise<void> {
  const folder = join(dir, 'approvals', 'asked');
  await ensureDirectory(folder);
  await writeDurably(pathOf(dir, asked.digest), `${JSON.stringify(asked, null, 2)}\n`);
}

/** What was last asked for with this plan; undefined when nobody asked. Rejects with OpsError state. */
export async function lastAsked(dir: string, digest: string): Promise<Asked | undefined> {
  return Asked.safeParse(await readJson(pathOf(dir, digest))).data;
}

function pathOf(dir: string, digest: string): string {
  return join(dir, 'approvals', 'asked', `${digest.replace(/^sha256:/, '')}.json`);
}
