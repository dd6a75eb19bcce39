/**
 * Runs in motion. A call waits a while for its run; one that takes longer goes on behind a handle, its run id, by which it
 * is looked at, cancelled and resumed. What ended lies in the state directory.
 */
import type { Run } from '../agent.ts';
import { OpsError } from '../base/ops-error.ts';
import { countsByPage, type Plan } from '../plan/plan.ts';
import type { Report, Totals } from '../plan/report.ts';
import { addTotals, noTotals } from '../plan/totals.ts';

/** How far a run is. */
export interface Motion {
  readonly runId: string;
  readonly digest: string;
  readonly totals: Totals;
  /** Keys or commands that the plan foresaw. */
  readonly planned: number;
}

/** A run, started. */
export interface Job {
  readonly stop: AbortController;
  readonly ended: Promise<Report>;
  motion(): Motion;
}

/** The runs of this server. */
export interface Jobs {
  /** Reads the events of a run to their end. Throws OpsError refused when too many are in motion. */
  start(plan: Plan, begin: (stop: AbortSignal) => Promise<Run>): Promise<Job>;
  /** A run in motion here. */
  find(runId: string): Job | undefined;
  /** True for a run that was begun by this server. */
  began(runId: string): boolean;
  /** Stops all, and waits until they have ended or `ms` have passed. */
  close(ms: number): Promise<void>;
}

/** Runs in motion at the same time. */
export const mostJobs = 8;
/** Ids of runs that are remembered as begun here. */
const remembered = 10_000;

/** No run yet. `onEnd`: called with each report. */
export function createJobs(): Jobs {
  const moving = new Set<Job>();
  const begun = new Set<string>();
  let starting = 0;
  return {
    start: async (plan, begin) => {
      if (moving.size + starting >= mostJobs) throw tooMany();
      const stop = new AbortController();
      starting += 1;
      try {
        const run = await begin(stop.signal);
        const job = follow(plan, run, stop, (runId) => {
          begun.add(runId);
          if (begun.size > remembered) begun.delete([...begun][0] ?? '');
        });
        moving.add(job);
        job.ended.catch(() => undefined).finally(() => moving.delete(job));
        return job;
      } finally {
        starting -= 1;
      }
    },
    find: (runId) => [...moving].find((job) => job.motion().runId === runId),
    began: (runId) => begun.has(runId),
    close: async (ms) => {
      for (const { stop } of moving) stop.abort();
      const all = Promise.allSettled([...moving].map(({ ended }) => ended));
      await within(all, ms);
    },
  };
}

/** What a promise gives, or undefined when it has not settled in so many milliseconds. */
export async function within<Result>(promise: Promise<Result>, ms: number): Promise<Result | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function follow(plan: Plan, run: Run, stop: AbortController, begun: (runId: string) => void): Job {
  let runId = '';
  let totals: Totals = noTotals;
  const byPage = countsByPage(plan);
  const read = async (): Promise<Report> => {
    for await (const event of run.events) {
      if (event.kind === 'run_started') {
        runId = event.run_id;
        begun(runId);
      }
      if (event.kind === 'page') totals = addTotals(totals, event.totals);
      if (event.kind === 'result' && event.effect === 'changed' && !byPage)
        totals = { ...totals, changed: totals.changed + 1 };
    }
    return run.report;
  };
  const ended = read();
  ended.catch(() => undefined); // whoever waits for it still sees the failure
  const planned = plan.execution_plan.estimate.keys;
  return { stop, ended, motion: () => ({ runId, digest: plan.digest, totals, planned }) };
}

function tooMany(): OpsError {
  return new OpsError('refused', `${mostJobs} runs are in motion already`, {
    remedy: 'Wait for one of them, or cancel it: redops_runs.',
  });
}
