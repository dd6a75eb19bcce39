/** A run in motion: events as they happen, journaled and folded, and the report at their end. */
import { systemClock } from './base/clock.ts';
import { OpsError } from './base/ops-error.ts';
import { execute } from './execute/execute.ts';
import type { Progress } from './execute/progress.ts';
import { createRunControl, type RunControl, withControl } from './execute/run-control.ts';
import type { RunContext, StreamTerms } from './execute/session.ts';
import type { Event } from './plan/event.ts';
import { isControllable, type Plan } from './plan/plan.ts';
import type { Report } from './plan/report.ts';
import { Wishes } from './plan/run.ts';
import type { Connection } from './redis/connection.ts';
import { recordingConnection } from './redis/recording.ts';
import { createFold } from './report/fold.ts';
import { appendAudit } from './state/audit.ts';
import { openRun, type RunBegun, type RunLog } from './state/runs.ts';

/** A run: the events as they happen, then the report. `report` settles only when `events` was read to its end. */
export interface Run {
  readonly events: AsyncIterable<Event>;
  readonly report: Promise<Report>;
}

/** What a run needs beside its plan. */
export interface RunSettings {
  readonly connection: Connection;
  readonly stateDir: string | undefined;
  readonly dryRun: boolean;
  readonly signal: AbortSignal | undefined;
  /** On whose word it runs: kept with the run, since a run that is resumed runs on the same word. */
  readonly allowed: Pick<RunBegun, 'target' | 'tag' | 'allowed_by'>;
  /** Where files of commands lie, and what of them may be sent; left out where a plan may name none. */
  readonly stream?: Pick<StreamTerms, 'pathOf' | 'admit'>;
  /** The run that goes on; left out: a new one. */
  readonly earlier?: EarlierRun;
}

/** A run that was begun before, in motion again. */
export interface EarlierRun {
  readonly runId: string;
  readonly log: RunLog;
  readonly progress?: Progress;
}

/** A run that ended before it began: refused, or waiting for approval. */
export function settledRun(report: Report): Run {
  return { events: (async function* () {})(), report: Promise.resolve(report) };
}

/** A run in motion: the journal is written as it goes, the report when its events have been read. Rejects with OpsError state. */
export async function startRun(settings: RunSettings, plan: Plan): Promise<Run> {
  const { connection, stateDir, dryRun, stream, earlier } = settings;
  const runId = earlier?.runId ?? newRunId();
  const log = earlier?.log ?? (await newLog(settings, runId, plan));
  const recording = dryRun ? recordingConnection(connection) : undefined;
  const control = log && isControllable(plan) ? createRunControl(systemClock, plan.request.limits) : undefined;
  if (log && control) await takeWishes(log, control);
  const watching = watch(log, control);
  const context: RunContext = {
    plan,
    runId,
    connection: recording ?? connection,
    dryRun,
    clock: systemClock,
    signal: settings.signal ? AbortSignal.any([settings.signal, watching.signal]) : watching.signal,
    journal: log ? (record) => log.append(record) : undefined,
    ...(control ? { control } : {}),
    ...(stream ? { stream: { ...stream, dryRun } } : {}),
    ...(earlier?.progress ? { resumed: earlier.progress } : {}),
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
      for await (const event of withControl(execute(context, recording?.keptBack), control)) {
        fold.add(event);
        yield event;
      }
      const done = fold.report();
      await log?.finish(done);
      if (stateDir)
        await appendAudit(stateDir, {
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
      watching.stop();
      await log?.close();
      fail(new OpsError('interrupted', 'the events of the run were not read to their end'));
    }
  }
  return { events: events(), report };
}

function newLog({ stateDir, dryRun, allowed }: RunSettings, runId: string, plan: Plan): Promise<RunLog> | undefined {
  if (!stateDir || dryRun) return undefined;
  return openRun(stateDir, runId, plan, { at_ms: systemClock.now(), digest: plan.digest, ...allowed });
}

/** How often a run looks whether it was cancelled from outside, in milliseconds, and every how many looks what else is wanted of it. */
const LOOK_MS = 250;
const WISHES_EVERY = 3;

/** Aborts once the run was cancelled, and hands on what is wanted of it. A folder that cannot be read is met by the journal. */
function watch(
  log: RunLog | undefined,
  control: RunControl | undefined,
): { readonly signal: AbortSignal; stop(): void } {
  const cancelled = new AbortController();
  if (log === undefined) return { signal: cancelled.signal, stop: () => undefined };
  let looks = 0;
  const look = async (): Promise<void> => {
    looks += 1;
    if (await log.cancelled()) cancelled.abort(new OpsError('interrupted', 'cancelled by redops runs cancel'));
    if (control && looks % WISHES_EVERY === 0) await takeWishes(log, control);
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();
  return { signal: cancelled.signal, stop: () => clearInterval(timer) };
}

/** What changes is journaled. A file that somebody else has written by hand, and that says nothing, changes nothing. */
async function takeWishes(log: RunLog, control: RunControl): Promise<void> {
  const { data } = Wishes.safeParse(await log.wishes().catch(() => undefined));
  if (data === undefined || !control.take(data)) return;
  // a journal that cannot be written is met by the next page
  await log.append({ kind: 'control', at_ms: systemClock.now(), ...data }).catch(() => undefined);
}

/** Sorts by time, and is told apart from a run of the same second. */
function newRunId(): string {
  const stamp = new Date(systemClock.now()).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${stamp}-${Math.random().toString(36).slice(2, 8).padEnd(6, '0')}`;
}
