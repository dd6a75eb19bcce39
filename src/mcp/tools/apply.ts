/**
 * redops_apply: runs a plan that was kept under its digest, and nothing else. What the policy lets through runs; all the
 * rest is answered with what a person has to do. Nothing in the arguments can stand for a person but a signature.
 */
import { acceptedContent, inputRequired } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Agent, ApplyOptions } from '../../agent.ts';
import { systemClock } from '../../base/clock.ts';
import type { Plan } from '../../plan/plan.ts';
import { policyDigest } from '../../plan/policy.ts';
import type { Report } from '../../plan/report.ts';
import { clean } from '../../report/layout.ts';
import { basisWords } from '../../report/plan-text.ts';
import { requestWords } from '../../report/words.ts';
import { answer, sentence } from '../answer.ts';
import type { Call, Desk, Outcome } from '../desk.ts';
import { Digest, keptPlan } from '../plan-input.ts';
import { reportPage } from '../report-page.ts';
import { begin, handleOf, settle } from '../settle.ts';
import { tool } from '../tool.ts';

/** See the file. */
export const applyTool = tool({
  name: 'redops_apply',
  title: 'Apply a plan',
  description:
    'Run exactly the plan with this digest; a changed or drifted one is refused. Beyond the policy it answers needs_approval and says what a person has to do: do not try another way. Long runs answer with a run_id for redops_runs.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  input: z.strictObject({
    digest: Digest,
    approval: z.string().min(1).max(2000).describe('what redops approve printed for a person').exactOptional(),
    dry_run: z.boolean().default(false).describe('read, send no write, count what would be sent'),
  }),
  run: async ({ digest, approval, dry_run: dryRun }, desk, call) => {
    const plan = await keptPlan(digest, desk);
    const elicited = approval === undefined && !dryRun && (await isAnswered(plan, desk, call));
    const granted: ApplyOptions = {
      yes: true,
      dryRun,
      ...(approval === undefined ? {} : { approval }),
      ...(elicited ? { elicited } : {}),
    };
    return applyPlan(plan, granted, desk, call);
  },
});

// only the start may be repeated on a new connection: until then nothing is sent
async function applyPlan(plan: Plan, granted: ApplyOptions, desk: Desk, call: Call): Promise<Outcome> {
  const { job, target } = await desk.agent.use(async (agent) => ({
    target: agent.target,
    job: await desk.jobs.start(plan, (signal) => begin(agent, plan, { ...granted, signal })),
  }));
  const report = await settle(job, desk, call.context);
  const record = { digest: plan.digest };
  if (!report)
    return { result: answer(handleOf(job)), record: { ...record, run_id: job.motion().runId, verdict: 'running' } };
  if (report.status === 'needs_approval') return needsApproval(plan, report, target, desk, call);
  const failed = report.status !== 'succeeded' && report.status !== 'partial';
  return {
    result: answer(reportPage(report, desk.redact), { failed }),
    record: { ...record, run_id: report.run_id, verdict: report.status },
  };
}

/** The reason stands in the report as APR001. */
async function needsApproval(
  plan: Plan,
  report: Report,
  target: Agent['target'],
  desk: Desk,
  call: Call,
): Promise<Outcome> {
  const reason = report.warnings.find(({ code }) => code === 'APR001')?.message ?? 'it was not approved';
  const record = { digest: plan.digest, verdict: 'needs_approval', reason };
  await desk.files.noteAsked(desk.stateDir, {
    digest: plan.digest,
    policy: policyDigest(desk.policy),
    target: target.name,
    reason,
    client: call.client,
    at_ms: systemClock.now(),
  });
  if (mayAsk(desk, call, target.tag)) {
    const requestState = await desk.approvals.ask(plan.digest, call.context);
    return {
      result: inputRequired({ requestState, inputRequests: { approval: question(plan, target.name, reason, desk) } }),
      record,
    };
  }
  return {
    record,
    result: answer({
      status: 'needs_approval',
      digest: plan.digest,
      why: sentence(reason, desk.redact),
      target: { name: sentence(target.name, desk.redact), counts_as: target.tag },
      what_a_person_does: `redops approve ${plan.digest}`,
      afterwards:
        'The person gives you what it prints; call redops_apply again with this digest and with that as approval. Do not plan again: it holds once, for this plan, for a limited time.',
      not: 'Nothing was sent. You cannot approve it yourself.',
    }),
  };
}

function mayAsk({ policy }: Desk, { elicits, context }: Call, tag: Agent['target']['tag']): boolean {
  // a person who has just said no, or a client that answered something else, is not asked again
  return policy.elicitation && elicits && tag === 'dev' && context.mcpReq.inputResponses === undefined;
}

function question(plan: Plan, name: string, reason: string, { redact }: Desk) {
  const { execution_plan: how, digest } = plan;
  const effect = how.destructive ? 'It deletes or overwrites data.' : how.writes ? 'It writes.' : 'It only reads.';
  const message = `An agent asks to: ${sentence(requestWords(plan.request), redact)}. On ${clean(name)}: ${basisWords(how.estimate)} keys. ${effect} Why you are asked: ${sentence(reason, redact)}. Plan ${digest.slice(7, 19)}.`;
  return inputRequired.elicit({
    message,
    requestedSchema: {
      type: 'object',
      properties: { target: { type: 'string', title: `Type the target's name (${clean(name)}) to approve it` } },
      required: ['target'],
    },
  });
}

const Answer = z.object({ target: z.string() });

/** True when the person answered the question about this very plan with the target's name. */
async function isAnswered(plan: Plan, desk: Desk, { context }: Call): Promise<boolean> {
  if (context.mcpReq.inputResponses === undefined || !desk.approvals.answered(plan.digest, context)) return false;
  const name = await desk.agent.use(async ({ target }) => target.name);
  return acceptedContent(context.mcpReq.inputResponses, 'approval', Answer)?.target.trim() === clean(name);
}
