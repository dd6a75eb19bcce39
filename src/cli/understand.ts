/** The verbs that send nothing that writes: plan, lint, explain. */
import type { Diagnostic } from '../plan/diagnostic.ts';
import { diagnosticsText } from '../report/diagnostics-text.ts';
import { counted } from '../report/layout.ts';
import { estimateText, planText } from '../report/plan-text.ts';
import { exitOfFindings, exitOfNoPlan } from './exit.ts';
import { readBytes, readJson } from './input.ts';
import type { Io } from './io.ts';
import { withAgent } from './operate.ts';
import type { RunOptions } from './options.ts';
import { printJson, say, viewFor } from './output.ts';
import { settingsOf, severitiesOf } from './settings.ts';

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

/** Lints files ("-": standard input, which is a script under `script lint`), with live facts when --url or --target is given: REDIS_URL alone connects nowhere. */
export async function lintPaths(
  io: Io,
  options: RunOptions,
  paths: readonly string[],
  scripts: boolean,
): Promise<number> {
  const files = [];
  for (const path of paths)
    files.push({ name: scripts && path === '-' ? 'stdin.lua' : path, source: await readBytes(io, path) });
  const live = options.url !== undefined || options.target !== undefined;
  const settings = live ? await settingsOf(io, options) : undefined;
  const { lintFiles } = await io.stages();
  const { diagnostics, unchecked } = await lintFiles(files, settings, await severitiesOf(io, options));
  if (options.json) printJson(io, { diagnostics, unchecked });
  else {
    const sources = new Map(files.map(({ name, source }) => [name, Buffer.from(source).toString('utf8')]));
    const text = diagnosticsText(diagnostics, { ...viewFor(io, 'stdout'), sources, unchecked });
    if (text !== '') io.out(`${text}\n`);
    if (diagnostics.length === 0) io.out(`No findings in ${counted(files.length, 'file')}.\n`);
  }
  return exitOfFindings(diagnostics);
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
