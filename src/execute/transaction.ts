/**
 * The loop of a transaction: attempts until it is committed, cannot be, or its retries are used up; and which engine each
 * of them has. A plan may allow two that do the same: WATCH with MULTI/EXEC, and a script. Balanced begins with WATCH and
 * goes over to the script at the second conflict in a row; the other modes begin with the script. What the script leaves
 * alone, WATCH does at once: that is an attempt, but no retry.
 */
import type { Event } from '../plan/event.ts';
import type { EngineSwitch, TransactionEngine } from '../plan/report.ts';
import type { TransactionStep } from '../plan/step.ts';
import { transactionScript } from '../plan/transaction-script.ts';
import type { Lease } from '../redis/connection.ts';
import { type Contention, createContention } from './contention.ts';
import { OwnConnection, slotOfStep } from './own-connection.ts';
import { type Ending, resultEvent } from './pipeline.ts';
import { replicationOf, unreplicated } from './replicas.ts';
import { attemptScript, callOf, type ScriptCall } from './script-attempt.ts';
import type { RunContext } from './session.ts';
import { attemptOnce, type Tried } from './transaction-attempt.ts';
import { waitBeforeRetry } from './transaction-backoff.ts';

/** Conflicts in a row that are contention. */
const CONTENTION = 2;

/** A transaction that is ready to run, once or many times. */
export interface ReadyTransaction {
  readonly step: TransactionStep;
  /** The script, where this server takes it and the plan allows it. */
  readonly call: ScriptCall | undefined;
  /** What it is remembered by: one script with other keys is another transaction. */
  readonly name: string;
  /** The engine of the first attempt where nothing is known of contention. */
  readonly first: TransactionEngine;
  /** Where its conflicts are remembered. */
  readonly contention: Contention;
}

/** The connections of one run: for WATCH one that nobody shares. */
export interface TransactionLanes {
  readonly own: OwnConnection;
  readonly script: () => Lease | Promise<Lease>;
}

/** Which engines a transaction has on the server of this run. */
export function readyTransaction(
  context: RunContext,
  step: TransactionStep,
  contention = createContention(context.clock),
): ReadyTransaction {
  const mode = context.plan.request.performance_mode;
  const call = scriptFor(context, step);
  const name = call ? JSON.stringify(call.wire.slice(1, 3 + call.script.keys.length)) : '';
  return {
    step,
    call,
    name,
    first: call && mode !== 'balanced' ? 'script' : 'watch',
    contention,
  };
}

/** The script only where it is the one that was approved; a dry run sends no script, and WATCH shows what it would do. */
function scriptFor({ plan, dryRun }: RunContext, step: TransactionStep): ScriptCall | undefined {
  if (dryRun || step.script === undefined) return undefined;
  if (Number.parseInt(plan.target.server.redis_version, 10) < 7) return undefined;
  const script = transactionScript(step);
  return 'sha1' in script && script.sha1 === step.script.sha1 ? callOf(script) : undefined;
}

/** Runs the transaction once, on a connection of its own. `first` is the index of its first command in the report. */
export async function* runTransaction(
  context: RunContext,
  step: TransactionStep,
  first: number,
): AsyncGenerator<Event, Ending> {
  const own = new OwnConnection(context, slotOfStep(step));
  try {
    const ready = readyTransaction(context, step, context.contention);
    return yield* runAttempts(context, ready, { own, script: () => own.open() }, first);
  } finally {
    await own.close();
  }
}

/** An event without its kind. */
type Facts<Kind extends Event['kind']> = Omit<Extract<Event, { kind: Kind }>, 'kind'>;

/** What one attempt came to: another follows it, or the run ended. */
export type Turn = { readonly retried: Facts<'retried'> } | Concluded;

/** How a run ended. */
export interface Concluded {
  readonly ending: Ending;
  /** Of each command, in order. */
  readonly results: readonly Extract<Event, { kind: 'result' }>[];
  /** Left out where nothing was sent that could have an outcome. */
  readonly transaction?: Facts<'transaction'>;
  /** Why what was committed may yet be lost. */
  readonly unproven?: string;
}

/** Attempts until it is committed, cannot be, or its retries are used up; the lanes stay open. */
export async function* runAttempts(
  context: RunContext,
  ready: ReadyTransaction,
  lanes: TransactionLanes,
  first: number,
): AsyncGenerator<Event, Ending> {
  const next = openAttempts(context, ready, lanes, first);
  for (;;) {
    const turn = await next();
    if ('retried' in turn) {
      yield { kind: 'retried', ...turn.retried };
      continue;
    }
    yield* turn.results;
    if (turn.transaction) yield { kind: 'transaction', ...turn.transaction };
    if (turn.unproven !== undefined) yield { kind: 'unproven', reason: turn.unproven };
    return turn.ending;
  }
}

/**
 * The attempts of one run: each call makes the next one, until a turn has an ending. Turns and no events one by one: on a
 * hot counter the steps of an async generator cost as much as the rest of an attempt.
 */
export function openAttempts(
  context: RunContext,
  ready: ReadyTransaction,
  { own, script }: TransactionLanes,
  first: number,
): () => Promise<Turn> {
  const { retry } = context.plan.request;
  const { step, contention } = ready;
  const noted = ready.call && contention.of(ready.name);
  let call = noted === 'refused' ? undefined : ready.call;
  let engine: TransactionEngine =
    call && (noted === 'contended' || ready.first === 'script') ? 'script' : step.native ? 'native' : 'watch';
  let switched: EngineSwitch | undefined;
  let attempts = 0;
  let conflicts = 0;
  let retries = 0;
  /** What comes before the next attempt. */
  let before: { readonly waitMs: number; readonly tried: Tried } | undefined;
  return async () => {
    if (before) await comeAgain(context, own, before);
    before = undefined;
    attempts += 1;
    const tried =
      engine === 'script' && call
        ? await attemptScript(context, script, step, call)
        : await attemptOnce(context, own, step);
    if ('leave' in tried) {
      // nothing was written, and WATCH is asked only once to go on
      if (tried.leave === 'NOPERM') contention.note(ready.name, 'refused');
      call = undefined;
      engine = 'watch';
      switched = { attempt: attempts + 1, reason: tried.leave };
      return { retried: { reason: tried.leave, attempt: attempts, wait_ms: 0 } };
    }
    const again = tried.outcome === 'conflict' || tried.outcome === 'redirected';
    if (!again || tried.fault?.code === 'drift' || retries >= retry.max_retries || context.signal.aborted) {
      const ran: Ran = switched ? { attempts, engine, switched } : { attempts, engine };
      const ending = endingOf(tried, again && context.signal.aborted);
      return conclude(ending, step, first, tried, ran, context.plan.target.server);
    }
    conflicts = tried.outcome === 'conflict' ? conflicts + 1 : 0;
    if (call && conflicts >= CONTENTION) {
      contention.note(ready.name, 'contended');
      engine = 'script';
      switched = { attempt: attempts + 1, reason: 'conflict' };
    }
    const waitMs = engine === 'script' && conflicts > 0 ? 0 : backoffMs(context, tried, retries);
    before = { waitMs, tried };
    retries += 1;
    const reason = tried.reason ?? tried.outcome ?? 'redirected';
    return { retried: { reason, attempt: attempts, wait_ms: Math.round(waitMs) } };
  };
}

function endingOf({ fault }: Tried, interrupted: boolean): Ending {
  if (interrupted) return { end: 'interrupted' };
  return fault ? { end: 'fault', fault } : { end: 'done' };
}

async function comeAgain(
  { clock, signal }: RunContext,
  own: OwnConnection,
  { waitMs, tried }: { readonly waitMs: number; readonly tried: Tried },
): Promise<void> {
  if (waitMs > 0) await clock.sleep(waitMs, signal).catch(() => undefined);
  if (tried.outcome === 'redirected') await own.moveOn(tried.fault);
}

/** A script has no conflicts, so it is not waited for; a server that is not ready is. */
function backoffMs({ plan }: RunContext, tried: Tried, retries: number): number {
  return waitBeforeRetry(tried.outcome === 'conflict' ? 'conflict' : 'redirected', retries, {
    roundTripMs: plan.execution_plan.round_trip_ms,
    baseMs: plan.request.retry.base_ms,
  });
}

type Ran = Pick<Facts<'transaction'>, 'attempts' | 'engine' | 'switched'>;

function conclude(
  ending: Ending,
  step: TransactionStep,
  first: number,
  tried: Tried,
  ran: Ran,
  server: { readonly replicas: number },
): Concluded {
  const { outcome, reads, found_by } = tried;
  const results = tried.settled.map((settled, index) =>
    resultEvent(first + index, step.steps[index]!.argv, tried.words[index] ?? [], settled),
  );
  if (!outcome) return { ending, results };
  // member by member: spreading what may be left out costs more than the rest of a run
  const transaction: { -readonly [Name in keyof Facts<'transaction'>]: Facts<'transaction'>[Name] } = {
    outcome,
    attempts: ran.attempts,
    engine: ran.engine,
  };
  if (ran.switched) transaction.switched = ran.switched;
  if (reads) transaction.reads = reads;
  if (found_by) transaction.found_by = found_by;
  if (outcome !== 'committed' && outcome !== 'partial') return { ending, results, transaction };
  const { replicas, replicated } = replicationOf(tried.replicas, step.wait, server);
  if (replicas !== undefined) transaction.replicas = replicas;
  if (replicated) transaction.replicated = replicated;
  const unproven = unreplicated(tried.replicas, step.wait);
  return unproven === undefined ? { ending, results, transaction } : { ending, results, transaction, unproven };
}
