/**
 * redops_inspect: what only reads, planned and run in one call. It is held to the reading part of the policy whatever else
 * is allowed: a client that lets this tool run without asking must be able to rely on it.
 */
import { z } from 'zod';
import { blocks } from '../../plan/diagnostic.ts';
import type { Plan } from '../../plan/plan.ts';
import { answer, type Document, sentence } from '../answer.ts';
import type { Outcome } from '../desk.ts';
import type { Job } from '../jobs.ts';
import { unplanned, type Verdict } from '../plan-view.ts';
import type { Redact } from '../redact.ts';
import { findings, reportPage } from '../report-page.ts';
import { CommandLines, mustBeOne, RequestArgument, requestOf } from '../request-input.ts';
import { begin, handleOf, settle } from '../settle.ts';
import { tool } from '../tool.ts';

/** See the file. */
export const inspectTool = tool({
  name: 'redops_inspect',
  title: 'Read from Redis',
  description:
    'Run a request or commands that only read: find keys, audit TTLs, inspect keys, INFO, SLOWLOG GET, CLIENT LIST, MEMORY USAGE, GET, HGETALL ... Whatever writes, blocks, runs scripts or costs too much is refused. What was stored in Redis comes under "untrusted".',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({ request: RequestArgument.exactOptional(), commands: CommandLines.exactOptional() }),
  run: async (input, desk, call) => {
    mustBeOne(input, ['request', 'commands']);
    const { redact } = desk;
    const started = await desk.agent.use(
      async (agent): Promise<Outcome | { readonly job: Job; readonly plan: Plan }> => {
        const planned = await agent.plan(requestOf(input));
        const { plan } = planned;
        if (!plan) return { result: answer(unplanned(planned, redact), { failed: true }) };
        const refusal = whyRefused(plan, await agent.judge(plan), redact);
        if (refusal)
          return { result: answer(refusal, { failed: true }), record: { digest: plan.digest, verdict: 'refused' } };
        return { plan, job: await desk.jobs.start(plan, (signal) => begin(agent, plan, { signal })) };
      },
    );
    if ('result' in started) return started;
    const { job, plan } = started;
    const report = await settle(job, desk, call.context);
    const record = { digest: plan.digest };
    if (!report) return { result: answer(handleOf(job)), record: { ...record, run_id: job.motion().runId } };
    const failed = report.status !== 'succeeded' && report.status !== 'partial';
    return {
      result: answer(reportPage(report, redact), { failed }),
      record: { ...record, run_id: report.run_id, verdict: report.status },
    };
  },
});

/** Why a plan is no reading; undefined when it is one. */
function whyRefused(plan: Plan, verdict: Verdict | undefined, redact: Redact): Document | undefined {
  const blocking = plan.warnings.filter(blocks);
  const reads = verdict !== undefined && verdict.needs === 'read' && verdict.beyond.length === 0;
  if (reads && blocking.length === 0 && !plan.execution_plan.writes) return undefined;
  const said = verdict === undefined ? [] : [...verdict.reads, ...verdict.beyond];
  const why = said.length > 0 ? [...new Set(said)] : ['it does more than read'];
  return {
    status: 'refused',
    why: why.map((one) => sentence(one, redact)),
    ...(blocking.length > 0 && !verdict?.hidden ? { problems: findings(blocking, redact, 12) } : {}),
    instead: 'redops_plan shows what it would do; redops_apply runs it where the policy or a person allows it.',
  };
}
