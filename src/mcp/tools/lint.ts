/** redops_lint: what is dangerous in a command file, a Lua script or a plan, without a server. */
import { z } from 'zod';
import { lintFiles } from '../../agent.ts';
import { blocks } from '../../plan/diagnostic.ts';
import { answer, fitting, maxOutputCharacters } from '../answer.ts';
import type { Desk } from '../desk.ts';
import { Digest, keptPlan } from '../plan-input.ts';
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
    'Find what is dangerous in redis-cli lines, a Lua script or a kept plan, with the safe way for each. Asks no server. Codes: redops://rule/<code>.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Input,
  run: async (input, desk) => {
    mustBeOne(input, ['text', 'digest'], 'text: "KEYS *", for example.');
    const { diagnostics, unchecked } = await judged(input, desk);
    const errors = diagnostics.filter(blocks).length;
    return {
      result: answer({
        status: errors > 0 ? 'errors' : diagnostics.length > 0 ? 'findings' : 'clean',
        errors,
        found: diagnostics.length,
        findings: fitting(findings(diagnostics, desk.redact, 25), 0, maxOutputCharacters - 1000),
        unchecked: unchecked.map(({ code }) => code),
      }),
    };
  },
});

async function judged({ text = '', language, digest }: z.output<typeof Input>, desk: Desk) {
  if (digest !== undefined) {
    const { warnings, unchecked } = await keptPlan(digest, desk);
    return { diagnostics: warnings, unchecked };
  }
  const name = language === 'lua' ? 'script.lua' : 'commands.redis';
  return lintFiles([{ name, source: Buffer.from(text, 'utf8') }]);
}
