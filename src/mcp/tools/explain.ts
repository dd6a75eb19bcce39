/** redops_explain: the price of a request or of commands on live data, and nothing else. */
import { z } from 'zod';
import { OpsError } from '../../base/ops-error.ts';
import { answer } from '../answer.ts';
import { planView, unplanned } from '../plan-view.ts';
import { CommandLines, RequestArgument, requestOf } from '../request-input.ts';
import { tool } from '../tool.ts';

/** See the file. */
export const explainTool = tool({
  name: 'redops_explain',
  title: 'Price commands',
  description:
    'What a request or commands would cost on live data (elements, server time, bytes) and what is wrong with them. Runs nothing.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({ request: RequestArgument.exactOptional(), commands: CommandLines.exactOptional() }),
  run: async (input, { agent, redact }) => {
    mustBeOne(input);
    return agent.use(async (one) => {
      const planned = await one.plan(requestOf(input));
      if (!planned.plan) return { result: answer(unplanned(planned, redact), { failed: true }) };
      const { digest: _digest, ...priced } = planView(planned.plan, await one.judge(planned.plan), redact);
      return { result: answer({ ...priced, status: 'priced' }), record: { digest: planned.plan.digest } };
    });
  },
});

/** Throws OpsError usage unless exactly one of the two is given. */
export function mustBeOne(input: { readonly request?: unknown; readonly commands?: unknown }): void {
  if ((input.request === undefined) !== (input.commands === undefined)) return;
  throw new OpsError('usage', 'give either request or commands', { remedy: 'commands: ["INFO memory"], for example.' });
}
