/** redops_runs: the runs of this target: listed, looked at, gone on with, ended, and their reports page by page. */
import { z } from 'zod';
import { OpsError } from '../../base/ops-error.ts';
import type { Plan } from '../../plan/plan.ts';
import type { RunDetail } from '../../plan/run.ts';
import { answer, type Document, fitting, maxOutputCharacters, sentence } from '../answer.ts';
import type { Call, Desk, Outcome } from '../desk.ts';
import { reportPage } from '../report-page.ts';
import { handleOf, settle } from '../settle.ts';
import { tool } from '../tool.ts';

const input = z.strictObject({
  action: z.enum(['list', 'status', 'result', 'resume', 'cancel']),
  run_id: z.string().min(1).max(128).exactOptional(),
  from: z.int().nonnegative().describe('list, result: the first item of the page').exactOptional(),
  item: z.int().nonnegative().describe('result: page through the reply of this command').exactOptional(),
  approval: z.string().min(1).max(2000).describe('resume: what redops approve printed for a person').exactOptional(),
});

/** See the file. */
export const runsTool = tool({
  name: 'redops_runs',
  title: 'Runs: list, status, result, resume, cancel',
  description:
    'list: runs of this target, newest first. status: how far one is. result: its report, in pages. resume: go on with one that ended early. cancel: end one.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  input,
  run: async (asked, desk, call) => {
    if (asked.action === 'list') return list(desk, asked.from ?? 0);
    if (asked.run_id === undefined)
      throw new OpsError('usage', `${asked.action} needs a run_id`, { remedy: 'list has the ids.' });
    const known = await knownRun(asked.run_id, desk);
    switch (asked.action) {
      case 'status':
        return { result: answer(statusOf(known, desk)), record: { run_id: known.run.run_id } };
      case 'result':
        return result(known, asked, desk);
      case 'resume':
        return resume(known, asked.approval, desk, call);
      case 'cancel':
        return cancel(known, desk);
    }
  },
});

interface Known {
  readonly run: RunDetail;
  readonly plan: Plan | undefined;
}

async function list({ runs, stateDir, agent, redact }: Desk, from: number): Promise<Outcome> {
  const name = await agent.use(async ({ target }) => target.name);
  const own = (await runs.listRuns(stateDir)).filter(({ target }) => target === name);
  const items = own.map(({ run_id, started_at, what, status }) => ({
    run_id,
    started_at,
    status,
    what: sentence(what, redact),
  }));
  const shown = fitting(items, from, maxOutputCharacters);
  const next = from + shown.length;
  return {
    result: answer({
      status: 'listed',
      total: items.length,
      ...(next < items.length ? { next: { action: 'list', from: next } } : {}),
      untrusted: { runs: shown },
    }),
  };
}

/** A run of this target. Throws OpsError usage where there is none: what runs other targets have is not this agent's to know. */
async function knownRun(runId: string, { runs, stateDir, agent }: Desk): Promise<Known> {
  const name = await agent.use(async ({ target }) => target.name);
  const none = new OpsError('usage', 'this target has no such run', { remedy: 'list has its runs.' });
  const known = await runs.showRun(stateDir, runId).catch((error: unknown) => {
    throw error instanceof OpsError && error.code === 'usage' ? none : error;
  });
  if (known.run.target === name) return known;
  throw none;
}

/** What an agent began or could have begun. Throws OpsError refused for what a person began beyond the policy. */
async function mustBeOurs({ run, plan }: Known, desk: Desk): Promise<void> {
  if (desk.jobs.began(run.run_id) || run.allowed_by === 'approval' || run.allowed_by === 'elicitation') return;
  const verdict = plan && (await desk.agent.use((agent) => agent.judge(plan)));
  if (verdict !== undefined && verdict.beyond.length === 0) return;
  throw new OpsError('refused', 'a person began that run, and the policy would not have let it through', {
    remedy: 'Ask the person.',
  });
}

function statusOf({ run, plan }: Known, { jobs, redact }: Desk): Document {
  const { totals, progress, resume: goesOn } = run;
  return {
    status: run.status,
    run_id: run.run_id,
    digest: run.plan_digest,
    started_at: run.started_at,
    does: sentence(run.what, redact),
    totals: jobs.find(run.run_id)?.motion().totals ?? totals,
    ...(plan ? { planned: plan.execution_plan.estimate.keys } : {}),
    ...(progress ? { parts: `${progress.done} of ${progress.parts}`, attempts: progress.attempts } : {}),
    ...(run.steering?.paused ? { paused: true } : {}),
    ...('impossible' in goesOn ? { resume_impossible: goesOn.impossible } : { can_be_resumed: true }),
  };
}

async function result(
  known: Known,
  page: { readonly from?: number; readonly item?: number },
  desk: Desk,
): Promise<Outcome> {
  const { run } = known;
  await mustBeOurs(known, desk);
  const report = await desk.files.keptReport(desk.stateDir, run.run_id);
  if (report === undefined || run.status === 'running' || run.status === 'paused') {
    return { result: answer({ ...statusOf(known, desk), says: 'It has no report yet.' }) };
  }
  return { result: answer(reportPage(report, desk.redact, page)), record: { run_id: run.run_id } };
}

async function resume(known: Known, approval: string | undefined, desk: Desk, call: Call): Promise<Outcome> {
  const { run, plan } = known;
  await mustBeOursOrApproved(known, approval, desk);
  if (plan === undefined) throw new OpsError('refused', `the plan of run ${run.run_id} cannot be read`);
  const granted = { yes: true, ...(approval === undefined ? {} : { approval }) };
  const job = await desk.agent.use((agent) =>
    desk.jobs.start(plan, (signal) => agent.resume(run.run_id, { ...granted, signal })),
  );
  const report = await settle(job, desk, call.context);
  const record = { run_id: run.run_id, digest: plan.digest };
  if (!report) return { result: answer(handleOf(job)), record: { ...record, verdict: 'running' } };
  return { result: answer(reportPage(report, desk.redact)), record: { ...record, verdict: report.status } };
}

/** A run that no person approved is judged again when it goes on, with the signature; on the word of one it would go on without. */
async function mustBeOursOrApproved(known: Known, approval: string | undefined, desk: Desk): Promise<void> {
  const { allowed_by: word } = known.run;
  if (approval === undefined || (word !== 'yes' && word !== 'nothing')) await mustBeOurs(known, desk);
}

async function cancel(known: Known, desk: Desk): Promise<Outcome> {
  await mustBeOurs(known, desk);
  const { run_id: runId } = known.run;
  const { status } = await desk.runs.cancelRun(desk.stateDir, runId);
  const moving = status === 'running' || status === 'paused';
  return {
    result: answer({
      status: moving ? 'stopping' : 'cancelled',
      run_id: runId,
      says: moving ? 'It ends after what is under way, and reports.' : 'It can no longer be resumed.',
    }),
    record: { run_id: runId, verdict: moving ? 'stopping' : 'cancelled' },
  };
}
