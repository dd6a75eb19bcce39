/** redops_lint: what is dangerous in a command file or a Lua script, without a server; or in a plan that was made. */
import { z } from 'zod';
import { type LintResult, lintFiles } from '../../agent.ts';
import { blocks } from '../../plan/diagnostic.ts';
import { answer, fitting, maxOutputCharacters } from '../answer.ts';
import type { Desk, Outcome } from '../desk.ts';
import { Digest, ownPlan } from '../plan-input.ts';
import { planView } from '../plan-view.ts';
import { findings } from '../report-page.ts';
import { mustBeOne } from '../request-input.ts';
import { tool } from '../tool.ts';

const Input = z.strictObject({
  text: z.string().min(1).exactOptional(),
  language: z.enum(['commands', 'lua']).default('commands'),
  digest: Digest.exactOptional(),
});

/** See the file. */
export const lintTool = tool({
  name: 'redops_lint',
  title: 'Lint commands, Lua or a plan',
  description:
    'Find what is dangerous in redis-cli lines, a Lua script or a kept plan, with the safe way for each. Runs nothing. Codes: redops://rule/<code>.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Input,
  run: async (input, desk) => {
    mustBeOne(input, ['text', 'digest'], 'text: "KEYS *", for example.');
    if (input.digest !== undefined) return lintPlan(input.digest, desk);
    const name = input.language === 'lua' ? 'script.lua' : 'commands.redis';
    return { result: said(await lintFiles([{ name, source: Buffer.from(input.text ?? '', 'utf8') }]), desk) };
  },
});

/** What was found when the plan was made; nothing of keys that the policy hides. */
async function lintPlan(digest: string, desk: Desk): Promise<Outcome> {
  return desk.agent.use(async (agent) => {
    const plan = await ownPlan(digest, agent, desk);
    const verdict = await agent.judge(plan);
    const record = { digest: plan.digest };
    if (verdict?.hidden) return { result: answer(planView(plan, verdict, desk.redact)), record };
    return { result: said({ diagnostics: plan.warnings, unchecked: plan.unchecked }, desk), record };
  });
}

function said({ diagnostics, unchecked }: Pick<LintResult, 'diagnostics' | 'unchecked'>, { redact }: Desk) {
  const errors = diagnostics.filter(blocks).length;
  return answer({
    status: errors > 0 ? 'errors' : diagnostics.length > 0 ? 'findings' : 'clean',
    errors,
    found: diagnostics.length,
    findings: fitting(findings(diagnostics, redact, 25), 0, maxOutputCharacters - 1000),
    unchecked: unchecked.map(({ code }) => code),
  });
}
