/**
 * The facade: each verb is a short pipe of stages, and this is the only file that wires them. Everything a front door
 * (command line, MCP, library) does goes through here.
 */
import { assemble, draftOf, readPlan, refreshed } from './assemble.ts';
import { canonicalJson } from './base/canonical.ts';
import { systemClock } from './base/clock.ts';
import { deepFreeze } from './base/freeze.ts';
import { OpsError } from './base/ops-error.ts';
import { inspect } from './inspect/inspect.ts';
import { needs, questionsOfCommands } from './inspect/questions.ts';
import { lint } from './lint/lint.ts';
import { decide } from './lint/policy.ts';
import { subjectOfFile } from './lint/subject.ts';
import type { PipelineCommand, PipelineOptions, PipelineOutcome } from './pipeline.ts';
import type { Diagnostic, Unchecked } from './plan/diagnostic.ts';
import type { Estimate } from './plan/estimate.ts';
import type { Draft, Plan } from './plan/plan.ts';
import type { Request } from './plan/request.ts';
import type { Target } from './plan/target.ts';
import type { Connection } from './redis/connection.ts';
import { connectServer } from './redis/server-connection.ts';
import { isLoopback, parseUrl, publicUrl, type ServerSettings } from './redis/url.ts';
import { needsApprovalReport, refusedReport } from './report/fold.ts';
import { compile } from './request/compile.ts';
import { inlineFiles } from './request/files.ts';
import { parseRequest } from './request/parse.ts';
import type { Run } from './run.ts';
import { signApproval, useApproval } from './state/approvals.ts';
import { appendAudit } from './state/audit.ts';
import { loadPlan, savePlan } from './state/plans.ts';
import type * as targets from './state/targets.ts';

export type { Run } from './run.ts';

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
  /** Milliseconds without a reply after which a connection counts as lost; 30,000 when left out. */
  readonly timeoutMs?: number;
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
  /** Sends commands without a plan, each with its outcome, in order (src/pipeline.ts). */
  pipeline(
    commands: Iterable<PipelineCommand> | AsyncIterable<PipelineCommand>,
    options?: PipelineOptions,
  ): AsyncIterable<PipelineOutcome>;
  close(): Promise<void>;
}

/** What lint says of files. */
export interface LintResult {
  readonly diagnostics: readonly Diagnostic[];
  readonly unchecked: readonly Unchecked[];
}

/** Reads redops.yaml (state/targets.ts), loaded with its YAML parser only where there is one. */
export const loadTargets: typeof targets.loadTargets = async (path) =>
  (await import('./state/targets.ts')).loadTargets(path);

/** A target of redops.yaml by name (state/targets.ts). */
export const resolveTarget: typeof targets.resolveTarget = async (file, name, env) =>
  (await import('./state/targets.ts')).resolveTarget(file, name, env);

/** Severities by lint code, as redops.yaml gives them. */
export type Severities = Readonly<Record<string, 'off' | 'error' | 'warning' | 'info'>>;

/** Connects to a target. Throws OpsError usage, unsupported, unreachable, auth, server_error. */
export async function openAgent(settings: AgentSettings): Promise<Agent> {
  const server = serverOf(settings);
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
      pipeline: async function* (commands, options = {}) {
        const { runPipelineOf } = await import('./pipeline.ts');
        const terms = {
          tag: target.tag,
          named: options.typedName === name,
          readOnly: first.server.role === 'slave',
          ...(settings.caps?.prefixes ? { prefixes: settings.caps.prefixes } : {}),
        };
        yield* runPipelineOf({ connection, target: first, terms }, commands, options);
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
    const judged = lint(subject, {
      ...(severities ? { severities } : {}),
      ...(target ? {} : { now: systemClock.now() }),
    });
    return { diagnostics: [...diagnostics, ...judged.diagnostics], unchecked: judged.unchecked };
  });
  const unchecked = new Map(results.flatMap((result) => result.unchecked).map((item) => [canonicalJson(item), item]));
  return { diagnostics: results.flatMap((result) => result.diagnostics), unchecked: [...unchecked.values()] };
}

async function inspectFiles(
  files: readonly { readonly name: string; readonly source: Uint8Array }[],
  settings: AgentSettings,
): Promise<Target> {
  const server = serverOf(settings);
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

function serverOf({ url, tls, timeoutMs }: AgentSettings): ServerSettings {
  const server = parseUrl(url, tls);
  return timeoutMs === undefined ? server : { ...server, commandTimeoutMs: timeoutMs };
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
  const { settledRun, startRun } = await import('./run.ts'); // planning, which is most calls, does not wait for it
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
  return startRun(
    { connection: application.connection, stateDir, dryRun: options.dryRun ?? false, signal: options.signal },
    plan,
  );
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
