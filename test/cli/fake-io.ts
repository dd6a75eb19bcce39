/** A terminal and an agent of paper: what was printed, what was asked, what the agent was told. */
import {
  type AgentSettings,
  type ApplyOptions,
  approvePlan,
  explainWithoutServer,
  fixFiles,
  type LintResult,
  lintInputs,
  lintTitles,
  loadDesk,
  loadRuns,
  type ResumeOptions,
} from '../../src/agent.ts';
import type { Io, PlanningAgent, Stages } from '../../src/cli/io.ts';
import { runCli } from '../../src/cli/program.ts';
import { explainPlanned } from '../../src/explaining.ts';
import type { Diagnostic } from '../../src/plan/diagnostic.ts';
import type { Event } from '../../src/plan/event.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { foldEvents, needsApprovalReport, refusedReport } from '../../src/report/fold.ts';
import { loadTargets, resolveTarget } from '../../src/state/targets.ts';
import { somePlan } from './documents.ts';

/** How the paper world behaves. */
export interface FakeOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
  readonly terminal?: Partial<Io['terminal']>;
  /** What the person answers, in order; none left: Ctrl-D. */
  readonly answers?: readonly string[];
  readonly tag?: 'dev' | 'production';
  readonly plan?: Plan;
  /** Planning gives these instead of a plan. */
  readonly problems?: readonly Diagnostic[];
  readonly events?: readonly Event[];
  readonly lint?: LintResult;
  /** Thrown by openAgent. */
  readonly fault?: Error;
  /** Called when a plan is asked for, with the settings that the agent was opened with. */
  readonly onRequest?: (settings: AgentSettings) => void;
  /** Thrown after the last event, as a full disk does when the report is written. */
  readonly lateFault?: Error;
  /** Called while the run goes on, with a way to press Ctrl-C. */
  readonly during?: (press: () => void, signal: AbortSignal | undefined) => void;
}

/** What came of one command line. */
export interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  readonly asked: readonly string[];
  readonly requests: readonly unknown[];
  readonly applied: readonly ApplyOptions[];
  readonly resumed: readonly (ResumeOptions & { readonly runId: string })[];
  readonly settings: readonly AgentSettings[];
  readonly exits: readonly number[];
  readonly closed: number;
}

/** The events of a run that changed three keys. */
export const someEvents: readonly Event[] = [
  { kind: 'run_started', run_id: 'r1', plan_digest: '', dry_run: false, at_ms: 0 },
  {
    kind: 'page',
    planned_keys: 3,
    totals: { scanned: 10, matched: 3, changed: 3, unchanged: 0, failed: 0, unknown: 0, retried: 0 },
  },
  { kind: 'run_finished', status: 'succeeded', at_ms: 1500 },
];

/** Runs a command line in the paper world; REDIS_URL is set unless `env` says otherwise. */
export async function runFake(argv: readonly string[], options: FakeOptions = {}): Promise<Outcome> {
  let out = '';
  let err = '';
  let closed = 0;
  const asked: string[] = [];
  const requests: unknown[] = [];
  const applied: ApplyOptions[] = [];
  const resumed: (ResumeOptions & { readonly runId: string })[] = [];
  const settings: AgentSettings[] = [];
  const exits: number[] = [];
  const answers = [...(options.answers ?? [])];
  const handlers = new Set<() => void>();
  const exitHandlers = new Set<() => void>();
  const press = (): void => {
    [...handlers].at(-1)?.();
  };
  const plan = options.plan ?? somePlan();
  const agent: PlanningAgent = {
    target: { name: 'cache', tag: options.tag ?? 'dev', reason: 'a test says so' },
    plan: async (request) => {
      requests.push(request);
      if (settings[0]) options.onRequest?.(settings[0]);
      return options.problems ? { plan: undefined, diagnostics: options.problems } : { plan, diagnostics: [] };
    },
    apply: async (_, granted) => {
      applied.push(granted);
      const settled = (report: ReturnType<typeof refusedReport>) => ({
        events: (async function* () {})(),
        report: Promise.resolve(report),
      });
      const blocking = plan.warnings.filter(({ severity, accepted }) => severity === 'error' && !accepted);
      if (blocking.length > 0) return settled(refusedReport(plan, [], 0));
      const free = granted.dryRun || !plan.execution_plan.writes || granted.typedName === 'cache';
      if (!free && !(granted.yes && options.tag !== 'production'))
        return settled(needsApprovalReport(plan, 'the plan deletes data', 0));
      const events = options.events ?? someEvents;
      return {
        events: (async function* () {
          options.during?.(press, granted.signal);
          yield* events;
          if (options.lateFault) throw options.lateFault;
        })(),
        report: Promise.resolve(foldEvents(plan, 'r1', events)),
      };
    },
    verify: async (runId) => ({
      run_id: runId,
      walked: { left: 3, not_applied: 1, others: 2, sample: ['session:1', 'session:2', 'session:3'] },
      unproven: ['2 of the keys match now as if nothing had been done: they are new since, or were missed'],
    }),
    resume: async (runId, granted) => {
      resumed.push({ runId, ...granted });
      if (!granted.yes) {
        const report = needsApprovalReport(plan, 'the run waits for a word', 0);
        return { events: (async function* () {})(), report: Promise.resolve(report) };
      }
      const events = options.events ?? someEvents;
      return {
        events: (async function* () {
          yield* events;
        })(),
        report: Promise.resolve(foldEvents(plan, runId, events)),
      };
    },
    judge: async () => undefined,
    explain: async (request) => {
      requests.push(request);
      if (options.problems) return { plan: undefined, diagnostics: options.problems };
      return explainPlanned({ plan, diagnostics: [] });
    },
    readingUser: async () => ({ rules: ['on', '>PASSWORD', '+@read', '~*'], notes: [] }),
    calibrate: async () => {
      throw new Error('no test calibrates a fake');
    },
    close: async () => {
      closed += 1;
    },
  };
  const stages: Stages = {
    approvePlan,
    explainWithoutServer,
    fixFiles,
    loadDesk,
    loadRuns,
    loadTargets,
    resolveTarget,
    openAgent: async (one) => {
      settings.push(one);
      if (options.fault) throw options.fault;
      return agent;
    },
    lintTitles,
    lintLive: async (one, wanted) => {
      settings.push(one);
      requests.push(wanted);
      return options.lint ?? { diagnostics: [], unchecked: [] };
    },
    lintInputs: async (inputs, one) => {
      if (one) settings.push(one);
      const { files } = await lintInputs(inputs);
      return { files, result: options.lint ?? { diagnostics: [], unchecked: [] } };
    },
  };
  const io: Io = {
    env: options.env ?? { REDIS_URL: 'redis://127.0.0.1:1', HOME: '/nowhere' },
    cwd: options.cwd ?? '/nowhere',
    terminal: { stdin: false, stdout: false, stderr: false, columns: 80, ...options.terminal },
    readStdin: async () => Buffer.from(options.stdin ?? ''),
    stdinChunks: async function* () {
      for (const line of (options.stdin ?? '').split(/(?<=\n)/)) yield Buffer.from(line);
    },
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    ask: async (question) => {
      asked.push(question);
      return answers.shift();
    },
    askSecret: async (question) => {
      asked.push(question);
      return answers.shift();
    },
    onExit: (handler) => {
      exitHandlers.add(handler);
      return () => exitHandlers.delete(handler);
    },
    onInterrupt: (handler) => {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
    exitNow: (status) => {
      exits.push(status);
    },
    stages: async () => stages,
  };
  const status = await runCli(argv, io);
  return { status, out, err, asked, requests, applied, resumed, settings, exits, closed };
}
