/**
 * A transaction that is planned, judged and allowed once, and run many times: a hot counter cannot pay for that at each
 * increment. It stays what was planned: the same steps on the same server process; another process is drift. WATCH has
 * a connection of its own for each run that is in motion, the script one that all share.
 */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { type Granted, grantsOf } from './approval.ts';
import { systemClock } from './base/clock.ts';
import { OpsError } from './base/ops-error.ts';
import type { Contention } from './execute/contention.ts';
import { OwnConnection, slotOfStep } from './execute/own-connection.ts';
import type { Parse } from './execute/reads.ts';
import { type RunContext, Session } from './execute/session.ts';
import { type Concluded, openAttempts, type ReadyTransaction, readyTransaction } from './execute/transaction.ts';
import { parseExpression } from './formats/expr.ts';
import { decide } from './lint/policy.ts';
import type { Plan } from './plan/plan.ts';
import type { CommandResult, EngineSwitch, TransactionEngine, TransactionOutcome } from './plan/report.ts';
import type { ReplyValue } from './plan/values.ts';
import type { Connection, Lease } from './redis/connection.ts';
import { appendAudit } from './state/audit.ts';

/** What is granted once, for every run; a signed approval is for one run, so it is not taken here. */
export interface PrepareOptions extends Omit<Granted, 'approval'> {
  /** Connections of WATCH at most (64 when left out): further runs wait for one. */
  readonly connections?: number;
}

/** How one run ended; the words are those of a report. */
export interface PreparedOutcome {
  readonly outcome: TransactionOutcome;
  readonly attempts: number;
  readonly engine: TransactionEngine;
  readonly switched?: EngineSwitch;
  readonly reads?: Readonly<Record<string, ReplyValue>>;
  readonly results: readonly CommandResult[];
  /** As in a report: the replicas that confirmed it, where they were asked and answered. */
  readonly replicas?: number;
  readonly replicated?: 'confirmed' | 'not_known';
  readonly found_by?: 'marker';
  /** Why what was committed may yet be lost: too few replicas confirmed it, or nobody that the server still is the primary. */
  readonly unproven?: string;
}

/** A transaction that is ready to run. */
export interface PreparedTransaction {
  readonly plan: Plan;
  /** Runs it once. Rejects with OpsError drift (another server process), interrupted (the signal, or closed), unreachable. */
  run(options?: { readonly signal?: AbortSignal }): Promise<PreparedOutcome>;
  /** Closes its connections; runs in motion end first. */
  close(): Promise<void>;
}

/** What preparing needs of its agent. */
export interface PrepareSettings {
  /** undefined: it was not made here, so nobody knows that it is what it says. */
  readonly plan: Plan | undefined;
  readonly target: { readonly name: string; readonly tag: 'dev' | 'production' };
  readonly connection: Connection;
  readonly contention: Contention;
  readonly stateDir: string | undefined;
}

/** Allows the plan of a transaction once. Rejects with OpsError usage (no transaction) or refused (the policy, or a missing grant). */
export async function prepare(settings: PrepareSettings, options: PrepareOptions): Promise<PreparedTransaction> {
  const { plan, target, stateDir } = settings;
  if (!plan)
    throw new OpsError('usage', 'only a plan that was made on this connection can be prepared', {
      remedy: 'Plan the request here, and prepare that plan.',
    });
  const [step, ...others] = plan.execution_plan.steps;
  if (step?.kind !== 'transaction' || others.length > 0)
    throw new OpsError('usage', 'only a transaction can be prepared', { remedy: 'Use apply for this request.' });
  const decision = decide(plan, grantsOf(options, target));
  if (stateDir)
    await appendAudit(stateDir, {
      event: 'prepare',
      decision: decision.decision,
      digest: plan.digest,
      target: target.name,
      tag: target.tag,
    });
  if (decision.decision === 'refuse')
    throw new OpsError('refused', decision.diagnostics[0]!.message, { remedy: decision.diagnostics[0]!.fix });
  if (decision.decision === 'ask')
    throw new OpsError('refused', decision.reason, { remedy: 'Pass yes, or typedName where that is asked for.' });
  const context: RunContext = {
    plan,
    runId: 'transaction',
    connection: settings.connection,
    clock: systemClock,
    signal: unlimited(new AbortController().signal),
    journal: undefined,
    parse: rememberParsed(),
  };
  const ready = readyTransaction(context, step, settings.contention);
  return openPrepared(context, ready, options.connections ?? 64, settings);
}

/** Every run that waits listens to it. */
function unlimited(signal: AbortSignal): AbortSignal {
  setMaxListeners(0, signal);
  return signal;
}

/** Each expression is parsed once: the step never changes. */
function rememberParsed(): Parse {
  const parsed = new Map<string, ReturnType<Parse>>();
  return (source) => {
    const known = parsed.get(source) ?? parseExpression(source);
    parsed.set(source, known);
    return known;
  };
}

function openPrepared(
  context: RunContext,
  ready: ReadyTransaction,
  most: number,
  { stateDir, target }: PrepareSettings,
): PreparedTransaction {
  const { plan } = context;
  const slot = slotOfStep(ready.step);
  const session = new Session(context);
  const lanes = openLanes(most, () => new OwnConnection(context, slot, randomUUID()));
  const script = sharedLease(session, slot);
  const outcomes: Partial<Record<TransactionOutcome, number>> = {};
  let moving = 0;
  let rested: (() => void) | undefined;
  let closed = false;
  const runOnce = async (signal: AbortSignal | undefined): Promise<PreparedOutcome> => {
    const own = lanes.idle() ?? (await lanes.wait());
    try {
      const within = signal ? { ...context, signal } : context;
      const next = openAttempts(within, ready, { own, script }, 0);
      let turn = await next();
      while ('retried' in turn) turn = await next();
      const ended = outcomeOf(turn);
      outcomes[ended.outcome] = (outcomes[ended.outcome] ?? 0) + 1;
      const applied = ended.outcome === 'committed' || ended.outcome === 'partial';
      return applied ? await confirmed(context, ended) : ended;
    } finally {
      lanes.give(own);
      moving -= 1;
      if (moving === 0) rested?.();
    }
  };
  return {
    plan,
    run: ({ signal } = {}) => {
      if (closed || signal?.aborted)
        return Promise.reject(
          new OpsError('interrupted', closed ? 'the transaction was closed' : 'the run was aborted'),
        );
      moving += 1;
      return runOnce(signal);
    },
    close: async () => {
      if (closed) return;
      closed = true;
      if (moving > 0)
        await new Promise<void>((resolve) => {
          rested = resolve;
        });
      await lanes.close();
      await session.close();
      if (stateDir)
        await appendAudit(stateDir, { event: 'prepared_end', digest: plan.digest, target: target.name, outcomes });
    },
  };
}

/** The connection of the script, which all runs share. On a single server it is looked up once, until it is lost. */
function sharedLease(session: Session, slot: number | undefined): () => Lease | Promise<Lease> {
  if (session.cluster) return () => session.lease(slot === undefined ? {} : { slot });
  let kept: Lease | undefined;
  const open = async (): Promise<Lease> => {
    kept = await session.lease();
    return kept;
  };
  return () => (kept && !kept.lost ? kept : open());
}

/** Throws what ended the run before it came to an outcome. */
function outcomeOf({ ending, results, transaction, unproven }: Concluded): PreparedOutcome {
  if (ending.end === 'fault' && (ending.fault.code === 'drift' || !transaction)) throw ending.fault;
  if (!transaction) throw new OpsError('interrupted', 'the run ended before it had an outcome');
  // the run's own object, and assigning is cheaper than a copy
  const outcome = Object.assign(transaction, { results: results.map(({ result }) => result) });
  return unproven === undefined ? outcome : Object.assign(outcome, { unproven });
}

/** Where Sentinels name the primary, an acknowledgement counts once they still name the one that gave it. */
function confirmed({ connection, plan }: RunContext, ended: PreparedOutcome): Promise<PreparedOutcome> {
  return connection.confirm(plan.target.server.run_id).then(
    () => ended,
    (error: unknown) => {
      if (!(error instanceof OpsError)) throw error;
      return { ...ended, unproven: `${error.message}: what the server acknowledged may be lost` };
    },
  );
}

interface Lanes {
  /** One that nobody uses, where there is one or may be one more. */
  idle(): OwnConnection | undefined;
  /** The next one that is given back. */
  wait(): Promise<OwnConnection>;
  give(one: OwnConnection): void;
  close(): Promise<void>;
}

/** At most so many connections, each opened when a run first uses it; whoever finds none waits, first come first served. */
function openLanes(most: number, make: () => OwnConnection): Lanes {
  const all: OwnConnection[] = [];
  const idle: OwnConnection[] = [];
  const waiting: ((one: OwnConnection) => void)[] = [];
  return {
    idle: () => {
      const free = idle.pop();
      if (free || all.length >= most) return free;
      const one = make();
      all.push(one);
      return one;
    },
    wait: () => new Promise((resolve) => waiting.push(resolve)),
    give: (one) => {
      const next = waiting.shift();
      if (next) next(one);
      else idle.push(one);
    },
    close: async () => {
      await Promise.all(all.map((one) => one.close()));
    },
  };
}
