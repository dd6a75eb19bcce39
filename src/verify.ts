/**
 * Looking, later, whether a scan job did what it was for: its selection is walked again on the data set that it ran on. What
 * changed in between is others' work, and is told as what it may be: new since, or missed.
 */
import { bytesId } from './base/bytes.ts';
import { systemClock } from './base/clock.ts';
import { OpsError } from './base/ops-error.ts';
import { Session } from './execute/session.ts';
import { verification } from './execute/verify-job.ts';
import { leftBehind } from './plan/left-behind.ts';
import { Plan } from './plan/plan.ts';
import type { Verified } from './plan/run.ts';
import { literal } from './plan/values.ts';
import { createEarlier, mustBeSame, onServerOf, type Resumption } from './resume.ts';
import { noSuchRun } from './runs.ts';
import { readRun } from './state/run-folders.ts';

/** Where, and how long: as for a resume. */
export interface Verification extends Pick<Resumption, 'stateDir' | 'connection' | 'ask' | 'pathOf'> {
  readonly sameData: boolean;
  readonly signal?: AbortSignal;
}

/** What is left of what a run was to do. Rejects with OpsError usage (no such run), refused (in motion, or nothing to look for), drift, and when the server cannot be asked. */
export async function verifyRun(where: Verification, runId: string): Promise<Verified> {
  const earlier = createEarlier();
  const stored = await readRun(where.stateDir, runId, (record) => {
    earlier.add(record);
    return true;
  });
  if (stored === undefined) throw await noSuchRun(where.stateDir, runId);
  if (stored.runningIn !== undefined) throw cannotVerify(runId, `Process ${stored.runningIn} works on it.`);
  const { data: plan } = Plan.safeParse(stored.plan);
  const steps = plan?.execution_plan.steps.filter((step) => step.kind === 'for_each') ?? [];
  if (!plan || steps.every((step) => leftBehind(step) === undefined)) {
    throw cannotVerify(
      runId,
      'There is nothing that its end could be known by: it is no scan job, or may leave keys as they are.',
    );
  }
  const now = await where.ask();
  mustBeSame(plan, now, earlier.dataSets, runId, where.sameData);
  const session = new Session({
    plan: onServerOf(plan, now),
    runId,
    connection: where.connection,
    clock: systemClock,
    signal: where.signal ?? new AbortController().signal,
    journal: undefined,
    ...(where.pathOf ? { pathOf: where.pathOf } : {}),
  });
  const progress = earlier.progress();
  const named = progress.resultsOf(() => true);
  const { failed, unknown } = progress.totals(() => true);
  const open = new Set(named.map(({ argv }) => bytesId(literal(argv[1] ?? '') ?? '')));
  const found: Verified = { run_id: runId, unproven: [] };
  try {
    for (const step of steps) {
      for await (const event of verification(session, step, { open, notApplied: failed + unknown })) {
        if (event.kind === 'verified') found.walked = { ...event.facts, sample: [...event.facts.sample] };
        if (event.kind === 'unproven') found.unproven.push(event.reason);
      }
    }
    found.unproven.push(...(await session.concerns()));
  } finally {
    await session.close();
  }
  return found;
}

function cannotVerify(runId: string, why: string): OpsError {
  return new OpsError('refused', `run ${runId} cannot be verified. ${why}`, {
    remedy: `redops runs show ${runId} says how it stands.`,
  });
}
