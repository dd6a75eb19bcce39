/** The library's front door: `connect(url)` gives an object whose methods take and return plain documents. */
import {
  type Agent,
  type AgentSettings,
  type ApplyOptions,
  openAgent,
  type Planned,
  type ResumeOptions,
  type Run,
} from './agent.ts';
import { OpsError } from './base/ops-error.ts';
import type { PipelineCommand, PipelineOptions, PipelineOutcome } from './pipeline.ts';
import type { Diagnostic } from './plan/diagnostic.ts';
import type { Estimate } from './plan/estimate.ts';
import type { Event } from './plan/event.ts';
import type { Plan } from './plan/plan.ts';
import type { Report } from './plan/report.ts';
import type { RequestInput } from './plan/request.ts';
import type { PreparedTransaction, PrepareOptions } from './prepared.ts';
import type { RunTransaction } from './transaction.ts';

/** Options of `apply`: what is granted, and who watches. */
export interface ApplyCall extends ApplyOptions {
  /** Called with every event as it happens. */
  readonly onEvent?: (event: Event) => void;
}

/** Options of `resume`: what is granted, and who watches. */
export interface ResumeCall extends ResumeOptions {
  /** Called with every event as it happens. */
  readonly onEvent?: (event: Event) => void;
}

/** redops, connected to one target. */
export interface Redops {
  /** Plans a request. Throws RequestProblem (an OpsError `usage` with `diagnostics`) when no plan can be made of it. */
  plan(request: RequestInput): Promise<Plan>;
  /** Runs a plan or a request to its report. On a dev target nothing more is needed; see `yes` and `typedName` for others. */
  apply(document: Plan | RequestInput, call?: ApplyCall): Promise<Report>;
  /** Goes on with a scan job that ended early, to its report: the same run id, totals over all attempts. Needs the state directory in which it began. */
  resume(runId: string, call?: ResumeCall): Promise<Report>;
  /** Prices a command line ("ZRANGE z 0 -1") or a request. */
  explain(input: string | RequestInput): Promise<Estimate & { readonly estimated_ops: number }>;
  /** Sends commands without a plan, at the speed of the server; outcomes come in order. Throws OpsError refused, unreachable, drift after the outcomes of all that was sent. */
  pipeline(
    commands: Iterable<PipelineCommand> | AsyncIterable<PipelineCommand>,
    options?: PipelineOptions,
  ): AsyncIterable<PipelineOutcome>;
  /** WATCHes the keys, runs the function, and applies the commands that it returns with MULTI/EXEC, again when a key changed meanwhile. Rejects with OpsError refused, usage (nothing was sent), interrupted, and with what the function throws. */
  readonly transaction: RunTransaction;
  /** Plans a transaction and allows it once, to be run many times: a hot counter. Throws RequestProblem, OpsError usage or refused. */
  prepare(request: RequestInput, options?: PrepareOptions): Promise<PreparedTransaction>;
  close(): Promise<void>;
}

/** A request that no plan can be made of: the diagnostics name every place. */
export class RequestProblem extends OpsError {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    const first = diagnostics[0];
    super(
      'usage',
      first ? `${first.at}: ${first.message}` : 'the request cannot be planned',
      first ? { remedy: first.fix } : {},
    );
    this.diagnostics = diagnostics;
  }
}

/** Connects to a server by URL, or by settings. Throws OpsError unreachable, auth, usage, unsupported. */
export async function connect(target: string | AgentSettings): Promise<Redops> {
  const agent = await openAgent(typeof target === 'string' ? { url: target } : target);
  return {
    plan: async (request) => planOf(await agent.plan(request)),
    apply: (document, call = {}) => applyTo(agent, document, call),
    resume: async (runId, { onEvent, ...options } = {}) =>
      reportOf(await agent.resume(runId, { yes: true, ...options }), onEvent),
    explain: async (input) => {
      const priced = await agent.explain(input);
      const plan = planOf(priced);
      return { ...plan.execution_plan.estimate, estimated_ops: plan.estimated_ops };
    },
    pipeline: (commands, options) => agent.pipeline(commands, options),
    transaction: agent.transaction,
    prepare: async (request, options) => agent.prepare(planOf(await agent.plan(request)), { yes: true, ...options }),
    close: () => agent.close(),
  };
}

async function applyTo(agent: Agent, document: unknown, call: ApplyCall): Promise<Report> {
  const { onEvent, ...options } = call;
  // a program that calls apply has decided; what --yes cannot approve on production still needs the typed name
  const run: Run | Planned = await agent.apply(document, { yes: true, ...options });
  if (!('events' in run)) throw new RequestProblem(run.diagnostics);
  return reportOf(run, onEvent);
}

async function reportOf(run: Run, onEvent: ((event: Event) => void) | undefined): Promise<Report> {
  for await (const event of run.events) onEvent?.(event);
  return run.report;
}

function planOf(planned: Planned): Plan {
  if (!planned.plan) throw new RequestProblem(planned.diagnostics);
  return planned.plan;
}
