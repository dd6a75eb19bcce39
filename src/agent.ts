/**
 * The facade: each verb is a short pipe of stages, and this is the only file that wires them. Everything a front door
 * (command line, MCP, library) does goes through here.
 */
import { canonicalJson } from './base/canonical.ts';
import { systemClock } from './base/clock.ts';
import { deepFreeze } from './base/freeze.ts';
import { OpsError } from './base/ops-error.ts';
import { execute } from './execute/execute.ts';
import { estimate } from './explain/estimate.ts';
import { natureOf } from './explain/nature.ts';
import { inspect } from './inspect/inspect.ts';
import { needs, questionsOfCommands } from './inspect/questions.ts';
import { lint } from './lint/lint.ts';
import { decide } from './lint/policy.ts';
import { subjectOfDraft, subjectOfFile } from './lint/subject.ts';
import type { Diagnostic, Unchecked } from './plan/diagnostic.ts';
import type { Estimate } from './plan/estimate.ts';
import type { Event } from './plan/event.ts';
import { type Draft, Plan, planDigest } from './plan/plan.ts';
import type { Report } from './plan/report.ts';
import type { Request } from './plan/request.ts';
import type { Target } from './plan/target.ts';
import type { Connection } from './redis/connection.ts';
import { recordingConnection } from './redis/recording.ts';
import { connectServer } from './redis/server-connection.ts';
import { isLoopback, parseUrl, publicUrl, type ServerSettings } from './redis/url.ts';
import { createFold, needsApprovalReport, refusedReport } from './report/fold.ts';
import { compile } from './request/compile.ts';
import { inlineFiles } from './request/files.ts';
import { parseRequest } from './request/parse.ts';
import { signApproval, useApproval } from './state/approvals.ts';
import { appendAudit } from './state/audit.ts';
import { loadPlan, savePlan } from './state/plans.ts';
import { openRun } from './state/runs.ts';

export { loadTargets, resolveTarget } from './state/targets.ts';

/** Where and as whom to work. Everything that comes from the environment is read by the front door and passed in. */
export interface AgentSettings {
  /** redis://, rediss://, unix://. */
  readonly url: string;
  /** The name shown for the target; the URL without its password when left out. */
  readonly name?: string;
  /** TLS material as file contents. */
  readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  /** The tag that redops.yaml gives the target. */
  readonly tag?: 'dev' | 'production';
  /** Caps of the target, applied to every request on top of its own. */
  readonly caps?: { readonly max_keys?: number; readonly max_percent?: number; readonly prefixes?: readonly string[] };
  /** $REDOPS_STATE; nothing is written to disk when left out. */
  readonly stateDir?: string;
  /** Reads a file that a request names; a request that names one is refused when left out. */
  readonly readFile?: (path: string) => Uint8Array;
}

/** What planning gives: a plan (perhaps with errors among its warnings), or only diagnostics when no plan can be made. */
export interface Planned {
  readonly plan: Plan | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** What the caller grants for one apply. */
export interface ApplyOptions {
  /** Approves what the approval table lets --yes approve. */
  readonly yes?: boolean;
  /** The target's name as a person typed it. */
  readonly typedName?: string;
  /** A signed approval (redops approve): stands for the typed name, once, for this plan. */
  readonly approval?: string;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/** A run: the events as they happen, then the report. `report` settles only when `events` was read to its end. */
export interface Run {
  readonly events: AsyncIterable<Event>;
  readonly report: Promise<Report>;
}

/** The agent, connected to one target. */
export interface Agent {
  /** The name of the target, and whether it counts as dev or production, and why. */
  readonly target: { readonly name: string; readonly tag: 'dev' | 'production'; readonly reason: string };
  /** Plans a request (any JSON value). Bad input gives diagnostics; throws OpsError when the server cannot be asked. */
  plan(request: unknown): Promise<Planned>;
  /** Runs a request or a plan document. A plan is checked (digest, drift) before anything is sent. Planned: no plan could be made. */
  apply(document: unknown, options: ApplyOptions): Promise<Run | Planned>;
  /** Prices a command line or a request. */
  explain(input: unknown): Promise<Planned & { readonly estimate?: Estimate; readonly estimated_ops?: number }>;
  close(): Promise<void>;
}

/** What lint says of files. */
export interface LintResult {
  readonly diagnostics: readonly Diagnostic[];
  readonly unchecked: readonly Unchecked[];
}

/** Severities by lint code, as redops.yaml gives them. */
export type Severities = Readonly<Record<string, 'off' | 'error' | 'warning' | 'info'>>;

/** Connects to a target. Throws OpsError usage, unsupported, unreachable, auth, server_error. */
export async function openAgent(settings: AgentSettings): Promise<Agent> {
  const server = parseUrl(settings.url, settings.tls);
  const name = settings.name ?? publicUrl(server);
  const connection = await connectServer(server);
  try {
    const where = { name, database: server.database, loopback: isLoopback(server) };
    const ask = (draft: Draft): Promise<Target> => inspect(connection, needs(draft), where);
    const first = await inspect(connection, [], where);
    const target = { name, ...tagOf(settings.tag, first) };
    const plan = (request: unknown): Promise<Planned> => makePlan(request, settings, ask);
    return {
      target,
      plan,
      apply: (document, options) => applyDocument({ document, options, settings, connection, ask, target, plan }),
      explain: async (input) => {
        const planned = await plan(
          typeof input === 'string' ? { operation_type: 'pipelining', commands: [input] } : input,
        );
        return planned.plan
          ? { ...planned, estimate: planned.plan.execution_plan.estimate, estimated_ops: planned.plan.estimated_ops }
          : planned;
      },
      close: () => connection.close(),
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Lints files (redis-cli text, or Lua by name or first line), with live facts when a target is given. */
export async function lintFiles(
  files: readonly { readonly name: string; readonly source: Uint8Array }[],
  settings?: AgentSettings,
  severities?: Severities,
): Promise<LintResult> {
  const target = settings ? await inspectFiles(files, settings) : undefined;
  const results = files.map((file) => {
    const { subject, diagnostics } = subjectOfFile(file.source, file.name, target);
    const judged = lint(subject, severities ? { severities } : {});
    return { diagnostics: [...diagnostics, ...judged.diagnostics], unchecked: judged.unchecked };
  });
  const unchecked = new Map(results.flatMap((result) => result.unchecked).map((item) => [canonicalJson(item), item]));
  return { diagnostics: results.flatMap((result) => result.diagnostics), unchecked: [...unchecked.values()] };
}

async function inspectFiles(
  files: readonly { readonly name: string; readonly source: Uint8Array }[],
  settings: AgentSettings,
): Promise<Target> {
  const server = parseUrl(settings.url, settings.tls);
  const connection = await connectServer(server);
  try {
    const commands = files.flatMap((file) => subjectOfFile(file.source, file.name).subject.commands);
    return await inspect(
      connection,
      questionsOfCommands(commands.map((command) => command.argv)),
      whereOf(server, settings),
    );
  } finally {
    await connection.close();
  }
}

function whereOf(
  server: ServerSettings,
  settings: AgentSettings,
): { name: string; database: number; loopback: boolean } {
  return { name: settings.name ?? publicUrl(server), database: server.database, loopback: isLoopback(server) };
}

/** Production is what counts when in doubt: dev is only what is tagged so, or a lonely primary on this machine. */
function tagOf(tag: AgentSettings['tag'], { server }: Target): { tag: 'dev' | 'production'; reason: string } {
  if (tag) return { tag, reason: 'tagged so in the configuration' };
  if (server.busy) return { tag: 'production', reason: 'not tagged, and too busy with a script to say more' };
  if (!server.loopback) return { tag: 'production', reason: 'not tagged, and not on this machine' };
  if (server.replicas > 0 || server.role === 'slave')
    return { tag: 'production', reason: 'not tagged, and it is replicated' };
  return { tag: 'dev', reason: 'not tagged, on this machine and without replicas' };
}

async function makePlan(
  input: unknown,
  settings: AgentSettings,
  ask: (draft: Draft) => Promise<Target>,
): Promise<Planned> {
  const parsed = parseRequest(input);
  if (!parsed.request) return { plan: undefined, diagnostics: parsed.diagnostics };
  const inlined = inlineFiles(capped(parsed.request, settings.caps), settings.readFile ?? noFiles);
  if (!inlined.request) return { plan: undefined, diagnostics: inlined.diagnostics };
  const asked = compile(inlined.request);
  if (!asked.draft) return { plan: undefined, diagnostics: asked.diagnostics };
  const target = await ask(asked.draft);
  const { draft, diagnostics } = compile(inlined.request, target);
  return { plan: draft && deepFreeze(assemble(draft, target)), diagnostics };
}

function noFiles(): never {
  throw new OpsError('usage', 'a request cannot name a file here', {
    remedy: 'Give the commands or the script in the request itself.',
  });
}

/** The stricter of the request's limits and the target's caps. */
function capped(request: Request, caps: AgentSettings['caps']): Request {
  if (!caps) return request;
  const least = (a: number | undefined, b: number | undefined): number | undefined =>
    a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
  const max_keys = least(request.limits.max_keys, caps.max_keys);
  const max_percent = least(request.limits.max_percent, caps.max_percent);
  const prefixes = request.limits.prefixes ?? caps.prefixes;
  const limits = {
    ...request.limits,
    ...(max_keys === undefined ? {} : { max_keys }),
    ...(max_percent === undefined ? {} : { max_percent }),
    ...(prefixes === undefined ? {} : { prefixes: [...prefixes] }),
  };
  return { ...request, limits };
}

/** The plan of a draft: everything beside its steps is derived from them and the target's facts, here and nowhere else. */
function assemble(draft: Draft, target: Target): Plan {
  const { commands, ...nature } = natureOf(draft, target);
  const price = estimate(draft, target);
  const { diagnostics, unchecked } = lint(subjectOfDraft(draft, target), { accept: draft.request.accept });
  const { max_retries, base_ms } = draft.request.retry;
  // through the schema: what goes out is what can be read back, member for member
  return Plan.parse({
    version: 1,
    digest: planDigest(draft, target.identity),
    request: draft.request,
    target,
    commands,
    execution_plan: {
      strategy: draft.strategy,
      steps: [...draft.steps],
      batch_size: draft.batch_size,
      in_flight: 1,
      round_trips: price.round_trips,
      round_trip_ms: target.server.round_trip_ms,
      ...nature,
      ...(draft.steps.some((step) => step.kind === 'transaction') ? { rollback: 'none' } : {}),
      reasons: [...draft.reasons],
      retry: {
        max_retries,
        backoff: 'exponential',
        base_ms,
        retry_on: ['connection_timeout', 'BUSY', 'LOADING', 'TRYAGAIN', 'CLUSTERDOWN', 'MASTERDOWN'],
      },
      estimate: price.estimate,
    },
    estimated_ops: price.estimated_ops,
    warnings: [...diagnostics],
    unchecked: [...unchecked],
  });
}

interface Application {
  readonly document: unknown;
  readonly options: ApplyOptions;
  readonly settings: AgentSettings;
  readonly connection: Connection;
  readonly ask: (draft: Draft) => Promise<Target>;
  readonly target: Agent['target'];
  readonly plan: (request: unknown) => Promise<Planned>;
}

async function applyDocument(application: Application): Promise<Run | Planned> {
  const { document, options, settings, ask, target } = application;
  const isPlan = typeof document === 'object' && document !== null && 'execution_plan' in document;
  const planned = isPlan ? { plan: readPlan(document), diagnostics: [] } : await application.plan(document);
  if (!planned.plan) return planned;
  const plan = isPlan ? refreshed(planned.plan, await ask(draftOf(planned.plan))) : planned.plan;
  const { stateDir } = settings;
  if (options.approval !== undefined)
    await useApproval(requireState(stateDir), plan, options.approval, systemClock.now());
  const typedName = options.approval === undefined ? options.typedName : target.name;
  const decision = decide(plan, {
    tag: target.tag,
    target: target.name,
    yes: options.yes ?? false,
    ...(typedName === undefined ? {} : { typedName }),
  });
  if (stateDir) {
    await savePlan(stateDir, planned.plan);
    await appendAudit(stateDir, {
      event: 'apply',
      decision: decision.decision,
      digest: plan.digest,
      target: target.name,
      tag: target.tag,
      dry_run: options.dryRun ?? false,
    });
  }
  if (decision.decision === 'refuse') return settledRun(refusedReport(plan, decision.diagnostics));
  if (decision.decision === 'ask' && !options.dryRun) return settledRun(needsApprovalReport(plan, decision.reason));
  return startRun(application, plan);
}

function requireState(stateDir: string | undefined): string {
  if (stateDir !== undefined) return stateDir;
  throw new OpsError('usage', 'approvals need a state directory', {
    remedy: 'Name one: REDOPS_STATE, or stateDir in the settings.',
  });
}

/** Signs an approval of a plan that was saved under its digest, or of a plan document. Gives the plan too, as it was checked. Throws OpsError usage, tampered, state. */
export async function approvePlan(
  stateDir: string,
  planOrDigest: unknown,
  passphrase: (plan: Plan) => Promise<string>,
  validMs: number,
): Promise<{ readonly plan: Plan; readonly approval: string; readonly expiresMs: number }> {
  const document = typeof planOrDigest === 'string' ? await loadPlan(stateDir, planOrDigest) : planOrDigest;
  if (document === undefined) {
    throw new OpsError('usage', `no plan is kept under ${String(planOrDigest)}`, {
      remedy: 'Give the whole digest that redops plan or apply showed, or the plan itself.',
    });
  }
  const plan = readPlan(document);
  const expiresMs = systemClock.now() + validMs;
  return { plan, approval: await signApproval(stateDir, plan, await passphrase(plan), expiresMs), expiresMs };
}

/** A plan document, checked: its digest is that of its content, and what is derived is what redops derives. Throws OpsError tampered or usage. */
function readPlan(document: unknown): Plan {
  const parsed = Plan.safeParse(document);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new OpsError('usage', `not a plan: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, {
      remedy: 'Make it anew with redops plan.',
    });
  }
  const plan = parsed.data;
  if (planDigest(draftOf(plan), plan.target.identity) !== plan.digest)
    throw tampered('its digest is not that of its steps, request and target');
  if (canonicalJson(assemble(draftOf(plan), plan.target)) !== canonicalJson(plan)) {
    throw tampered('what is derived from its steps is not what redops derives');
  }
  return deepFreeze(plan);
}

function tampered(why: string): OpsError {
  return new OpsError('tampered', `the plan was changed after it was made: ${why}`, {
    remedy: 'Make it anew with redops plan, with the version of redops that applies it.',
  });
}

function draftOf(plan: Plan): Draft {
  const { strategy, steps, batch_size, reasons } = plan.execution_plan;
  return { request: plan.request, strategy, steps, batch_size, reasons };
}

/** The same steps and digest with today's facts. Throws OpsError drift when the world is not the one that was planned for. */
function refreshed(plan: Plan, now: Target): Plan {
  const { identity, server, selections } = plan.target;
  const same = now.identity.id === identity.id || now.server.previous_id === identity.id;
  if (!same || now.identity.database !== identity.database || now.identity.user !== identity.user) {
    throw drifted('this is not the data set, database and user that the plan was made for');
  }
  if (now.server.run_id !== server.run_id) throw drifted('the server process is another one (its run_id changed)');
  if (now.server.role !== server.role) throw drifted(`the server's role was ${server.role} and is ${now.server.role}`);
  selections.forEach((planned, index) => {
    const count = now.selections[index]?.low ?? 0;
    const most = Math.max(planned.high, Math.floor(planned.keys * 1.1));
    if (count > most) throw drifted(`the plan foresaw at most ${most} keys, and ${count} match now`);
  });
  return deepFreeze({ ...assemble(draftOf(plan), now), digest: plan.digest });
}

function drifted(what: string): OpsError {
  return new OpsError('drift', `the plan no longer fits: ${what}`, {
    remedy: 'Look at what changed, then plan again.',
  });
}

function settledRun(report: Report): Run {
  return { events: (async function* () {})(), report: Promise.resolve(report) };
}

/** A run in motion: the journal is written as it goes, the report when its events have been read. */
async function startRun({ options, settings, connection }: Application, plan: Plan): Promise<Run> {
  const runId = newRunId();
  const dryRun = options.dryRun ?? false;
  const log = settings.stateDir && !dryRun ? await openRun(settings.stateDir, runId, plan) : undefined;
  const context = {
    plan,
    runId,
    connection: dryRun ? recordingConnection(connection) : connection,
    clock: systemClock,
    signal: options.signal ?? new AbortController().signal,
    journal: log ? (record: Readonly<Record<string, unknown>>) => log.append(record) : undefined,
  };
  const fold = createFold(plan, runId);
  let settle: (report: Report) => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const report = new Promise<Report>((resolve, reject) => {
    settle = resolve;
    fail = reject;
  });
  report.catch(() => undefined); // whoever awaits it still sees the failure
  async function* events(): AsyncGenerator<Event> {
    try {
      for await (const event of execute(context, dryRun)) {
        fold.add(event);
        yield event;
      }
      const done = fold.report();
      await log?.finish(done);
      if (settings.stateDir)
        await appendAudit(settings.stateDir, {
          event: 'run',
          run_id: runId,
          digest: plan.digest,
          status: done.status,
          totals: done.totals,
        });
      settle(done);
    } catch (error) {
      fail(error);
      throw error;
    } finally {
      await log?.close();
      fail(new OpsError('interrupted', 'the events of the run were not read to their end'));
    }
  }
  return { events: events(), report };
}

/** Sorts by time, and is told apart from a run of the same second. */
function newRunId(): string {
  const stamp = new Date(systemClock.now()).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${stamp}-${Math.random().toString(36).slice(2, 8).padEnd(6, '0')}`;
}
