/**
 * The facade: each verb is a short pipe of stages, and this is the only file that wires them. Everything a front door
 * (command line, MCP, library) does goes through here.
 */
import { allowedBy, type Granted, grantsOf } from './approval.ts';
import type * as approving from './approve-plan.ts';
import { assemble, draftOf, readPlan, refreshed } from './assemble.ts';
import { type Bytes, beginsWith, toBuffer } from './base/bytes.ts';
import { canonicalJson } from './base/canonical.ts';
import { systemClock } from './base/clock.ts';
import { deepFreeze } from './base/freeze.ts';
import { lazily } from './base/lazily.ts';
import { OpsError } from './base/ops-error.ts';
import { costsOf } from './calibrated.ts';
import type { CalibrationOptions } from './calibrating.ts';
import type * as desk from './desk.ts';
import { type Contention, createContention } from './execute/contention.ts';
import type { AclUser } from './explain/acl-rule.ts';
import type { Explained } from './explaining.ts';
import { inspect } from './inspect/inspect.ts';
import { needs } from './inspect/questions.ts';
import { createAdmission, mostKeys } from './lint/admission.ts';
import { decide } from './lint/policy.ts';
import { type Met, metAs } from './met.ts';
import type { PipelineCommand, PipelineOptions, PipelineOutcome } from './pipeline.ts';
import type { Costs } from './plan/costs.ts';
import type { Diagnostic } from './plan/diagnostic.ts';
import type { Draft, Plan } from './plan/plan.ts';
import { noFiles } from './plan/planned-file.ts';
import type { ResolvedPolicy } from './plan/policy.ts';
import type { Request } from './plan/request.ts';
import type { Verified } from './plan/run.ts';
import type { Convention, Target } from './plan/target.ts';
import type { Policed, Verdict } from './policed.ts';
import type * as prepared from './prepared.ts';
import { serverOf, whereOf } from './reach.ts';
import { connectTarget } from './redis/connect.ts';
import type { Connection } from './redis/connection.ts';
import { publicUrl } from './redis/url.ts';
import { needsApprovalReport, refusedReport } from './report/fold.ts';
import { compile } from './request/compile.ts';
import { inlineFiles, streamedFile } from './request/files.ts';
import { parseRequest } from './request/parse.ts';
import type { ResumeOptions, Resumption } from './resume.ts';
import type { Run, RunSettings } from './run.ts';
import type * as runs from './runs.ts';
import { createSources, type Sources } from './sources.ts';
import { checkApproval, useApproval } from './state/approvals.ts';
import { appendAudit } from './state/audit.ts';
import { savePlan } from './state/plans.ts';
import { productionName, rememberProduction } from './state/tags.ts';
import type * as targets from './state/targets.ts';
import type { RunTransaction } from './transaction.ts';

export type { AskPassphrase } from './approve-plan.ts';
export type { CalibrationOptions } from './calibrating.ts';
export type { Explained } from './explaining.ts';
export type { LintInput } from './lint-audit.ts';
export type { LintSettings } from './lint-files.ts';
export type { LintedInputs } from './lint-inputs.ts';
export type { LiveLint } from './lint-live.ts';
export { fixFiles, lintFiles, lintInputs, lintLive, lintTitles } from './lint-verbs.ts';
export type { LintResult } from './plan/lint-result.ts';
export type { ResumeOptions } from './resume.ts';
export type { Run } from './run.ts';

/** Where and as whom to work. Everything that comes from the environment is read by the front door and passed in. */
export interface AgentSettings {
  /** redis://, rediss://, redis+cluster://, rediss+cluster://, redis+sentinel://, rediss+sentinel://, unix://. */
  readonly url: string;
  /** The name shown for the target; the URL without its password when left out. */
  readonly name?: string;
  /** TLS material as file contents. */
  readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  /** The tag that redops.yaml gives the target. */
  readonly tag?: 'dev' | 'production';
  /** Caps of the target, applied to every request on top of its own. */
  readonly caps?: { readonly max_keys?: number; readonly max_percent?: number; readonly prefixes?: readonly string[] };
  /** What may be applied and resumed without a person (plan/policy.ts); left out where a person applies. What runs without a plan (pipeline, transaction, prepare) is for programs, and not bound by it. */
  readonly policy?: ResolvedPolicy;
  /** What keys are meant to be (`lint.conventions` of redops.yaml): plans are judged by it. */
  readonly conventions?: readonly Convention[];
  /** $REDOPS_STATE; nothing is written to disk when left out. */
  readonly stateDir?: string;
  /** Milliseconds without a reply after which a connection counts as lost; 30,000 when left out. */
  readonly timeoutMs?: number;
  /** Reads a file that a request names; a request that names one is refused when left out. */
  readonly readFile?: (path: string) => Uint8Array;
  /** Where a file that a request names lies, to be streamed or written; a request that names one is refused when left out. */
  readonly filePath?: (path: string) => string;
}

/** What planning gives: a plan (perhaps with errors among its warnings), or only diagnostics when no plan can be made. */
export interface Planned {
  readonly plan: Plan | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** What the caller grants for one apply. */
export interface ApplyOptions extends Granted {
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
  /** Goes on with a scan job of the state directory that ended early, under its own id. Rejects with OpsError usage (no such run), refused (nothing to resume), drift, tampered, state. */
  resume(runId: string, options: ResumeOptions): Promise<Run>;
  /** Walks the selection of an ended scan job again, for what is left of what it was to do. Rejects like `resume`. */
  verify(runId: string, options?: { readonly sameData?: boolean; readonly signal?: AbortSignal }): Promise<Verified>;
  /** What a plan needs, what of that goes beyond the policy, and whether it would wait for a person (policed.ts); undefined where there is no policy. */
  judge(plan: Plan): Promise<Verdict | undefined>;
  /** Explains a command line or a request: its price, its commands, who may run it. */
  explain(input: unknown): Promise<Explained>;
  /** The user who can read every key and do nothing else (reading-user.ts). Rejects with OpsError auth where the server does not tell its commands. */
  readingUser(): Promise<AclUser>;
  /** Measures what commands cost, for the prices of this target (calibrating.ts). */
  calibrate(options: CalibrationOptions): Promise<Costs>;
  /** Sends commands without a plan, each with its outcome, in order (src/pipeline.ts). */
  pipeline(
    commands: Iterable<PipelineCommand> | AsyncIterable<PipelineCommand>,
    options?: PipelineOptions,
  ): AsyncIterable<PipelineOutcome>;
  /** WATCH, reads and decisions of a function, MULTI and EXEC, without a plan (src/transaction.ts). */
  readonly transaction: RunTransaction;
  /** Allows the plan of a transaction once, to be run many times (src/prepared.ts). */
  prepare(plan: Plan, options?: prepared.PrepareOptions): Promise<prepared.PreparedTransaction>;
  close(): Promise<void>;
}

/** Reads redops.yaml (state/targets.ts), loaded with its YAML parser only where there is one. */
export const loadTargets: typeof targets.loadTargets = async (path) =>
  (await import('./state/targets.ts')).loadTargets(path);

/** A target of redops.yaml by name (state/targets.ts). */
export const resolveTarget: typeof targets.resolveTarget = async (file, name, env) =>
  (await import('./state/targets.ts')).resolveTarget(file, name, env);

/** Signs an approval of a plan (approve-plan.ts). */
export const approvePlan: typeof approving.approvePlan = async (...call) =>
  (await import('./approve-plan.ts')).approvePlan(...call);

/** What a front door for agents needs beside the agent (desk.ts). */
export const loadDesk = (): Promise<typeof desk> => import('./desk.ts');

/** Explains without a server (explaining.ts). Rejects with OpsError usage. */
export const explainWithoutServer = async (input: unknown): Promise<Explained> =>
  (await import('./explaining.ts')).explainWithoutServer(input);

/** The runs of a state directory (runs.ts). */
export const loadRuns = (): Promise<typeof runs> => import('./runs.ts');

/** Connects to a target. Throws OpsError usage, unsupported, unreachable, auth, server_error. */
export async function openAgent(settings: AgentSettings): Promise<Agent> {
  const server = serverOf(settings);
  const name = settings.name ?? publicUrl(server);
  const connection = await connectTarget(server);
  try {
    const where = whereOf(server, settings);
    const sources = createSources(settings.filePath);
    const conventions = settings.conventions?.length ? { conventions: [...settings.conventions] } : {};
    const costs = costsOf(settings.stateDir, name);
    const ask: Ask = async (draft, known = []) => {
      const facts = [...(await sources.read(draft))];
      const sampled = facts.flatMap(({ sample }) => sample);
      const questions = needs(draft, sampled, await sources.keys.read(draft));
      const open = questions.filter((one) => one.ask !== 'selection' || !known.includes(canonicalJson(one.selection)));
      const found = { ...(await inspect(connection, open, where)), ...conventions };
      const target = { ...found, ...(await costs(draft, sampled, found)) };
      return facts.length === 0 ? target : { ...target, sources: facts };
    };
    const askServer = async (): Promise<Target> => ({ ...(await inspect(connection, [], where)), ...conventions });
    const first = await askServer();
    const target = { name, ...(await tagOf(settings, name, first)) };
    // plans that were made here and are frozen need no check against what was made
    const made = new WeakMap<object, number>();
    const contention = createContention(systemClock);
    const plan = async (request: unknown): Promise<Planned> => {
      const planned = await makePlan(request, settings, sources, ask);
      if (planned.plan) made.set(planned.plan, systemClock.now());
      return planned;
    };
    const { policy } = settings;
    const policed = policy && (await import('./policed.ts')).createPoliced(connection, policy);
    const kept = (what: string): Resumption => ({
      stateDir: requireState(settings.stateDir, what),
      connection,
      target,
      ask: askServer,
      readSources: sources.read,
      pathOf: settings.filePath,
      mustKeepCaps: (one: Plan) => mustKeepCaps(one, settings.caps),
      policed,
    });
    const standing = { name, tag: target.tag, caps: settings.caps ?? {} };
    const meetAgain = async (): Promise<Met> => {
      const now = await inspect(connection, [], where);
      return metAs(now, { ...standing, tag: (await tagOf(settings, name, now)).tag });
    };
    let transactions: Promise<RunTransaction> | undefined;
    return {
      target,
      plan,
      apply: (document, options) =>
        applyDocument({
          document,
          options,
          settings,
          connection,
          sources,
          ask,
          target,
          plan,
          made,
          contention,
          policed,
        }),
      judge: async (one) => policed?.judge(one, target),
      resume: async (runId, options) => (await import('./resume.ts')).resumeRun(kept('resuming needs'), runId, options),
      verify: async (runId, { sameData = false, ...rest } = {}) =>
        (await import('./verify.ts')).verifyRun({ ...kept('verifying needs'), sameData, ...rest }, runId),
      explain: async (input) => {
        const { explainPlanned, requestOf } = await import('./explaining.ts');
        return explainPlanned(await plan(requestOf(input)));
      },
      readingUser: async () => {
        const table = await (await import('./policed.ts')).askTable(connection);
        if (table === undefined) throw new OpsError('auth', 'the server does not tell its commands (COMMAND)');
        return (await import('./reading-user.ts')).readingUserOf(table, first.server.redis_version, 'PASSWORD');
      },
      calibrate: async (options) => {
        const stateDir = requireState(settings.stateDir, 'calibrating needs');
        return (await import('./calibrating.ts')).calibrateTarget(
          { connection, target, stateDir, ask: askServer },
          options,
        );
      },
      pipeline: (commands, options = {}) =>
        lazily(async () => {
          // behind Sentinels the primary may be another process than the one that was met first
          const met = metAs(where.sentinel ? await inspect(connection, [], where) : first, standing);
          const held = { connection, target: met.target, terms: met.termsFor(options) };
          return (await import('./pipeline.ts')).runPipelineOf(held, commands, options);
        }),
      transaction: async (keys, make, options) => {
        transactions ??= import('./transaction.ts').then(({ openTransactions }) =>
          openTransactions({ connection, met: metAs(first, standing), meetAgain }),
        );
        return (await transactions)(keys, make, options);
      },
      prepare: async (one, options = {}) =>
        (await import('./prepared.ts')).prepare(
          { plan: made.has(one) ? one : undefined, target, connection, contention, stateDir: settings.stateDir },
          options,
        ),
      close: () => connection.close(),
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Production is what counts when in doubt: dev is only what is tagged so, or a lonely primary on this machine that was never met as production. */
async function tagOf(
  { tag, stateDir }: AgentSettings,
  name: string,
  { server, identity }: Target,
): Promise<{ tag: 'dev' | 'production'; reason: string }> {
  if (tag === 'production' && stateDir && !server.busy) await rememberProduction(stateDir, identity.id, name);
  if (tag) return { tag, reason: 'tagged so in the configuration' };
  if (server.busy) return { tag: 'production', reason: 'not tagged, and too busy with a script to say more' };
  if (!server.loopback) return { tag: 'production', reason: 'not tagged, and not on this machine' };
  if (server.cluster) return { tag: 'production', reason: 'not tagged, and it is a cluster' };
  if (identity.topology === 'sentinel') return { tag: 'production', reason: 'not tagged, and watched by Sentinels' };
  if (server.replicas > 0 || server.role === 'slave')
    return { tag: 'production', reason: 'not tagged, and it is replicated' };
  const ids = [identity.id, ...(server.previous_id ? [server.previous_id] : [])];
  const known = stateDir ? await productionName(stateDir, ids) : undefined;
  if (known !== undefined)
    return { tag: 'production', reason: `not tagged, and the data set of ${known}, which is production` };
  return { tag: 'dev', reason: 'not tagged, on this machine and without replicas' };
}

async function makePlan(
  input: unknown,
  settings: AgentSettings,
  sources: Sources,
  ask: (draft: Draft) => Promise<Target>,
): Promise<Planned> {
  const parsed = parseRequest(input);
  if (!parsed.request) return { plan: undefined, diagnostics: parsed.diagnostics };
  const request = capped(parsed.request, settings.caps);
  if (!request) return { plan: undefined, diagnostics: [outsideCaps] };
  const inlined = inlineFiles(request, settings.readFile ?? refuseFiles);
  if (!inlined.request) return { plan: undefined, diagnostics: inlined.diagnostics };
  const file = streamedFile(inlined.request);
  const found = file === undefined ? {} : await sources.survey(file);
  const named = await sources.keys.survey(inlined.request);
  const unread = found.problem ?? named.problem;
  if (unread) return { plan: undefined, diagnostics: [unread] };
  const asked = compile(inlined.request, undefined, found.source, named.file);
  if (!asked.draft) return { plan: undefined, diagnostics: asked.diagnostics };
  const target = await ask(asked.draft);
  const { draft, diagnostics } = compile(inlined.request, target, found.source, named.file);
  return { plan: draft && deepFreeze(assemble(draft, target)), diagnostics };
}

function refuseFiles(): never {
  throw noFiles('a request', 'Give the commands or the script in the request itself.');
}

/** The stricter of the request's limits and the target's caps. A key must hold to both lists of prefixes; undefined: nothing can. */
function capped(request: Request, caps: AgentSettings['caps']): Request | undefined {
  if (!caps) return request;
  const least = (a: number | undefined, b: number | undefined): number | undefined =>
    a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
  const max_keys = least(request.limits.max_keys, caps.max_keys);
  const max_percent = least(request.limits.max_percent, caps.max_percent);
  const prefixes = bothPrefixes(request.limits.prefixes, caps.prefixes);
  if (prefixes?.length === 0) return undefined;
  const limits = {
    ...request.limits,
    ...(max_keys === undefined ? {} : { max_keys }),
    ...(max_percent === undefined ? {} : { max_percent }),
    ...(prefixes === undefined ? {} : { prefixes }),
  };
  return { ...request, limits };
}

/** For so many ms a plan that was made here is judged and priced as it is, like a request: nobody has had the time to look at it. */
const FRESH_MS = 500;

async function anew({ made, ask }: Application, plan: Plan): Promise<Plan> {
  const age = systemClock.now() - (made.get(plan) ?? Number.NEGATIVE_INFINITY);
  const fresh = age >= 0 && age < FRESH_MS;
  // a sample is an estimate with an interval: another of a moment later says no more, and makes others wait again
  const sampled = plan.target.selections.filter(({ basis }) => fresh && basis === 'sampled');
  const known = sampled.map(({ selection }) => canonicalJson(selection));
  return refreshed(plan, await ask(draftOf(plan), known), fresh);
}

/** A plan that was made without the target's caps would go round them. Throws OpsError refused. */
function mustKeepCaps(plan: Plan, caps: AgentSettings['caps']): void {
  const kept = capped(plan.request, caps);
  if (kept && canonicalJson(kept.limits) === canonicalJson(plan.request.limits)) return;
  throw new OpsError('refused', 'the plan was made without the caps of this target', {
    remedy: 'Plan the request again on this target: redops plan.',
  });
}

/** The prefixes of the keys that begin with one of each list: of two that go together the longer one. */
function bothPrefixes(own: readonly Bytes[] | undefined, caps: readonly Bytes[] | undefined): Bytes[] | undefined {
  if (own === undefined || caps === undefined) return own || caps ? [...(own ?? caps ?? [])] : undefined;
  const begins = (long: Bytes, short: Bytes): boolean => beginsWith(toBuffer(long), toBuffer(short));
  return own.flatMap((mine) =>
    caps.flatMap((theirs) => (begins(mine, theirs) ? [mine] : begins(theirs, mine) ? [theirs] : [])),
  );
}

const outsideCaps: Diagnostic = {
  code: 'CAP003',
  severity: 'error',
  message: 'no prefix of limits.prefixes is one that the target allows',
  at: 'limits.prefixes',
  why: 'A key must begin with a prefix of the request and with one of the target (caps.prefixes).',
  fix: 'Ask for keys that the target allows.',
  url: 'docs/rules/CAP003.md',
};

/** Asks what a draft needs; selections whose canonical JSON is known are left out. */
type Ask = (draft: Draft, known?: readonly string[]) => Promise<Target>;

interface Application {
  readonly document: unknown;
  readonly options: ApplyOptions;
  readonly settings: AgentSettings;
  readonly connection: Connection;
  readonly sources: Sources;
  readonly ask: Ask;
  readonly target: Agent['target'];
  readonly plan: (request: unknown) => Promise<Planned>;
  /** The plans that were made here, and when, in ms of the epoch. */
  readonly made: WeakMap<object, number>;
  readonly contention: Contention;
  readonly policed: Policed | undefined;
}

async function applyDocument(application: Application): Promise<Run | Planned> {
  const { settledRun, startRun } = await import('./run.ts'); // planning, which is most calls, does not wait for it
  const { document, options, settings, sources, target, policed } = application;
  const isPlan = typeof document === 'object' && document !== null && 'execution_plan' in document;
  const planned = isPlan
    ? {
        plan: application.made.has(document) ? (document as Plan) : await readPlan(document, sources.read),
        diagnostics: [],
      }
    : await application.plan(document);
  if (!planned.plan) return planned;
  if (isPlan) mustKeepCaps(planned.plan, settings.caps);
  const plan = isPlan ? await anew(application, planned.plan) : planned.plan;
  const { stateDir } = settings;
  const dryRun = options.dryRun ?? false;
  if (options.approval !== undefined) {
    const spend = dryRun ? checkApproval : useApproval;
    await spend(requireState(stateDir, 'approvals need'), plan, options.approval, systemClock.now(), policed?.digest);
  }
  const decision =
    (await policed?.decide(plan, options, target, { dryRun })) ?? decide(plan, grantsOf(options, target));
  if (stateDir) {
    await savePlan(stateDir, planned.plan);
    await appendAudit(stateDir, {
      event: 'apply',
      decision: decision.decision,
      digest: plan.digest,
      target: target.name,
      tag: target.tag,
      dry_run: dryRun,
      allowed_by: allowedBy(options, target),
    });
  }
  if (decision.decision === 'refuse') return settledRun(refusedReport(plan, decision.diagnostics));
  if (decision.decision === 'ask' && (!dryRun || decision.how === 'approval'))
    return settledRun(needsApprovalReport(plan, decision.reason));
  return startRun(
    {
      connection: application.connection,
      contention: application.contention,
      stateDir,
      dryRun,
      signal: options.signal,
      allowed: { target: target.name, tag: target.tag, allowed_by: allowedBy(options, target) },
      ...streamTerms(plan, settings),
    },
    plan,
  );
}

/** What may be sent of the files of an approved plan: nothing that the plan was not shown to do. */
function streamTerms(
  { execution_plan: how, request, target }: Plan,
  { filePath }: AgentSettings,
): Pick<RunSettings, 'stream' | 'pathOf'> {
  if (filePath === undefined) return {};
  const { prefixes } = request.limits;
  const admit = createAdmission({
    tag: 'dev', // what production asks for was decided for the plan as a whole
    named: true,
    readOnly: target.server.role === 'slave',
    accept: request.accept,
    approved: how.destructive ? 'destroys' : how.writes ? 'writes' : 'reads',
    ...(prefixes ? { prefixes } : {}),
    ...mostKeys(request.limits, target.server.keys),
  });
  return { pathOf: filePath, stream: { pathOf: filePath, admit } };
}

function requireState(stateDir: string | undefined, what: string): string {
  if (stateDir !== undefined) return stateDir;
  throw new OpsError('usage', `${what} a state directory`, {
    remedy: 'Name one: REDOPS_STATE, or stateDir in the settings.',
  });
}
