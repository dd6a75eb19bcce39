/** redops_plan: a request becomes a plan that is kept under its digest. Nothing is sent but questions. */
import { z } from 'zod';
import { answer } from '../answer.ts';
import { planView, unplanned } from '../plan-view.ts';
import { RequestArgument } from '../request-input.ts';
import { tool } from '../tool.ts';

/** See the file. */
export const planTool = tool({
  name: 'redops_plan',
  title: 'Plan a request',
  description:
    'Turn a request into a plan: priced on live data, linted, judged by the policy. Sends nothing that writes. Answers with the digest that redops_apply takes.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({ request: RequestArgument }),
  run: async ({ request }, { agent, files, stateDir, redact }) =>
    agent.use(async (one) => {
      const planned = await one.plan(request);
      if (!planned.plan) return { result: answer(unplanned(planned, redact), { failed: true }) };
      const { plan } = planned;
      const document = planView(plan, await one.judge(plan), redact);
      await files.savePlan(stateDir, plan);
      return { result: answer(document), record: { digest: plan.digest, verdict: document.status } };
    }),
});
