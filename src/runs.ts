/**
 * Runs as they lie in the state directory: which there are, how each stands, whether it can go on; ending one, and removing
 * old ones. Nothing here asks a server.
 */
import { z } from 'zod';
import { systemClock } from './base/clock.ts';
import { OpsError } from './base/ops-error.ts';
import { typingErrors } from './catalog/near-name.ts';
import { createProgress, type Progress } from './execute/progress.ts';
import { isJob, Plan } from './plan/plan.ts';
import { Status, StreamFacts, Totals } from './plan/report.ts';
import { type RunDetail, type RunStatus, type RunSummary, resumeCommand } from './plan/run.ts';
import { Steering } from './plan/steering.ts';
import { requestWords } from './report/words.ts';
import { appendAudit } from './state/audit.ts';
import type { JournalRecord } from './state/journal.ts';
import { changeSteering, markCancelled, readRun, removeRun, runIds, sweepRemoved } from './state/run-folders.ts';
import type { RunBegun } from './state/runs.ts';

/** All runs, newest first. Rejects with OpsError state. */
export async function listRuns(stateDir: string): Promise<readonly RunSummary[]> {
  const runs: RunSummary[] = [];
  for (const runId of await runIds(stateDir)) {
    const run = await read(stateDir, runId, 'head');
    if (run) runs.push(summaryOf(run));
  }
  return runs;
}

/** A run in full, and its plan where it can be read. Rejects with OpsError usage (no such run), state. */
export async function showRun(
  stateDir: string,
  runId: string,
): Promise<{ readonly run: RunDetail; readonly plan: Plan | undefined }> {
  const run = await required(stateDir, runId);
  const { plan, begun, ended, progress } = run;
  const impossible = whyNotResumed(run);
  return {
    plan,
    run: {
      ...summaryOf(run),
      plan_digest: plan?.digest ?? '',
      ...(begun ? { allowed_by: begun.allowed_by } : {}),
      totals: ended?.totals ?? progress.totals(() => true),
      ...(run.runningIn === undefined ? {} : { steering: run.steering }),
      ...(plan && isJob(plan) ? { progress: progressWords(run, plan) } : {}),
      resume: impossible === undefined ? { command: resumeCommand(runId) } : { impossible },
    },
  };
}

/** The plan of a run that can be resumed, as it was written, and whether a person approved the run. Rejects with OpsError usage (no such run), refused (nothing to resume), state. */
export async function planToResume(
  stateDir: string,
  runId: string,
): Promise<{ readonly plan: Plan; readonly approved: boolean }> {
  const run = await required(stateDir, runId);
  const impossible = whyNotResumed(run);
  if (run.plan === undefined || impossible !== undefined) throw cannotResume(runId, impossible ?? '');
  return { plan: run.plan, approved: isApproved(run.begun) };
}

const byPerson: ReadonlySet<RunBegun['allowed_by']> = new Set(['elicitation', 'typed_name', 'approval'] as const);

/** True when a person allowed this very run: its resumes need no name again. */
export function isApproved(begun: RunBegun | undefined): boolean {
  return begun !== undefined && byPerson.has(begun.allowed_by);
}

/** OpsError refused: why a run cannot be resumed. */
export function cannotResume(runId: string, why: string): OpsError {
  return new OpsError('refused', `run ${runId} cannot be resumed. ${why}`, {
    remedy: `redops runs show ${runId} says how it stands.`,
  });
}

/** Ends a run: one that is in motion stops at its next look, one that is not can no longer be resumed. Rejects with OpsError usage (no such run), refused (it has ended), state. */
export async function cancelRun(stateDir: string, runId: string): Promise<RunSummary> {
  const run = await required(stateDir, runId);
  if (run.runningIn === undefined && whyNotResumed(run) !== undefined) {
    throw new OpsError('refused', `run ${runId} has ended (${statusOf(run)}): there is nothing to cancel`, {
      remedy: `redops runs show ${runId} says what became of it.`,
    });
  }
  await markCancelled(stateDir, runId, systemClock.now());
  return summaryOf({ ...run, cancelled: run.runningIn === undefined });
}

/** Changes what a run in motion does; gives what is wanted of it now. Rejects with OpsError usage (no such run), refused (it is not in motion), state. */
export async function steerRun(stateDir: string, runId: string, wanted: Partial<Steering>): Promise<Steering> {
  const run = await required(stateDir, runId);
  if (run.runningIn === undefined) throw notInMotion(run);
  const steering = await changeSteering(stateDir, runId, (stored) => ({ ...steeringOf(stored), ...wanted }));
  // the journal has when the run took it up, the audit log that it was asked for
  await appendAudit(stateDir, { event: 'steer', run_id: runId, digest: run.plan?.digest ?? '', ...steering });
  return steering;
}

function notInMotion(run: Run): OpsError {
  const { runId, ended } = run;
  if (ended) {
    return new OpsError('refused', `run ${runId} is not in motion (${statusOf(run)}): there is nothing to change`, {
      remedy: `redops runs show ${runId} says how it stands.`,
    });
  }
  return new OpsError('refused', `run ${runId} is not in motion: the process that worked on it has died`, {
    remedy:
      whyNotResumed(run) === undefined
        ? `${resumeCommand(runId)} lets it go on from where it came to.`
        : `redops runs show ${runId} says how it stands.`,
  });
}

function steeringOf(stored: unknown): Steering {
  return Steering.safeParse(stored).data ?? { paused: false };
}

/** True for a run that a process holds, paused. Rejects with OpsError usage (no such run), state. */
export async function isPaused(stateDir: string, runId: string): Promise<boolean> {
  const { runningIn, steering } = await required(stateDir, runId);
  return runningIn !== undefined && steering.paused;
}

/** Runs that have ended and wrote nothing for so long, oldest last; with `remove` they are gone when it resolves. A run that can go on has not ended. Rejects with OpsError state. */
export async function pruneRuns(
  stateDir: string,
  olderThanMs: number,
  remove: boolean,
): Promise<readonly RunSummary[]> {
  if (remove) await sweepRemoved(stateDir);
  const before = systemClock.now() - olderThanMs;
  const old: RunSummary[] = [];
  for (const runId of await runIds(stateDir)) {
    const run = await read(stateDir, runId, 'head');
    const ended = run && run.runningIn === undefined && whyNotResumed(run) !== undefined;
    if (!ended || run.touchedMs > before) continue;
    if (!remove || (await removeRun(stateDir, runId))) old.push(summaryOf(run));
  }
  return old;
}

/** OpsError usage: there is no run of that id; the nearest ones are named. */
export async function noSuchRun(stateDir: string, runId: string): Promise<OpsError> {
  const ids = await runIds(stateDir);
  const near = ids.filter((id) => id.includes(runId));
  const named = near.length > 0 ? near : [...ids].sort((a, b) => typingErrors(a, runId) - typingErrors(b, runId));
  return new OpsError('usage', `there is no run ${JSON.stringify(runId)} in ${stateDir}`, {
    remedy: ids.length === 0 ? 'No run is kept there.' : `The nearest: ${named.slice(0, 3).join(', ')}.`,
  });
}

/** What decides whether a run can go on. Documents are undefined where there are none, or none that can be read. */
export interface Standing {
  readonly plan: Plan | undefined;
  readonly ended: Ended | undefined;
  readonly cancelled: boolean;
  readonly runningIn: number | undefined;
}

/** Why a run cannot be resumed, in one sentence; undefined when it can. */
export function whyNotResumed({ plan, ended, cancelled, runningIn }: Standing): string | undefined {
  if (runningIn !== undefined) return `It is in motion: process ${runningIn} works on it.`;
  if (plan === undefined) return 'It never began, or its plan cannot be read: nothing was sent.';
  if (ended?.status === 'succeeded') return 'It has finished: succeeded.';
  if (cancelled) return 'It was cancelled.';
  if (!isJob(plan)) return whatInstead(plan, ended);
  if (ended?.status !== 'partial') return undefined;
  return 'It ran to its end, and its report names what failed or is unknown: what still matches, a new run takes.';
}

/** Of a report, what is looked at here. */
export const Ended = z.looseObject({
  status: Status,
  totals: Totals,
  stream: StreamFacts.exactOptional(),
  warnings: z.array(z.looseObject({ code: z.string() })).default([]),
});
/** See the schema. */
export type Ended = z.output<typeof Ended>;

/** The first record of a journal. */
export const Begun: z.ZodType<RunBegun> = z.looseObject({
  kind: z.literal('run'),
  at_ms: z.int(),
  digest: z.string(),
  target: z.string(),
  tag: z.enum(['dev', 'production']),
  allowed_by: z.enum(['nothing', 'yes', 'elicitation', 'typed_name', 'approval']),
});

function whatInstead(plan: Plan, ended: Ended | undefined): string {
  const kinds = new Set(plan.execution_plan.steps.map(({ kind }) => kind));
  if (kinds.has('stream')) {
    const next = ended?.stream?.next;
    if (next) return `A stream goes on with its file: line ${next.line} is the first that was not sent. ${next.how}`;
    return ended
      ? 'A stream is not resumed: this one came to the end of its file.'
      : 'A stream is not resumed, and this one left no report: what was sent of its file is not known.';
  }
  if (kinds.has('scan')) return 'It only reads: run it again.';
  if (kinds.has('transaction')) {
    return 'A transaction is not resumed: EXEC runs all of it or nothing, and the report says which.';
  }
  if (kinds.has('for_each')) {
    return 'What a crash left in the middle cannot be done again: its command does not leave the same result twice.';
  }
  return 'There is nothing to resume: each of its commands was sent once, and the report has the outcome of each.';
}

interface Run extends Standing {
  readonly runId: string;
  readonly begun: RunBegun | undefined;
  readonly attempts: number;
  readonly progress: Progress;
  readonly touchedMs: number;
  readonly steering: Steering;
}

async function required(stateDir: string, runId: string): Promise<Run> {
  const run = await read(stateDir, runId, 'whole');
  if (run === undefined) throw await noSuchRun(stateDir, runId);
  return run;
}

async function read(stateDir: string, runId: string, journal: 'head' | 'whole'): Promise<Run | undefined> {
  const fold = createProgress();
  let begun: RunBegun | undefined;
  let attempts = 0;
  const take = (record: JournalRecord): boolean => {
    begun ??= Begun.safeParse(record).data;
    if (journal === 'head') return false;
    if (record.kind === 'run' || record.kind === 'resumed') attempts += 1;
    fold.add(record);
    return true;
  };
  const stored = await readRun(stateDir, runId, take);
  if (stored === undefined) return undefined;
  const { cancelled, runningIn, touchedMs } = stored;
  return {
    runId,
    plan: Plan.safeParse(stored.plan).data,
    // what a run in motion wrote at its last end no longer holds
    ended: runningIn === undefined ? Ended.safeParse(stored.report).data : undefined,
    cancelled,
    runningIn,
    touchedMs,
    steering: steeringOf(stored.steering),
    begun,
    attempts,
    progress: fold.progress(),
  };
}

function summaryOf(run: Run): RunSummary {
  const { runId, begun, plan, touchedMs } = run;
  return {
    run_id: runId,
    started_at: new Date(begun?.at_ms ?? touchedMs).toISOString(),
    target: begun?.target ?? plan?.target.name ?? '',
    what: plan ? requestWords(plan.request) : '',
    status: statusOf(run),
  };
}

function statusOf({ runningIn, steering, cancelled, ended }: Run): RunStatus {
  if (runningIn !== undefined) return steering.paused ? 'paused' : 'running';
  const over = ended?.status === 'succeeded' || ended?.status === 'partial';
  if (cancelled && !over) return 'cancelled';
  return ended?.status ?? 'interrupted';
}

function progressWords({ attempts, progress }: Run, plan: Plan): NonNullable<RunDetail['progress']> {
  return {
    attempts,
    parts: progress.parts,
    done: progress.shards.filter((shard) => progress.of(shard)?.done).length,
    planned_keys: plan.execution_plan.estimate.keys,
  };
}
