/**
 * From a draft to the plan document, and from a document back to a plan that can be trusted. Everything beside the steps
 * is derived here and nowhere else, so that a file can be held against what redops itself would have written.
 */
import { canonicalJson } from './base/canonical.ts';
import { deepFreeze } from './base/freeze.ts';
import { OpsError } from './base/ops-error.ts';
import { estimate } from './explain/estimate.ts';
import { natureOf } from './explain/nature.ts';
import { lint } from './lint/lint.ts';
import { subjectOfDraft } from './lint/subject.ts';
import { type Draft, Plan, planDigest, shownSample } from './plan/plan.ts';
import type { SourceFacts, Target } from './plan/target.ts';

/** The plan of a draft: everything beside its steps is derived from them and the target's facts, here and nowhere else. */
export function assemble(draft: Draft, target: Target): Plan {
  const { commands, ...nature } = natureOf(draft, target);
  const price = estimate(draft, target);
  const { diagnostics, unchecked } = lint(subjectOfDraft(draft, target), { accept: draft.request.accept });
  const { max_retries, base_ms } = draft.request.retry;
  // through the schema: what goes out is what can be read back, member for member
  return Plan.parse({
    version: 1,
    digest: planDigest(draft, target.identity),
    request: draft.request,
    target: documented(target),
    commands,
    execution_plan: {
      strategy: draft.strategy,
      steps: [...draft.steps],
      batch_size: draft.batch_size,
      in_flight: 1,
      round_trips: price.round_trips,
      round_trip_ms: target.server.round_trip_ms,
      ...nature,
      ...(draft.steps.some((step) => step.kind === 'transaction') ? { rollback: 'none' } : {}),
      reasons: [...draft.reasons],
      retry: {
        max_retries,
        backoff: 'exponential',
        base_ms,
        retry_on: ['connection_timeout', 'BUSY', 'LOADING', 'TRYAGAIN', 'CLUSTERDOWN', 'MASTERDOWN'],
      },
      estimate: price.estimate,
    },
    estimated_ops: price.estimated_ops,
    warnings: [...diagnostics],
    unchecked: [...unchecked],
  });
}

function documented(target: Target): Target {
  if (target.sources === undefined) return target;
  return {
    ...target,
    sources: target.sources.map((facts) => ({ ...facts, sample: shownSample(facts.sample, sampleKept) })),
  };
}

/** How many commands of a file stand in a plan document at most; the rest of those that were judged are read again from the file. */
const sampleKept = 100;

/** Reads the files that a plan streams, as far as plans are judged by them; rejects with OpsError drift when one is not the file that was planned. */
export type ReadSources = (draft: Draft) => Promise<readonly SourceFacts[]>;

/** A plan document, checked: its digest is that of its content, and what is derived is what redops derives. Rejects with OpsError tampered or usage, and with what `readSources` rejects with. */
export async function readPlan(document: unknown, readSources: ReadSources): Promise<Plan> {
  const parsed = Plan.safeParse(document);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new OpsError('usage', `not a plan: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, {
      remedy: 'Make it anew with redops plan.',
    });
  }
  const plan = parsed.data;
  if (planDigest(draftOf(plan), plan.target.identity) !== plan.digest)
    throw tampered('its digest is not that of its steps, request and target');
  const sources = await readSources(draftOf(plan));
  const target = sources.length === 0 ? plan.target : { ...plan.target, sources: [...sources] };
  if (canonicalJson(assemble(draftOf(plan), target)) !== canonicalJson(plan)) {
    throw tampered('what is derived from its steps is not what redops derives');
  }
  return deepFreeze(plan);
}

function tampered(why: string): OpsError {
  return new OpsError('tampered', `the plan was changed after it was made: ${why}`, {
    remedy: 'Make it anew with redops plan, with the version of redops that applies it.',
  });
}

/** The draft that a plan was assembled from. */
export function draftOf(plan: Plan): Draft {
  const { strategy, steps, batch_size, reasons } = plan.execution_plan;
  return { request: plan.request, strategy, steps, batch_size, reasons };
}

/** The same steps and digest with today's facts; the data set keeps the name that it was approved under. `fresh`: judged and priced a moment ago, so that only drift is looked for. Throws OpsError drift when the world is not the one that was planned for. */
export function refreshed(plan: Plan, now: Target, fresh: boolean): Plan {
  const { identity, server, selections } = plan.target;
  const same = now.identity.id === identity.id || now.server.previous_id === identity.id;
  if (!same || now.identity.database !== identity.database || now.identity.user !== identity.user) {
    throw drifted('this is not the data set, database and user that the plan was made for');
  }
  if (now.server.run_id !== server.run_id) throw drifted('the server process is another one (its run_id changed)');
  const restarted = now.server.nodes?.find((node) => isRestarted(node, server.nodes ?? []));
  if (restarted) throw drifted(`${restarted.address} is another server process (its run_id changed)`);
  if (now.server.role !== server.role) throw drifted(`the server's role was ${server.role} and is ${now.server.role}`);
  selections.forEach((planned) => {
    const wanted = canonicalJson(planned.selection);
    const count = now.selections.find(({ selection }) => canonicalJson(selection) === wanted)?.low ?? 0;
    const most = Math.max(planned.high, Math.floor(planned.keys * 1.1));
    if (count > most) throw drifted(`the plan foresaw at most ${most} keys, and ${count} match now`);
  });
  return fresh ? plan : deepFreeze(assemble(draftOf(plan), { ...now, identity }));
}

/** A cluster's node with its old id in a new process may have lost its data; one that took over from another has not. */
function isRestarted(node: ClusterNode, planned: readonly ClusterNode[]): boolean {
  const before = planned.find((one) => one.id === node.id);
  return before !== undefined && before.run_id !== node.run_id;
}

type ClusterNode = NonNullable<Target['server']['nodes']>[number];

function drifted(what: string): OpsError {
  return new OpsError('drift', `the plan no longer fits: ${what}`, {
    remedy: 'Look at what changed, then plan again.',
  });
}
