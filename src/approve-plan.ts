/** A person's approval of a plan: checked as it would be applied, shown, signed, and written into the audit log. */
import { readPlan } from './assemble.ts';
import { systemClock } from './base/clock.ts';
import { OpsError } from './base/ops-error.ts';
import { blocks } from './plan/diagnostic.ts';
import type { Plan } from './plan/plan.ts';
import { createSources } from './sources.ts';
import { hasApprovalKey, signApproval } from './state/approvals.ts';
import { type Asked, lastAsked } from './state/asked.ts';
import { appendAudit } from './state/audit.ts';
import { loadPlan } from './state/plans.ts';

/** Asks the person for the passphrase, with the plan as it was checked, whether it is the first one (which makes the key), and what an agent said when it asked for this. */
export type AskPassphrase = (plan: Plan, first: boolean, asked: Asked | undefined) => Promise<string>;

/** Signs an approval of a plan that was saved under its digest, or of a plan document. Throws OpsError usage, refused, tampered, state. */
export async function approvePlan(
  stateDir: string,
  planOrDigest: unknown,
  passphrase: AskPassphrase,
  validMs: number,
  filePath?: (path: string) => string,
): Promise<{ readonly plan: Plan; readonly approval: string; readonly expiresMs: number }> {
  const document = typeof planOrDigest === 'string' ? await loadPlan(stateDir, planOrDigest) : planOrDigest;
  if (document === undefined) {
    throw new OpsError('usage', `no plan is kept under ${String(planOrDigest)}`, {
      remedy: 'Give the whole digest that redops plan or apply showed, or the plan itself.',
    });
  }
  const plan = await readPlan(document, createSources(filePath).read);
  const blocking = plan.warnings.filter(blocks);
  if (blocking.length > 0) {
    throw new OpsError('refused', `no approval can allow this plan: ${blocking[0]!.code}: ${blocking[0]!.message}`, {
      remedy: 'An error refuses a plan whoever approves it; a request that is right may accept its code.',
    });
  }
  const asked = await lastAsked(stateDir, plan.digest);
  const words = await passphrase(plan, !(await hasApprovalKey(stateDir)), asked);
  const expiresMs = systemClock.now() + validMs;
  const approval = await signApproval(stateDir, plan, words, expiresMs, asked?.policy);
  await appendAudit(stateDir, {
    event: 'approve',
    digest: plan.digest,
    target: plan.target.name,
    expires_ms: expiresMs,
    ...(asked ? { policy: asked.policy } : {}),
  });
  return { plan, approval, expiresMs };
}
