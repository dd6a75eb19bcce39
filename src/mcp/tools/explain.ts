/** redops_explain: what a request, commands or a plan would do and cost on live data, and nothing else. */
import { z } from 'zod';
import type { Planned } from '../../agent.ts';
import { answer, roomBeside } from '../answer.ts';
import type { Desk } from '../desk.ts';
import { explanationView } from '../explanation-view.ts';
import type { ServedAgent } from '../held-agent.ts';
import { Digest, ownPlan } from '../plan-input.ts';
import { planView, unplanned } from '../plan-view.ts';
import { CommandLines, mustBeOne, RequestArgument, requestOf } from '../request-input.ts';
import { tool } from '../tool.ts';

const Input = z.strictObject({
  request: RequestArgument.exactOptional(),
  commands: CommandLines.exactOptional(),
  digest: Digest.exactOptional(),
});

/** See the file. */
export const explainTool = tool({
  name: 'redops_explain',
  title: 'Explain and price',
  description:
    'What a request, commands or a plan would do and cost on live data: for each command its keys as they are, elements, server time as an interval, bytes, memory, and what is safer instead. Runs nothing.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Input,
  run: async (input, desk) => {
    mustBeOne(input, ['request', 'commands', 'digest']);
    const { redact, files } = desk;
    return desk.agent.use(async (agent) => {
      const { explanation, ...planned } = files.explainPlanned(await plannedOf(input, agent, desk));
      const { plan } = planned;
      if (plan === undefined) return { result: answer(unplanned(planned, redact), { failed: true }) };
      const verdict = await agent.judge(plan);
      // only redops_plan keeps a plan; the commands of its view are all in the explanation
      const {
        digest: _digest,
        commands: _commands,
        commands_left_out: _left,
        ...view
      } = planView(plan, verdict, redact);
      const explained =
        explanation === undefined || verdict?.hidden ? {} : explanationView(explanation, roomBeside(view), redact);
      return { result: answer({ ...view, status: 'priced', ...explained }), record: { digest: plan.digest } };
    });
  },
});

async function plannedOf(input: z.output<typeof Input>, agent: ServedAgent, desk: Desk): Promise<Planned> {
  if (input.digest === undefined) return agent.plan(requestOf(input));
  const plan = await ownPlan(input.digest, agent, desk);
  return { plan, diagnostics: plan.warnings };
}
