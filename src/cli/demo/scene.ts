/** What every chapter has at hand, and the one way it runs a request: plan, show, apply, show. */
import type { Agent } from '../../agent.ts';
import { OpsError } from '../../base/ops-error.ts';
import type { Event } from '../../plan/event.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Report } from '../../plan/report.ts';
import type { RequestInput } from '../../plan/request.ts';
import type { Server } from '../../plan/target.ts';
import { planText } from '../../report/plan-text.ts';
import { reportText } from '../../report/report-text.ts';
import type { Wire } from '../../throwaway.ts';
import { type Screen, sections } from './screen.ts';

/** A running demo. */
export interface Scene {
  readonly url: string;
  readonly agent: Agent;
  /** What planning learnt of the server: versions differ in what they can and in what they free lazily. */
  readonly server: Server;
  /** Another client of the same server. */
  readonly wire: Wire;
  readonly screen: Screen;
  readonly signal: AbortSignal;
  /** Holds the demo to its word: what does not hold is said, and the demo then ends with status 1. */
  claim(holds: boolean, what: string): void;
}

/** One part of the tour. */
export type Chapter = (scene: Scene) => Promise<void>;

/** How a run is watched. `onEvent` is awaited before the run goes on. */
export interface Watch {
  readonly onEvent?: (event: Event) => Promise<void>;
}

/** The plan of a request. Throws OpsError usage when none can be made, interrupted when the demo was. */
export async function plan(scene: Scene, request: RequestInput): Promise<Plan> {
  if (scene.signal.aborted) throw interrupted();
  const planned = await scene.agent.plan(request);
  if (planned.plan) return planned.plan;
  const first = planned.diagnostics[0];
  throw new OpsError('usage', `the demo's request cannot be planned: ${first?.message ?? 'no reason given'}`);
}

/** Applies a plan, approved as by --yes, to its report. */
export async function apply(scene: Scene, document: Plan, watch: Watch = {}): Promise<Report> {
  const run = await scene.agent.apply(document, { yes: true, signal: scene.signal });
  if (!('events' in run)) throw new OpsError('usage', 'the plan of the demo was not accepted');
  for await (const event of run.events) await watch.onEvent?.(event);
  const report = await run.report;
  if (report.status === 'interrupted') throw interrupted();
  return report;
}

/** Shows the sections of a plan's view, with the first of its reasons (one) and of its sample keys (none) as they are wanted. */
export function showPlan(
  { screen }: Scene,
  document: Plan,
  wanted: readonly string[],
  { reasons = 1, samples = 0 }: { readonly reasons?: number; readonly samples?: number } = {},
): void {
  const { execution_plan, target } = document;
  const selections = target.selections.map((one) => ({ ...one, samples: one.samples.slice(0, samples) }));
  const shorter: Plan = {
    ...document,
    execution_plan: { ...execution_plan, reasons: execution_plan.reasons.slice(0, reasons) },
    target: { ...target, selections },
  };
  screen.show(sections(planText(shorter, { width: screen.width, paint: screen.paint }), wanted));
}

/** Shows the sections of a report's view, by default all but its commands, its warnings and its id. */
export function showReport({ screen }: Scene, report: Report, wanted: readonly string[]): void {
  const options = { width: screen.width, paint: screen.paint, results: false, warnings: false };
  screen.show(sections(reportText(report, options), wanted));
}

/** The fault that ends an interrupted demo. */
export function interrupted(): OpsError {
  return new OpsError('interrupted', 'the demo was interrupted');
}

/** The label of a report's first line, whatever became of the run. */
export const ending = ['Done', 'Ran', 'Failed', 'Refused', 'Interrupted', 'Needs'];

/** Milliseconds that the server has spent in these commands so far, by its own clock (INFO commandstats). */
export async function serverMs(wire: Wire, commands: readonly string[]): Promise<number> {
  const stats = String(await wire.ask('INFO', 'commandstats'));
  const spent = [...stats.matchAll(/^cmdstat_(\w+):calls=\d+,usec=(\d+)/gm)];
  const microseconds = spent.filter(([, name = '']) => commands.includes(name)).map(([, , usec]) => Number(usec));
  return microseconds.reduce((sum, one) => sum + one, 0) / 1000;
}
