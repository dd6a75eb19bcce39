/** Waiting for a run: with progress to the client, an end when the client takes the call back, and a handle when it takes long. */
import type { ServerContext } from '@modelcontextprotocol/server';
import type { ApplyOptions, Run } from '../agent.ts';
import { invariant } from '../base/assert.ts';
import type { Plan } from '../plan/plan.ts';
import type { Report } from '../plan/report.ts';
import type { Document } from './answer.ts';
import type { Desk } from './desk.ts';
import type { ServedAgent } from './held-agent.ts';
import { type Job, within } from './jobs.ts';

const progressMs = 500;

/** Begins the run of a plan. Rejects, with nothing sent, as the agent does. */
export async function begin(agent: ServedAgent, plan: Plan, options: ApplyOptions): Promise<Run> {
  const run = await agent.apply(plan, options);
  invariant('events' in run, 'a plan is taken as a plan');
  return run;
}

/** The report of a run that ended in time; undefined for one that goes on. Rejects with what the run rejects with. */
export async function settle(job: Job, desk: Desk, context: ServerContext): Promise<Report | undefined> {
  const { signal } = context.mcpReq;
  const stop = (): void => job.stop.abort();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const timer = setInterval(() => void tell(job, context), progressMs);
  try {
    return await within(job.ended, desk.waitMs);
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', stop);
  }
}

/** What is answered about a run that goes on. */
export function handleOf(job: Job): Document {
  const { runId, digest, totals, planned } = job.motion();
  return {
    status: 'running',
    run_id: runId,
    digest,
    totals,
    planned,
    next: { tool: 'redops_runs', action: 'status', run_id: runId },
    says: 'It goes on by itself. Ask for its status now and then; cancel ends it, result has its report.',
  };
}

// a client that is told nothing of the progress must not end the run
async function tell(job: Job, { mcpReq }: ServerContext): Promise<void> {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  const { totals, planned } = job.motion();
  const progress = Math.max(totals.scanned, totals.changed + totals.unchanged + totals.failed + totals.unknown);
  const message = `${totals.changed} changed of about ${planned}`;
  await mcpReq
    .notify({ method: 'notifications/progress', params: { progressToken, progress, message } })
    .catch(() => undefined);
}
