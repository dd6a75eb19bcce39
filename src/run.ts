/** A run in motion: events as they happen, journaled and folded, and the report at their end. */
import { systemClock } from './base/clock.ts';
import { OpsError } from './base/ops-error.ts';
import type { Contention } from './execute/contention.ts';
import { execute } from './execute/execute.ts';
import type { Progress } from './execute/progress.ts';
import type { RunContext, StreamTerms } from './execute/session.ts';
import type { Event } from './plan/event.ts';
import { isJob, type Plan } from './plan/plan.ts';
import type { Report } from './plan/report.ts';
import type { Connection } from './redis/connection.ts';
import { recordingConnection } from './redis/recording.ts';
import { createFold } from './report/fold.ts';
import { appendAudit } from './state/audit.ts';
import { keepReading } from './state/readings.ts';
import { openRun, type RunBegun, type RunLog } from './state/runs.ts';
import { watchSteering, withSteering } from './steering.ts';

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
  /** Where the files of keys of a plan lie; left out where a plan may name none. */
  readonly pathOf?: (name: string) => string;
  /** Which transactions met conflicts of late, over all runs of the connection. */
  readonly contention?: Contention;
  /** The run that goes on; left out: a new one. */
  readonly earlier?: EarlierRun;
}

/** A run that was begun before, in motion again. */
export interface EarlierRun {
  readonly runId: string;
  readonly log: RunLog;
  readonly progress?: Progress;
  /** Something had been sent whose record is not in the journal. */
  readonly unrecorded?: boolean;
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
  const wheel = watchSteering(log);
  const context: RunContext = {
    plan,
    runId,
    connection: recording ?? connection,
    dryRun,
    clock: systemClock,
    signal: settings.signal ? AbortSignal.any([settings.signal, wheel.cancelled]) : wheel.cancelled,
    steering: wheel.steered,
    journal: log ? (record) => log.append(record) : undefined,
    ...(stream ? { stream: { ...stream, dryRun } } : {}),
    ...(settings.pathOf ? { pathOf: settings.pathOf } : {}),
    ...(settings.contention ? { contention: settings.contention } : {}),
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
      const ran = execute(context, recording?.keptBack);
      for await (const event of log && isJob(plan) ? withSteering(ran, wheel) : ran) {
        fold.add(event);
        yield event;
        if (event.kind !== 'run_started' || !earlier?.unrecorded) continue;
        fold.add(unrecorded);
        yield unrecorded;
      }
      const steered = wheel.facts();
      if (steered.changes.length > 0) fold.add({ kind: 'steered', facts: steered });
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
      if (log && stateDir && onlyRead(plan, done)) await keepReading(stateDir, runId);
      settle(done);
    } catch (error) {
      fail(error);
      throw error;
    } finally {
      wheel.stop();
      await log?.close();
      fail(new OpsError('interrupted', 'the events of the run were not read to their end'));
    }
  }
  return { events: events(), report };
}

const unrecorded: Event = {
  kind: 'notice',
  diagnostic: {
    code: 'E232',
    severity: 'info',
    message: 'an earlier attempt of this run ended without recording what was under way',
    at: 'the run',
    why: 'What that attempt changed after its last record is not in the counts. The data is as the plan wanted.',
    fix: 'Nothing has to be done; read the count of changed as at least so many.',
    url: 'docs/errors.md#e232',
  },
};

/** What is done with when it has been read: nothing was written, and nothing is left to go on with. */
function onlyRead(plan: Plan, { status }: Report): boolean {
  return !plan.execution_plan.writes && !isJob(plan) && status !== 'interrupted';
}

function newLog({ stateDir, dryRun, allowed }: RunSettings, runId: string, plan: Plan): Promise<RunLog> | undefined {
  if (!stateDir || dryRun) return undefined;
  return openRun(stateDir, runId, plan, { at_ms: systemClock.now(), digest: plan.digest, ...allowed });
}

/** Sorts by time, and is told apart from a run of the same second. */
function newRunId(): string {
  const stamp = new Date(systemClock.now()).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${stamp}-${Math.random().toString(36).slice(2, 8).padEnd(6, '0')}`;
}
