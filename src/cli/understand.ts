/** The verbs plan and explain, which send nothing that writes. */
import type { Diagnostic } from '../plan/diagnostic.ts';
import { diagnosticsText } from '../report/diagnostics-text.ts';
import { estimateText, planText } from '../report/plan-text.ts';
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

/** Prints the price of a command line, or of the request in a .json file or on standard input ("-"). */
export async function explain(io: Io, options: RunOptions, what: string): Promise<number> {
  const input = what === '-' || /\.json$/i.test(what) ? await readJson(io, what) : what;
  return withAgent(io, options, undefined, async (agent) => {
    const { estimate, estimated_ops, plan, diagnostics } = await agent.explain(input);
    if (estimate === undefined) return printNoPlan(io, options, diagnostics);
    if (options.json) printJson(io, { ...estimate, estimated_ops: estimated_ops ?? 0 });
    else {
      io.out(`${estimateText(estimate, estimated_ops ?? 0, viewFor(io, 'stdout'))}\n`);
      const findings = diagnosticsText(plan?.warnings ?? [], viewFor(io, 'stdout'));
      if (findings !== '') io.out(`\n${findings}\n`);
    }
    return 0;
  });
}

function printNoPlan(io: Io, options: RunOptions, diagnostics: readonly Diagnostic[]): number {
  if (options.json) printJson(io, { diagnostics });
  else say(io, `${diagnosticsText(diagnostics, viewFor(io, 'stderr'))}\n\nNo plan was made: nothing was sent.`);
  return exitOfNoPlan(diagnostics);
}
