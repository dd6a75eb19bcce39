/** redops_lint: what is dangerous in a command file or a Lua script, without a server. */
import { z } from 'zod';
import { lintFiles } from '../../agent.ts';
import { answer, fitting, maxOutputCharacters } from '../answer.ts';
import { findings } from '../report-page.ts';
import { tool } from '../tool.ts';

/** See the file. */
export const lintTool = tool({
  name: 'redops_lint',
  title: 'Lint commands or Lua',
  description:
    'Find what is dangerous in redis-cli lines or a Lua script, with the safe way for each. Asks no server. Codes: redops://rule/<code>.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({ text: z.string().min(1), language: z.enum(['commands', 'lua']).default('commands') }),
  run: async ({ text, language }, { redact }) => {
    const name = language === 'lua' ? 'script.lua' : 'commands.redis';
    const { diagnostics, unchecked } = await lintFiles([{ name, source: Buffer.from(text, 'utf8') }]);
    const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
    return {
      result: answer({
        status: errors > 0 ? 'errors' : diagnostics.length > 0 ? 'findings' : 'clean',
        errors,
        found: diagnostics.length,
        findings: fitting(findings(diagnostics, redact, 25), 0, maxOutputCharacters - 1000),
        unchecked: unchecked.map(({ code }) => code),
      }),
    };
  },
});
