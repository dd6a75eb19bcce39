/** The verb plan, which sends nothing that writes. */
import type { Diagnostic } from '../plan/diagnostic.ts';
import { diagnosticsText } from '../report/diagnostics-text.ts';
import { planText } from '../report/plan-text.ts';
import { exitOfFindings, exitOfNoPlan } from './exit.ts';
import { readJson } from './input.ts';
import type { Io } from './io.ts';
import { withAgent } from './operate.ts';
import type { RunOptions } from './options.ts';
import { printJson, say, viewFor } from './output.ts';

/** Makes and prints the plan of the request in a file ("-": standard input). Status 3 exactly when a finding blocks it. */
export async function planFile(io: Io, options: RunOptions, file: string): Promise<number> {
  const request = await readJson(io, file);
  return withAgent(io, options, undefined, async (agent) => {
    const { plan, diagnostics } = await agent.plan(request);
    if (plan === undefined) return printNoPlan(io, options, diagnostics);
    if (options.json) printJson(io, plan);
    else io.out(`${planText(plan, viewFor(io, 'stdout'))}\n`);
    return exitOfFindings(plan.warnings);
  });
}

/** Says why there is no plan. The exit status. */
export function printNoPlan(io: Io, options: RunOptions, diagnostics: readonly Diagnostic[]): number {
  if (options.json) printJson(io, { diagnostics });
  else say(io, `${diagnosticsText(diagnostics, viewFor(io, 'stderr'))}\n\nNo plan was made: nothing was sent.`);
  return exitOfNoPlan(diagnostics);
}
