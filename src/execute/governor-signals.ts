/**
 * What a server says of itself that a run should yield to, from INFO: replicas that do not keep up, memory that is freed
 * later than it is given up, a full memory, a fork that copies what is written, replies that nobody reads. Each begins at
 * one value and ends at a lower one, so that it does not flutter.
 */
import { type ReplicaLag, replicaLag } from '../inspect/replica-lag.ts';
import { guards } from '../plan/guards.ts';
import type { YieldReason } from '../plan/report.ts';
import type { Mode } from './window.ts';

/** What INFO said. What a server does not tell is 0. */
export interface Signals extends ReplicaLag {
  /** Bytes that wait in the output buffers of replicas. */
  readonly replicaBuffers: number;
  readonly lazyfreePending: number;
  /** used_memory of maxmemory; 0 without a limit. */
  readonly memoryUsed: number;
  readonly forking: boolean;
  /** The largest output buffer of a client, in bytes. */
  readonly outputBuffer: number;
}

/** What a run yields to now, and the share of the server's time that is left to it: 0 is a pause. */
export interface Yield {
  readonly reason: YieldReason;
  readonly share: number;
}

interface Rule extends Yield {
  /** How bad it is; 1 and more begins the yielding. */
  readonly level: (signals: Signals) => number;
  /** Below this level it ends. */
  readonly ends: number;
  /** Modes that do not yield to it. */
  readonly except?: Mode;
}

const rules: readonly Rule[] = [
  {
    reason: 'replica_lag',
    share: 0,
    level: ({ bytesBehind, silentSeconds, replicaBuffers }) =>
      Math.max(
        bytesBehind / guards.bytesBehind,
        silentSeconds / guards.silentSeconds,
        replicaBuffers / guards.replicaBuffers,
      ),
    ends: 0.5,
  },
  // one such object has more than 64 elements: ten thousand of them are seconds of another thread's work
  { reason: 'lazyfree', share: 0, level: ({ lazyfreePending }) => lazyfreePending / 10_000, ends: 0.5 },
  { reason: 'output_buffers', share: 0.25, level: ({ outputBuffer }) => outputBuffer / guards.outputBuffer, ends: 0.5 },
  {
    reason: 'memory',
    share: 0.25,
    level: ({ memoryUsed }) => memoryUsed / 0.95,
    ends: 0.98,
    except: 'throughput_optimized',
  },
  // every page written while a child saves is copied
  { reason: 'fork', share: 0.5, level: ({ forking }) => (forking ? 1 : 0), ends: 1, except: 'throughput_optimized' },
];

/** Reads the fields of INFO replication, memory, persistence and clients. */
export function readSignals(fields: ReadonlyMap<string, string>): Signals {
  const number = (name: string): number => Number(fields.get(name) ?? 0) || 0;
  const maxmemory = number('maxmemory');
  return {
    ...replicaLag(fields),
    replicaBuffers: number('mem_clients_slaves'),
    lazyfreePending: number('lazyfree_pending_objects'),
    memoryUsed: maxmemory > 0 ? number('used_memory') / maxmemory : 0,
    forking: number('rdb_bgsave_in_progress') + number('aof_rewrite_in_progress') > 0,
    outputBuffer: number('client_recent_max_output_buffer'),
  };
}

/** What to yield to, given what was yielded to before. */
export function yieldsTo(signals: Signals, before: readonly Yield[], mode: Mode): readonly Yield[] {
  return rules
    .filter((rule) => rule.except !== mode)
    .filter(({ reason, level, ends }) => {
      const now = level(signals);
      return now >= 1 || (now >= ends && before.some((one) => one.reason === reason));
    })
    .map(({ reason, share }) => ({ reason, share }));
}
