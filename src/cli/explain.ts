/** The verb explain: what a command or a request means, who may run it, and what commands cost here. */
import type { Explained } from '../agent.ts';
import { OpsError } from '../base/ops-error.ts';
import { formatDuration } from '../base/units.ts';
import type { Costs } from '../plan/costs.ts';
import { diagnosticsText } from '../report/diagnostics-text.ts';
import { explanationText } from '../report/explanation-text.ts';
import { estimateText } from '../report/plan-text.ts';
import { readJson } from './input.ts';
import type { Io } from './io.ts';
import { withAgent } from './operate.ts';
import type { RunOptions } from './options.ts';
import { printJson, say, viewFor } from './output.ts';
import { printNoPlan } from './plan-file.ts';
import { serverProgram } from './server-program.ts';

/** What the verb takes. */
export interface ExplainOptions extends RunOptions {
  readonly acl?: boolean;
  readonly user?: string;
  readonly calibrate?: boolean;
  readonly onTarget?: boolean;
}

/** Explains a command line, or the request in a .json file or on standard input ("-"); without a server where none is named. */
export async function explain(io: Io, options: ExplainOptions, what: string | undefined): Promise<number> {
  if (options.calibrate) return calibrate(io, options, what);
  if (options.onTarget) throw new OpsError('usage', '--on-target belongs to --calibrate');
  if (what === undefined && options.acl)
    return withAgent(io, options, undefined, async (agent) =>
      printUser(io, { user: 'redops-reader', ...options }, await agent.readingUser()),
    );
  if (what === undefined)
    throw new OpsError('usage', 'there is nothing to explain', {
      remedy: 'Give a command ("ZRANGE z 0 -1") or a request (a .json file, "-" for standard input).',
    });
  const input = what === '-' || /\.json$/i.test(what) ? await readJson(io, what) : what;
  const named = options.url ?? options.target ?? io.env.REDIS_URL;
  if (named !== undefined && named !== '')
    return withAgent(io, options, undefined, async (agent) => print(io, options, await agent.explain(input)));
  if (options.acl)
    throw new OpsError('usage', 'the rules of a user depend on the version of the server', {
      remedy: 'Name it: REDIS_URL, --url or --target.',
    });
  const { explainWithoutServer } = await io.stages();
  return print(io, options, await explainWithoutServer(input));
}

function print(io: Io, options: ExplainOptions, explained: Explained): number {
  const { estimate, explanation, estimated_ops = 0, acl, plan } = explained;
  if (estimate === undefined || explanation === undefined) return printNoPlan(io, options, explained.diagnostics);
  if (options.acl && acl) return printUser(io, options, acl);
  const findings = plan?.warnings ?? explained.diagnostics;
  if (options.json) {
    printJson(io, { ...estimate, estimated_ops, explanation, warnings: findings });
    return 0;
  }
  const view = viewFor(io, 'stdout');
  const several = explanation.steps.reduce((all, { commands, more }) => all + commands.length + more, 0) > 1;
  const parts = [
    ...(several ? [estimateText(estimate, estimated_ops, view)] : []),
    explanationText(explanation, view),
    diagnosticsText(findings, view),
  ];
  io.out(`${parts.filter((part) => part !== '').join('\n\n')}\n`);
  return 0;
}

function printUser(io: Io, options: ExplainOptions, { rules, notes }: NonNullable<Explained['acl']>): number {
  const user = options.user ?? 'redops-job';
  if (!/^[\w.:@-]+$/.test(user))
    throw new OpsError('usage', `${JSON.stringify(user)} is no name of a user`, {
      remedy: 'Letters, digits, . : @ - _',
    });
  const command = ['ACL', 'SETUSER', user, ...rules].join(' ');
  const said = ['Put a password of your own in the place of PASSWORD.', ...notes];
  if (options.json) printJson(io, { user, rules, command, notes: said });
  else {
    io.out(`${command}\n`);
    for (const note of said) say(io, note);
  }
  return 0;
}

async function calibrate(io: Io, options: ExplainOptions, what: string | undefined): Promise<number> {
  if (what !== undefined || options.acl)
    throw new OpsError('usage', '--calibrate stands alone', { remedy: 'redops explain --calibrate --url ...' });
  const program = options.onTarget
    ? undefined
    : await serverProgram(io.env, 'name one in REDOPS_SERVER, or measure on the target itself: --on-target');
  const stop = new AbortController();
  const release = io.onInterrupt(() => (stop.signal.aborted ? io.exitNow(130) : stop.abort()));
  const started = performance.now();
  try {
    return await withAgent(io, options, undefined, async (agent) => {
      const costs = await agent.calibrate({
        program,
        yes: options.yes ?? false,
        signal: stop.signal,
        ...(options.progress !== false &&
          io.terminal.stderr && { onStep: (step) => io.err(`\r\x1b[KMeasuring ${step}`) }),
      });
      if (io.terminal.stderr && options.progress !== false) io.err('\r\x1b[K');
      if (options.json) printJson(io, costs);
      else io.out(`${calibratedText(costs, agent.target.name, performance.now() - started)}\n`);
      return 0;
    });
  } finally {
    release();
  }
}

function calibratedText({ server, basis, curves }: Costs, target: string, ms: number): string {
  const where = basis === 'target' ? 'on the target itself' : 'on a throwaway server';
  return `Measured ${Object.keys(curves).length} curves of ${server} ${where} in ${formatDuration(ms)}. Plans of ${target} are priced by them.`;
}
