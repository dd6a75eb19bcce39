/**
 * A run's hold on the server: one leased connection at a time, replaced when it is lost, always to the process that was
 * planned for (run_id): another process may hold other data, and a cursor of the first means nothing to it.
 */
import type { Clock } from '../base/clock.ts';
import { OpsError } from '../base/ops-error.ts';
import type { WireArgument } from '../formats/resp.ts';
import type { Plan } from '../plan/plan.ts';
import type { Connection, Lease, LostConnection, Pipe } from '../redis/connection.ts';

/** What a session keeps to: a plan has it all, and so has a stream of commands that is no plan. */
export interface SessionContext {
  readonly plan: {
    readonly request: {
      readonly retry: { readonly max_retries: number; readonly base_ms: number };
      readonly limits: { readonly rate?: number };
    };
    /** run_id of the process that was planned for; empty when it is not known. */
    readonly target: { readonly server: { readonly run_id: string } };
  };
  readonly runId: string;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Makes a record durable before it resolves; throws OpsError state when it cannot. Undefined: no journal is kept. */
  readonly journal: ((record: Readonly<Record<string, unknown>>) => Promise<void>) | undefined;
}

/** What every strategy needs. */
export interface RunContext extends SessionContext {
  readonly plan: Plan;
  /** What streaming a file needs; left out where a plan may name no files. */
  readonly stream?: StreamTerms;
}

/** Where the files of a plan lie, and which of their commands may be sent. */
export interface StreamTerms {
  readonly pathOf: (name: string) => string;
  /** Why a command may not be sent; undefined when it may. */
  readonly admit: (argv: readonly WireArgument[]) => string | undefined;
  /** Nothing that writes is sent, so nothing has failed. */
  readonly dryRun: boolean;
}

/** The leased connection of a run, and its pace. */
export class Session<Context extends SessionContext = RunContext> {
  readonly context: Context;
  #lease: Lease | undefined;
  #bulk: Pipe | undefined;
  #paidUntil = 0;

  constructor(context: Context) {
    this.context = context;
  }

  /** The connection to work on. Throws OpsError unreachable, or drift when another process answers. */
  async lease(): Promise<Lease> {
    if (this.#lease && !this.#lease.lost) return this.#lease;
    this.#lease = await ownProcess(this.context, await this.context.connection.lease());
    return this.#lease;
  }

  /** The connection that batches go through, one at a time. Throws like `lease`. */
  async bulk(): Promise<Pipe> {
    if (this.#bulk && !this.#bulk.lost) return this.#bulk;
    this.#bulk = await ownProcess(this.context, await this.context.connection.pipe());
    return this.#bulk;
  }

  /** A connection for throughput, to the same process; the caller closes it. Throws like `lease`, after retries. */
  async pipe(): Promise<Pipe> {
    const { retry } = this.context.plan.request;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await ownProcess(this.context, await this.context.connection.pipe());
      } catch (error) {
        const passing = error instanceof OpsError && error.code === 'unreachable';
        if (!passing || attempt >= retry.max_retries) throw error;
        await this.context.clock.sleep(backoffMs(attempt, retry.base_ms), this.context.signal);
      }
    }
  }

  /** Makes sure that what a lost connection was sent no longer runs. */
  end(lost: LostConnection): Promise<'ended' | 'unconfirmed'> {
    return this.context.connection.end(lost);
  }

  /** Waits until `commands` more may be sent under limits.rate. Rejects when the run is interrupted. */
  async pace(commands: number): Promise<void> {
    const { rate } = this.context.plan.request.limits;
    if (rate === undefined) return;
    const now = this.context.clock.monotonic();
    const start = Math.max(now, this.#paidUntil);
    this.#paidUntil = start + (commands / rate) * 1000;
    if (start > now) await this.context.clock.sleep(start - now, this.context.signal);
  }

  /** The largest batch that keeps a rate smooth: a tenth of a second's worth. */
  batchSize(planned: number): number {
    const { rate } = this.context.plan.request.limits;
    return rate === undefined ? planned : Math.max(1, Math.min(planned, Math.ceil(rate / 10)));
  }

  async close(): Promise<void> {
    await this.#lease?.close();
    await this.#bulk?.close();
  }
}

/** The connection, if it leads to the process that was planned for; else it is closed and `restarted` thrown. */
export async function ownProcess<Open extends Lease | Pipe>(context: SessionContext, open: Open): Promise<Open> {
  const planned = context.plan.target.server.run_id;
  if (planned === '' || open.runId === undefined || open.runId === planned) return open;
  await open.close();
  throw restarted();
}

/** True for what a wait throws when the run is interrupted, whatever reason the caller aborted with. */
export function isInterruption(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted && (error === signal.reason || !(error instanceof OpsError));
}

/** The fault of meeting another server process than the planned one. */
export function restarted(): OpsError {
  return new OpsError(
    'drift',
    'another server process answers than the one that was planned for (its run_id changed)',
    {
      remedy: 'The server was restarted or replaced. Look at its data, then plan again.',
    },
  );
}

/** Milliseconds to wait before retry number `attempt` (from 0): exponential with full jitter, at most 30 s. */
export function backoffMs(attempt: number, baseMs: number, capMs = 30_000): number {
  return Math.random() * Math.min(capMs, baseMs * 2 ** attempt);
}
