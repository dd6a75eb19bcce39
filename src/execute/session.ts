/**
 * A run's hold on the server: one leased connection at a time to each node, replaced when it is lost, always to the
 * process that was planned for (run_id): another process may hold other data, and a cursor of the first means nothing to
 * it. In a cluster a node that took over from another is not such a stranger; one that came back in a new process is.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { OpsError } from '../base/ops-error.ts';
import type { WireArgument } from '../formats/resp.ts';
import type { Plan } from '../plan/plan.ts';
import { sourcesBySha1 } from '../plan/script-sources.ts';
import type { Connection, Lease, LostConnection, Pipe, Route } from '../redis/connection.ts';
import { sendRouted } from '../redis/redirect.ts';
import type { Reply } from '../redis/reply.ts';
import { closeKept, reuse } from '../redis/reuse.ts';
import type { Contention } from './contention.ts';
import { createPace, type Pace } from './pace.ts';
import type { Progress } from './progress.ts';
import type { Parse } from './reads.ts';
import { isCluster } from './routing.ts';
import type { Steered } from './steered.ts';

interface PlannedNode {
  readonly address: string;
  readonly id: string;
  readonly run_id: string;
}

/** What a session keeps to: a plan has it all, and so has a stream of commands that is no plan. */
export interface SessionContext {
  readonly plan: {
    readonly request: {
      readonly retry: { readonly max_retries: number; readonly base_ms: number };
      readonly limits: { readonly rate?: number; readonly slo_p99_ms?: number };
      /** Texts of the scripts that EVALSHA among the commands calls. */
      readonly scripts?: readonly { readonly script?: Bytes }[];
    };
    /** run_id of the process that was planned for, of a cluster that of each node; empty when it is not known. */
    readonly target: { readonly server: { readonly run_id: string; readonly nodes?: readonly PlannedNode[] } };
  };
  readonly runId: string;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** What somebody wants of the run in motion; left out where nobody can say anything. */
  readonly steering?: Steered;
  /** Makes a record durable before it resolves; throws OpsError state when it cannot. Undefined: no journal is kept. */
  readonly journal: ((record: Readonly<Record<string, unknown>>) => Promise<void>) | undefined;
}

/** What every strategy needs. */
export interface RunContext extends SessionContext {
  readonly plan: Plan;
  /** Nothing that writes is sent. */
  readonly dryRun?: boolean;
  /** What streaming a file needs; left out where a plan may name no files. */
  readonly stream?: StreamTerms;
  /** Where the files of keys of a plan lie; left out where a plan may name none. */
  readonly pathOf?: (name: string) => string;
  /** Which transactions met conflicts, over all runs of the connection; left out: only this run's count. */
  readonly contention?: Contention;
  /** Parses expressions, for a transaction that runs many times; left out: anew each time. */
  readonly parse?: Parse;
  /** How far earlier attempts of this run came; left out at the first one. */
  readonly resumed?: Progress;
}

/** Where the files of a plan lie, and which of their commands may be sent. */
export interface StreamTerms {
  readonly pathOf: (name: string) => string;
  /** Why a command may not be sent; undefined when it may. */
  readonly admit: (argv: readonly WireArgument[]) => string | undefined;
  /** Nothing that writes is sent, so nothing has failed. */
  readonly dryRun: boolean;
}

/** How long a primary that cannot be reached may take to be replaced: cluster-node-timeout and an election, when set short. */
const TAKEOVER_MS = 10_000;

/** The leased connection of a run, and its pace. */
export class Session<Context extends SessionContext = RunContext> {
  readonly context: Context;
  /** True where commands have to be routed. */
  readonly cluster: boolean;
  /** The scripts of the request, by SHA1. */
  readonly scripts: ReadonlyMap<string, Bytes>;
  /** By address. */
  readonly #leases = new Map<string, Promise<Lease>>();
  readonly #bulks = new Map<string, Promise<Pipe>>();
  /** Commands that told of one node only. */
  readonly #partial = new Map<string, string>();
  /** Nodes whose replacement has been waited for: that is done once. */
  readonly #awaited = new Map<string, Promise<void>>();
  readonly #parent: Session<Context> | undefined;
  #closed = false;
  readonly #pace: Pace;
  #repeatedUnchanged = 0;

  /** `parent`: the session whose pace this one keeps to. */
  constructor(context: Context, parent?: Session<Context>) {
    this.context = context;
    this.#parent = parent;
    this.#pace = parent ? parent.#pace : createPace(context);
    this.cluster = isCluster(context.connection);
    this.scripts = parent?.scripts ?? sourcesBySha1(context.plan.request.scripts);
  }

  /** The connection to work on, in a cluster to the node of the route. Throws OpsError unreachable, or drift when another process answers. */
  lease(route: Route = {}): Promise<Lease> {
    return this.#reuse(this.#leases, route, () => this.context.connection.lease(this.#named(route)));
  }

  /** Sends one command that only reads, to the node of its keys. Throws like `lease`, or LostConnection. */
  async read(argv: readonly WireArgument[]): Promise<Reply> {
    if (!this.cluster) return (await this.lease()).send(argv);
    return sendRouted(
      (route) => this.lease(route),
      () => this.refresh(),
      argv,
    );
  }

  /** What reads keys wherever they are: the lease, or in a cluster each key's own. Throws like `lease`. */
  async reader(): Promise<Pick<Lease, 'send'>> {
    return this.cluster ? { send: (argv) => this.read(argv) } : this.lease();
  }

  /** The connection that batches go through, one at a time for each node. Throws like `lease`. */
  bulk(route: Route = {}): Promise<Pipe> {
    return this.#reuse(this.#bulks, route, () => this.context.connection.pipe(this.#named(route)));
  }

  /** On the server, whoever is on call sees whose connection it is. */
  #named(route: Route): Route {
    return { ...route, name: `redops:${this.context.runId}` };
  }

  /** Kept by the address that the route leads to. A slot may be served by the node that took over; an address is that node or none. */
  #reuse<Open extends Lease | Pipe>(
    kept: Map<string, Promise<Open>>,
    route: Route,
    open: () => Promise<Open>,
  ): Promise<Open> {
    const own = async (): Promise<Open> => {
      // a page that was asked for ahead of its need would else reconnect, and hold the process open
      if (this.#closed) throw new OpsError('interrupted', 'the run has ended');
      return ownProcess(this.context, await open());
    };
    const leadsThere = (one: Open): boolean => route.address === undefined || one.node.address === route.address;
    return reuse(kept, this.#address(route), own, this.cluster ? leadsThere : undefined);
  }

  #address({ slot, address }: Route): string {
    const { connection } = this.context;
    if (!this.cluster) return '';
    return address ?? (slot === undefined ? connection.nodes()[0] : connection.nodeOf(slot))?.address ?? '';
  }

  /** Asks again who serves what. A cluster that does not answer is met where it is next worked on. */
  async refresh(): Promise<void> {
    if (this.#closed) return;
    await this.context.connection.refresh().catch(() => undefined);
  }

  /** Gives a cluster the time to replace a primary that cannot be reached, once for each node. */
  awaitTakeover(address: string): Promise<void> {
    if (this.#parent) return this.#parent.awaitTakeover(address);
    if (!this.cluster || this.#closed) return Promise.resolve();
    const waiting = this.#awaited.get(address) ?? this.#takeover(address);
    this.#awaited.set(address, waiting);
    return waiting;
  }

  async #takeover(address: string): Promise<void> {
    const { connection, clock, signal } = this.context;
    const deadline = clock.monotonic() + TAKEOVER_MS;
    while (clock.monotonic() < deadline && !signal.aborted) {
      await this.refresh();
      if (connection.nodes().every((node) => node.address !== address)) return;
      await clock.sleep(200, signal).catch(() => undefined);
    }
  }

  /** Remembers that a command's answer tells of the node that gave it and not of the others. */
  toldByOne(command: string, address: string): void {
    (this.#parent ?? this).#partial.set(command, address);
  }

  /** Counts a command that was sent twice and whose second reply says that nothing changed: the first may have done it. */
  repeatedUnchanged(): void {
    if (this.#parent) this.#parent.repeatedUnchanged();
    else this.#repeatedUnchanged += 1;
  }

  /** Commands counted as unchanged of which that is not sure. */
  get unsureOfChange(): number {
    return this.#repeatedUnchanged;
  }

  /** What a run cannot vouch for where other servers can take over, in sentences. */
  async concerns(): Promise<readonly string[]> {
    const unconfirmed = await this.confirm().then(
      () => [],
      (error: unknown) => {
        if (!(error instanceof OpsError)) throw error;
        return [
          `${error.message}: what the server acknowledged since it was last confirmed as the primary may be lost`,
        ];
      },
    );
    return [...unconfirmed, ...(await this.#clusterConcerns())];
  }

  async #clusterConcerns(): Promise<readonly string[]> {
    const partial = [...this.#partial].map(
      ([command, address]) => `${command} was answered by one node of the cluster (${address}), not by all`,
    );
    const planned = this.context.plan.target.server.nodes;
    if (!this.cluster || !planned) return partial;
    await this.refresh();
    const now = new Set(this.context.connection.nodes().map((node) => node.id));
    const gone = planned.filter((node) => !now.has(node.id));
    return [
      ...partial,
      ...gone.map(
        ({ address }) =>
          `${address} served slots when this was planned and serves none now: if it failed rather than handed over, writes that it had just acknowledged may be lost`,
      ),
    ];
  }

  /** A connection for throughput, to the same process; the caller closes it. Throws like `lease`, after retries. */
  async pipe(route: Route = {}): Promise<Pipe> {
    const { retry } = this.context.plan.request;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await ownProcess(this.context, await this.context.connection.pipe(this.#named(route)));
      } catch (error) {
        const passing = error instanceof OpsError && error.code === 'unreachable';
        if (!passing || attempt >= retry.max_retries) throw error;
        if (route.address !== undefined) {
          await this.awaitTakeover(route.address);
          const { connection } = this.context;
          if (connection.nodes().every((node) => node.address !== route.address)) throw error;
        }
        await this.context.clock.sleep(backoffMs(attempt, retry.base_ms), this.context.signal);
      }
    }
  }

  /** Makes sure that what was acknowledged up to now was acknowledged by the primary. Throws like Connection.confirm. */
  confirm(): Promise<void> {
    return this.context.connection.confirm(this.context.plan.target.server.run_id);
  }

  /** Makes sure that what a lost connection was sent no longer runs. */
  end(lost: LostConnection): Promise<'ended' | 'unconfirmed'> {
    return this.context.connection.end(lost);
  }

  /** Waits until `commands` more may be sent: while the run is paused, and for its rate. Rejects when the run is interrupted. */
  pace(commands: number): Promise<void> {
    return this.#pace.before(commands);
  }

  /** Waits while the run is paused. Rejects when it is interrupted. */
  async hold(): Promise<void> {
    await this.context.steering?.hold(this.context.signal);
  }

  /** The largest batch that keeps a rate smooth: a tenth of a second's worth. */
  batchSize(planned: number): number {
    const { rate } = this.#pace;
    return rate === undefined ? planned : Math.max(1, Math.min(planned, Math.ceil(rate / 10)));
  }

  /** True once nothing is asked any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Closes its connections, and opens no more. */
  async close(): Promise<void> {
    this.#closed = true;
    await closeKept(this.#leases);
    await closeKept(this.#bulks);
  }
}

/** The connection, if it leads to the process that was planned for; else it is closed and `restarted` thrown. */
export async function ownProcess<Open extends Lease | Pipe>(context: SessionContext, open: Open): Promise<Open> {
  const planned = plannedProcess(context, open.node.id);
  if (planned === undefined || planned === '' || open.runId === undefined || open.runId === planned) return open;
  await open.close();
  throw restarted();
}

/** run_id of the process that was planned for; undefined for a cluster's node that served nothing then. */
export function plannedProcess(context: SessionContext, id: string | undefined): string | undefined {
  const { run_id, nodes } = context.plan.target.server;
  return nodes ? nodes.find((node) => node.id === id)?.run_id : run_id;
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
