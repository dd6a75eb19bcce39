/**
 * What every verb that acts does: plan, show, ask, apply, report. The plan that is shown is the plan that is applied; a
 * run is only ever refused, or run to a report, and the report is what decides the exit status.
 */
import type { Agent, ApplyOptions, Planned, Run } from '../agent.ts';
import { OpsError } from '../base/ops-error.ts';
import type { Diagnostic } from '../plan/diagnostic.ts';
import { Plan } from '../plan/plan.ts';
import type { Report } from '../plan/report.ts';
import { diagnosticsText } from '../report/diagnostics-text.ts';
import { createFold, refusedReport } from '../report/fold.ts';
import { planText } from '../report/plan-text.ts';
import { askApproval, canAsk } from './approve-prompt.ts';
import { exitOfNoPlan, exitOfReport } from './exit.ts';
import type { Io, PlanningAgent } from './io.ts';
import type { RunOptions } from './options.ts';
import { printJson, printReport, say, viewFor } from './output.ts';
import { createProgress, type Progress } from './progress.ts';
import { type Stdin, settingsOf } from './settings.ts';

/** Plans and applies a request (any JSON value). `stdin`: what the request's file "-" stands for. */
export async function operate(io: Io, options: RunOptions, request: unknown, stdin?: Stdin): Promise<number> {
  return withAgent(io, options, stdin, async (agent) => {
    const planned = await agent.plan(request);
    if (planned.plan === undefined) return refuseUnplanned(io, options, planned.diagnostics);
    const { plan } = planned;
    return runAndReport(io, options, agent.target, plan, (granted) => agent.apply(plan, granted));
  });
}

/** Applies a plan document as it is: the agent checks that it is the one that was made, and still fits. */
export async function applyPlan(io: Io, options: RunOptions, document: unknown): Promise<number> {
  const parsed = Plan.safeParse(document);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new OpsError('usage', `not a plan: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, {
      remedy: 'Make it anew with redops plan.',
    });
  }
  const plan = parsed.data;
  return withAgent(io, options, undefined, (agent) =>
    runAndReport(io, options, agent.target, plan, (granted) => agent.apply(plan, granted)),
  );
}

/** Connects, acts, and always closes. */
export async function withAgent(
  io: Io,
  options: RunOptions,
  stdin: Stdin | undefined,
  act: (agent: PlanningAgent) => Promise<number>,
): Promise<number> {
  const settings = await settingsOf(io, options, stdin);
  const { openAgent } = await io.stages();
  const agent = await openAgent(settings);
  try {
    return await act(agent);
  } finally {
    await agent.close();
  }
}

/** Starts a run: of the plan that was shown, with what was granted. */
export type Begin = (granted: ApplyOptions) => Promise<Run | Planned>;

/** Shows a plan where someone has to be asked, asks as the target wants it, runs it and reports. The exit status is the report's. */
export async function runAndReport(
  io: Io,
  options: RunOptions,
  target: Agent['target'],
  plan: Plan,
  begin: Begin,
): Promise<number> {
  let granted: ApplyOptions = {
    yes: options.yes ?? false,
    dryRun: options.dryRun ?? false,
    ...(options.approve === undefined ? {} : { approval: options.approve }),
  };
  const shown = !options.json && plan.execution_plan.writes && !granted.yes && granted.approval === undefined;
  if (shown) showPlan(io, plan);
  else if (!options.json) showWarnings(io, plan.warnings);
  let report = await run(io, options, plan, granted, begin);
  if (isReport(report) && report.status === 'needs_approval' && canAsk(io)) {
    if (!shown) showPlan(io, plan);
    const answer = await askApproval(io, target);
    if (answer) {
      granted = { ...granted, ...answer };
      report = await run(io, options, plan, granted, begin);
    }
  }
  if (!isReport(report)) return refuseUnplanned(io, options, report.diagnostics);
  if (options.json) printJson(io, report);
  else {
    printReport(io, report, plan);
    explainRefusal(io, report, target);
  }
  sayHowToGoOn(io, plan, report);
  return exitOfReport(report);
}

// the plan is given as a document, so the very bytes that were shown are checked against their digest before they run
async function run(
  io: Io,
  options: RunOptions,
  plan: Plan,
  granted: ApplyOptions,
  begin: Begin,
): Promise<Report | Planned> {
  const stop = new AbortController();
  let presses = 0;
  const progress = createProgress(io, plan, options.progress !== false);
  const release = io.onInterrupt(() => {
    presses += 1;
    progress.clear();
    if (presses > 1) return io.exitNow(130);
    say(io, 'Stopping after what is under way. Press Ctrl-C again to quit at once.');
    stop.abort();
  });
  try {
    const started = await begin({ ...granted, signal: stop.signal });
    if (!isRun(started)) return started;
    return await reportOf(io, plan, started, progress);
  } finally {
    progress.clear();
    release();
  }
}

// a fault in the middle of a run, or while its record is written, must not hide what the run has done so far
async function reportOf(io: Io, plan: Plan, run: Run, progress: Progress): Promise<Report> {
  const fold = createFold(plan, '');
  let begun = false;
  try {
    for await (const event of run.events) {
      begun = true;
      fold.add(event);
      progress.add(event);
    }
    return await run.report;
  } catch (error) {
    if (!begun) throw error;
    progress.clear();
    const message = error instanceof Error ? error.message : String(error);
    say(io, `redops: ${message}${error instanceof OpsError && error.remedy ? `\n  ${error.remedy}` : ''}`);
    const soFar = fold.report();
    const { unproven } = soFar.verification;
    const told = unproven.some((reason) => reason.includes(message));
    return {
      ...soFar,
      status: soFar.status === 'interrupted' ? 'failed' : soFar.status,
      verification: { complete: false, unproven: told ? unproven : [...unproven, message] },
    };
  }
}

function refuseUnplanned(io: Io, options: RunOptions, diagnostics: readonly Diagnostic[]): number {
  if (options.json) printJson(io, refusedReport(undefined, diagnostics));
  else say(io, `${diagnosticsText(diagnostics, viewFor(io, 'stderr'))}\n\nNo plan was made: nothing was sent.`);
  return exitOfNoPlan(diagnostics);
}

function showPlan(io: Io, plan: Plan): void {
  say(io, `${planText(plan, viewFor(io, 'stderr'))}\n`);
}

function showWarnings(io: Io, warnings: readonly Diagnostic[]): void {
  const told = warnings.filter(({ severity }) => severity !== 'info');
  if (told.length > 0) say(io, `${diagnosticsText(told, viewFor(io, 'stderr'))}\n`);
}

function explainRefusal(io: Io, report: Report, target: Agent['target']): void {
  if (report.status !== 'needs_approval') return;
  const reason = report.warnings.find(({ code }) => code === 'APR001')?.message;
  say(io, `Why: ${reason ?? 'it was not approved'}. It counts as ${target.tag}: ${target.reason}.`);
  if (canAsk(io)) return;
  say(
    io,
    target.tag === 'dev'
      ? 'Standard input is no terminal, so nobody can be asked: pass --yes.'
      : "Standard input is no terminal, so nobody can be asked: --yes approves reads and reversible writes; anything else needs the target's name typed at a terminal.",
  );
}

function sayHowToGoOn(io: Io, plan: Plan, report: Report): void {
  if (report.resume) return say(io, `To go on from here, on the same server: ${report.resume.command}`);
  if (report.status !== 'interrupted') return;
  say(
    io,
    plan.execution_plan.idempotent
      ? 'The same command can be run again: what was done already is not changed by doing it twice.'
      : 'Do not simply run it again: what was applied would be applied twice. The report says what was applied and what is unknown.',
  );
}

function isRun(started: Run | Planned): started is Run {
  return 'events' in started;
}

function isReport(value: Report | Planned): value is Report {
  return 'plan_digest' in value;
}
