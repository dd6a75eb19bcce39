/**
 * Going on with a scan job that ended early: after a crash, Ctrl-C, a lost server. The same run id, folder and plan; what
 * of the journal holds says where. It must be the same data set, database and user, and a primary; the server's process may
 * be another one, and then the job walks again what only the first one knew the place of.
 */
import { allowedBy, type Counted, type Granted, grantsOf } from './approval.ts';
import { type ReadSources, readPlan } from './assemble.ts';
import { systemClock } from './base/clock.ts';
import { deepFreeze } from './base/freeze.ts';
import { OpsError } from './base/ops-error.ts';
import { createProgress, type Progress } from './execute/progress.ts';
import { decide, type Grants } from './lint/policy.ts';
import { Plan } from './plan/plan.ts';
import type { Target } from './plan/target.ts';
import type { Policed } from './policed.ts';
import type { Connection } from './redis/connection.ts';
import { needsApprovalReport, refusedReport } from './report/fold.ts';
import { type Run, settledRun, startRun } from './run.ts';
import { Begun, cannotResume, Ended, isApproved, noSuchRun, whyNotResumed } from './runs.ts';
import { useApproval } from './state/approvals.ts';
import { appendAudit } from './state/audit.ts';
import type { JournalRecord } from './state/journal.ts';
import { type ClaimedRun, claimRun, type RunBegun } from './state/runs.ts';

/** What the caller grants for going on. A run that was approved (typed name, signed approval) needs only `yes`. */
export interface ResumeOptions extends Granted {
  /** A person knows that this is the data set of the run although the server calls it otherwise, as after a restart without an RDB file. */
  readonly sameData?: boolean;
  readonly signal?: AbortSignal;
}

/** Where a run goes on. */
export interface Resumption {
  readonly stateDir: string;
  readonly connection: Connection;
  readonly target: Counted;
  /** Asks the server who it is today. */
  readonly ask: () => Promise<Target>;
  readonly readSources: ReadSources;
  /** Where the files of keys of a plan lie; undefined where a plan may name none. */
  readonly pathOf: ((name: string) => string) | undefined;
  /** Throws OpsError refused where the plan goes round the caps of the target. */
  readonly mustKeepCaps: (plan: Plan) => void;
  /** The policy of an agent; undefined where a person goes on. */
  readonly policed: Policed | undefined;
}

/** Goes on with a run. Rejects with OpsError usage (no such run), refused (nothing to resume), drift, tampered, state, and when the server cannot be asked. */
export async function resumeRun(where: Resumption, runId: string, options: ResumeOptions): Promise<Run> {
  const { stateDir, connection, target, policed } = where;
  const earlier = createEarlier();
  const claimed = await claimRun(stateDir, runId, earlier.add);
  if (claimed === undefined) throw await noSuchRun(stateDir, runId);
  try {
    const plan = await planOf(where, runId, claimed, earlier.begun());
    const now = await where.ask();
    mustBeSame(plan, now, earlier.dataSets, runId, options.sameData ?? false);
    const approvedBefore = isApproved(earlier.begun());
    if (options.approval !== undefined && !approvedBefore) {
      await useApproval(stateDir, plan, options.approval, systemClock.now(), policed?.digest);
    }
    const decision = approvedBefore
      ? decide(plan, standingGrants(options, target))
      : ((await policed?.decide(plan, options, target, { dryRun: false })) ?? decide(plan, grantsOf(options, target)));
    const allowed_by = approvedBefore ? earlier.begun()!.allowed_by : allowedBy(options, target);
    const audited = { run_id: runId, digest: plan.digest, target: target.name, tag: target.tag };
    await appendAudit(stateDir, { event: 'resume', decision: decision.decision, allowed_by, ...audited });
    if (decision.decision !== 'allow') {
      await claimed.release();
      if (decision.decision === 'refuse') return settledRun(refusedReport(plan, decision.diagnostics));
      const standing = `run ${runId} was approved when it began: --yes lets it go on`;
      return settledRun(needsApprovalReport(plan, approvedBefore ? standing : decision.reason));
    }
    const log = await claimed.begin();
    const { run_id } = now.server;
    await log.append({ kind: 'resumed', at_ms: systemClock.now(), run_id, data_set: now.identity.id, allowed_by });
    const progress = earlier.progress();
    return await startRun(
      {
        connection,
        stateDir,
        dryRun: false,
        signal: options.signal,
        allowed: { target: target.name, tag: target.tag, allowed_by },
        ...(where.pathOf ? { pathOf: where.pathOf } : {}),
        earlier: {
          runId,
          log,
          ...(progress.parts > 0 ? { progress, unrecorded: !isRecorded(claimed.report, progress) } : {}),
        },
      },
      onServerOf(plan, now),
    );
  } catch (error) {
    await claimed.release();
    throw error;
  }
}

/** True where the last attempt ended by itself, and neither it nor one before it changed anything that the journal does not have. */
function isRecorded(report: unknown, progress: Progress): boolean {
  const ended = Ended.safeParse(report).data;
  return (
    ended?.status === 'interrupted' &&
    ended.totals.changed === progress.totals(() => true).changed &&
    !ended.warnings.some(({ code }) => code === 'E232')
  );
}

/** What the journal tells of the attempts before. */
export interface Earlier {
  readonly add: (record: JournalRecord) => void;
  readonly begun: () => RunBegun | undefined;
  readonly progress: () => Progress;
  /** Names that the data set has had: once vouched for, vouched for. */
  readonly dataSets: ReadonlySet<string>;
}

/** Takes the records of a journal. */
export function createEarlier(): Earlier {
  const fold = createProgress();
  const dataSets = new Set<string>();
  let begun: RunBegun | undefined;
  return {
    add: (record) => {
      begun ??= Begun.safeParse(record).data;
      if (record.kind === 'resumed' && typeof record.data_set === 'string') dataSets.add(record.data_set);
      fold.add(record);
    },
    begun: () => begun,
    progress: () => fold.progress(),
    dataSets,
  };
}

async function planOf(
  { readSources, mustKeepCaps }: Resumption,
  runId: string,
  claimed: ClaimedRun,
  begun: RunBegun | undefined,
): Promise<Plan> {
  const impossible = whyNotResumed({
    plan: Plan.safeParse(claimed.plan).data,
    ended: Ended.safeParse(claimed.report).data,
    cancelled: claimed.cancelled,
    runningIn: undefined,
  });
  if (impossible !== undefined) throw cannotResume(runId, impossible);
  const plan = await readPlan(claimed.plan, readSources);
  if (begun !== undefined && begun.digest !== plan.digest) {
    throw new OpsError('tampered', `the plan of run ${runId} is not the one that it began with`, {
      remedy: 'Plan the request again: redops plan.',
    });
  }
  mustKeepCaps(plan);
  return plan;
}

/** Throws OpsError drift where this is not the place that the run was planned for. */
export function mustBeSame(
  plan: Plan,
  now: Target,
  known: ReadonlySet<string>,
  runId: string,
  sameData: boolean,
): void {
  const { identity } = plan.target;
  if (now.server.busy) {
    throw new OpsError('server_error', 'the server is busy with a script, and does not say who it is', {
      reply: 'BUSY',
      remedy: 'Resume when the script has ended; redops script kill ends it.',
    });
  }
  const elsewhere =
    now.identity.topology !== identity.topology ||
    now.identity.database !== identity.database ||
    now.identity.user !== identity.user;
  if (elsewhere) {
    throw new OpsError('drift', 'this is not the database and user that the run began with', {
      remedy: `The run began on ${plan.target.name}, database ${identity.database}, as ${identity.user}: name that server.`,
    });
  }
  if (now.server.role !== 'master') {
    throw new OpsError('drift', 'this server is a replica now', {
      remedy: `Name its primary${now.server.primary === undefined ? '' : `, ${now.server.primary}`}.`,
    });
  }
  const names = [now.identity.id, now.server.previous_id];
  if (sameData || names.some((id) => id !== undefined && (id === identity.id || known.has(id)))) return;
  throw new OpsError('drift', 'the server calls its data set by another replication id than when the run began', {
    remedy: `It is another data set, or the server was restarted without an RDB file that keeps the id. Where you know that it is the same data: ${resumeWithSameData(runId)}.`,
  });
}

function resumeWithSameData(runId: string): string {
  return `redops runs resume ${runId} --same-data`;
}

/** Today's process and nodes; counts and the estimate stay those of the plan, which the whole run is held to. */
export function onServerOf(plan: Plan, { server }: Target): Plan {
  const { keys } = plan.target.server;
  return deepFreeze({ ...plan, target: { ...plan.target, server: { ...server, keys } } });
}

/** A person has allowed this very run: what is left to say is that it shall go on. */
function standingGrants(options: ResumeOptions, target: Counted): Grants {
  const { typedName } = options;
  return {
    tag: 'dev',
    target: target.name,
    yes: options.yes === true || options.approval !== undefined,
    ...(typedName === undefined ? {} : { typedName }),
  };
}
