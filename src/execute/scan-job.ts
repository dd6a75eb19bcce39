/**
 * A scan job: one action for every key of a selection, by one of two engines with the same effect: from here (client-job.ts),
 * or on the server by a script (server-job.ts) where the plan allows it. The job stops by itself, before acting, when it
 * meets more keys than the plan foresaw or the request allows, and goes on from where an earlier attempt came to.
 */
import { OpsError } from '../base/ops-error.ts';
import { commandName } from '../catalog/lookup.ts';
import { partsFor } from '../inspect/partitions.ts';
import { chunkSha1 } from '../plan/chunk-script.ts';
import type { Event } from '../plan/event.ts';
import type { ForEachStep } from '../plan/step.ts';
import { literal } from '../plan/values.ts';
import { runClientJob } from './client-job.ts';
import { type LateGovernor, lateGovernor } from './late-governor.ts';
import type { Ending } from './pipeline.ts';
import { runServerJob } from './server-job.ts';
import type { Session } from './session.ts';
import { digestOfSlots, slotView } from './slot-view.ts';

/** Runs the job. Failed and unknown keys get a result event each, numbered by the key's place in the run; all are in the page totals. */
export async function* runScanJob(session: Session, step: ForEachStep): AsyncGenerator<Event, Ending> {
  const { plan, journal } = session.context;
  const deletes = isRemoving(step);
  const slots = session.cluster ? digestOfSlots(await slotView(session)) : undefined;
  const before = startingPoint(session, slots);
  const onServer = goesOnServer(session, step) && (before === undefined || deletes || before.parts === 1);
  const parts = before?.parts ?? partsOf(session, step, onServer);
  try {
    await journal?.({ kind: 'started', parts, ...(slots === undefined ? {} : { slots }) });
  } catch (error) {
    if (error instanceof OpsError) return { end: 'fault', fault: error };
    throw error;
  }
  if (before) {
    for (const result of before.results) yield { kind: 'result', effect: 'none', result };
    yield { kind: 'page', totals: before.totals, planned_keys: plan.execution_plan.estimate.keys };
  }
  const governor = await governorFor(session);
  const job = { parts, deletes, acted: before?.totals.matched ?? 0, from: before?.from ?? (() => undefined), governor };
  let ending: Ending;
  try {
    const ended = onServer ? yield* governed(runServerJob(session, step, job), governor) : 'client';
    ending = ended === 'client' ? yield* governed(runClientJob(session, step, job), governor) : ended;
  } finally {
    await governor.close();
  }
  const facts = governor.facts();
  if (facts) yield { kind: 'governed', facts };
  return ending;
}

/** Scripts replicate their effects there, SCAN among what they may call. A cluster's nodes are worked on from here: a slot may be open. */
function goesOnServer({ context: { plan, dryRun } }: Session, step: ForEachStep): boolean {
  const { engine, version, cluster, round_trip_ms } = plan.target.server;
  if (dryRun || cluster || step.selection.keys_file !== undefined || step.server_side?.sha1 !== chunkSha1) return false;
  if (round_trip_ms >= FAR_MS && !isRemoving(step)) return false;
  const major = Number.parseInt(version, 10);
  return (engine === 'redis' && major >= 7 && major <= 8) || (engine === 'valkey' && major >= 8 && major <= 9);
}

/** From this round trip on, many pages under way from here are faster than one chunk after the other. */
const FAR_MS = 10;
/** Up to this round trip one chunk after the other nearly keeps the server busy, and two do: one runs while the reply to the other travels. */
const NEAR_MS = 2;

/** A script acts on what runs over into the next part before that is known: only a key that is deleted twice counts once. */
function partsOf(session: Session, step: ForEachStep, onServer: boolean): number {
  if (step.selection.keys_file !== undefined) return 1;
  const { target, request } = session.context.plan;
  if (session.cluster) return Math.max(1, session.context.connection.nodes().length);
  const parts = partsFor(target.server, request.performance_mode, step.count);
  if (!onServer) return parts;
  if (!isRemoving(step)) return 1;
  // others wait behind all that is under way
  return target.server.round_trip_ms < NEAR_MS
    ? Math.min(parts, request.performance_mode === 'throughput_optimized' ? 2 : 1)
    : parts;
}

/** True when the action leaves no key behind: one that is met later is another key. A deadline that would delete is never sent. */
function isRemoving(step: ForEachStep): boolean {
  const name = commandName(step.do.argv.map(literal));
  return name === 'del' || name === 'unlink';
}

/** What others feel is told this often on the way, in milliseconds. */
const TOLD_MS = 250;

/** The events of a job, and now and then what its governor sees. */
async function* governed<R>(events: AsyncGenerator<Event, R>, governor: LateGovernor): AsyncGenerator<Event, R> {
  let toldMs = performance.now();
  try {
    for (;;) {
      const next = await events.next();
      if (next.done) return next.value;
      yield next.value;
      if (performance.now() - toldMs < TOLD_MS) continue;
      toldMs = performance.now();
      const facts = governor.facts();
      if (facts) yield { kind: 'governed', facts };
    }
  } finally {
    await events.return(undefined as R);
  }
}

/** Jobs from this many keys on are long enough to be felt by others. */
const GOVERNED_FROM = 20_000;

function governorFor(session: Session): Promise<LateGovernor> {
  const { request, execution_plan, target } = session.context.plan;
  const sloMs = request.limits.slo_p99_ms;
  const small = execution_plan.estimate.keys < GOVERNED_FROM;
  // over a distance the way itself varies by more than the default allows others to wait: it would be held for nothing
  const needs = sloMs !== undefined || !(small || target.server.round_trip_ms >= FAR_MS);
  return lateGovernor(session, needs);
}

/** What earlier attempts of this run did that still stands: parts whose cursor came from the process that answers now, in a cluster whose slots have not moved since. */
function startingPoint({ context, cluster }: Session, slots: string | null | undefined) {
  const { resumed, plan } = context;
  const { run_id, nodes } = plan.target.server;
  if (!resumed || (cluster && (slots === null || resumed.slots !== slots))) return undefined;
  const processOf = (shard: string) => (cluster ? nodes?.find(({ id }) => id === shard)?.run_id : run_id);
  const stands = (shard: string): boolean => {
    const process = processOf(shard);
    return process !== undefined && process !== '' && resumed.of(shard)?.runId === process;
  };
  if (!resumed.shards.some(stands)) return undefined;
  return {
    parts: resumed.parts,
    totals: resumed.totals(stands),
    results: resumed.resultsOf(stands),
    from: (shard: string) => (stands(shard) ? resumed.of(shard) : undefined),
  };
}
