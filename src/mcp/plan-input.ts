/** How a tool takes a plan: by its digest, never as a document, so that what runs is what was judged and shown. */
import { z } from 'zod';
import { OpsError } from '../base/ops-error.ts';
import type { Plan } from '../plan/plan.ts';
import type { Desk } from './desk.ts';
import type { ServedAgent } from './held-agent.ts';

/** The digest, as a tool's argument. */
export const Digest = z
  .string()
  .regex(/^(?:sha256:)?[0-9a-f]{64}$/)
  .describe('of redops_plan');

/** The plan that was kept under it. Rejects with OpsError usage (none is), tampered, state. */
export async function keptPlan(digest: string, { files, stateDir }: Desk): Promise<Plan> {
  const plan = await files.keptPlan(stateDir, digest);
  if (plan === undefined) throw noPlan(digest);
  return plan;
}

/** The same, of which something is to be told: what was learnt of another target is not this agent's to know. */
export async function ownPlan(digest: string, { target }: ServedAgent, desk: Desk): Promise<Plan> {
  const plan = await keptPlan(digest, desk);
  if (plan.target.name !== target.name) throw noPlan(digest);
  return plan;
}

function noPlan(digest: string): OpsError {
  return new OpsError('usage', `no plan is kept under ${digest.slice(0, 19)}`, {
    remedy: 'Plan the request first (redops_plan) and give the whole digest.',
  });
}
