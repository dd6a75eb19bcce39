import { describe, expect, it } from 'vitest';
import { infoFields } from '../inspect/info.ts';
import { readSignals, type Signals, type Yield, yieldsTo } from './governor-signals.ts';

const quiet = readSignals(new Map());
const MB = 1024 * 1024;
const reasons = (signals: Partial<Signals>, before: readonly Yield[] = [], mode = 'balanced' as const) =>
  yieldsTo({ ...quiet, ...signals }, before, mode).map(({ reason }) => reason);

describe('readSignals', () => {
  it('reads what INFO says of replicas, memory, forks and output buffers', () => {
    const text = [
      '# Replication',
      'master_repl_offset:5000',
      'slave0:ip=127.0.0.1,port=7001,state=online,offset=4900,lag=0',
      'slave1:ip=127.0.0.1,port=7002,state=online,offset=1000,lag=7',
      'slave2:ip=127.0.0.1,port=7003,state=wait_bgsave,offset=0,lag=99',
      'slave_read_repl_offset:5000',
      'used_memory:950',
      'maxmemory:1000',
      'mem_clients_slaves:20504',
      'lazyfree_pending_objects:12',
      'rdb_bgsave_in_progress:0',
      'aof_rewrite_in_progress:1',
      'client_recent_max_output_buffer:77',
    ].join('\r\n');
    expect(readSignals(infoFields(text))).toEqual({
      bytesBehind: 4000,
      silentSeconds: 7,
      replicaBuffers: 20504,
      lazyfreePending: 12,
      memoryUsed: 0.95,
      forking: true,
      outputBuffer: 77,
    });
  });

  it('does not call a silent replica late that has everything', () => {
    const fields = new Map([
      ['master_repl_offset', '10'],
      ['slave0', 'ip=::1,port=1,state=online,offset=10,lag=9'],
    ]);
    expect(readSignals(fields).silentSeconds).toBe(0);
  });

  it('takes what is missing for nothing', () => {
    expect(yieldsTo(quiet, [], 'balanced')).toEqual([]);
  });
});

describe('yieldsTo', () => {
  it.each([
    ['replica_lag', { bytesBehind: 32 * MB }, { bytesBehind: 16 * MB }, { bytesBehind: 15 * MB }],
    ['replica_lag', { silentSeconds: 3 }, { silentSeconds: 2 }, { silentSeconds: 1 }],
    ['replica_lag', { replicaBuffers: 16 * MB }, { replicaBuffers: 8 * MB }, { replicaBuffers: 7 * MB }],
    ['lazyfree', { lazyfreePending: 10_000 }, { lazyfreePending: 5000 }, { lazyfreePending: 4999 }],
    ['output_buffers', { outputBuffer: 64 * MB }, { outputBuffer: 32 * MB }, { outputBuffer: 31 * MB }],
    ['memory', { memoryUsed: 0.951 }, { memoryUsed: 0.94 }, { memoryUsed: 0.92 }],
  ] as const)('yields to %s at %j, still at %j, no more at %j', (reason, at, still, ended) => {
    const before = yieldsTo({ ...quiet, ...at }, [], 'balanced');
    expect(before.map((one) => one.reason)).toEqual([reason]);
    expect(reasons(still, before)).toEqual([reason]);
    expect(reasons(still)).toEqual([]);
    expect(reasons(ended, before)).toEqual([]);
  });

  it('yields to a fork while it lasts, and to what else there is', () => {
    const before = yieldsTo({ ...quiet, forking: true, memoryUsed: 1 }, [], 'balanced');
    expect(before).toEqual([
      { reason: 'memory', share: 0.25 },
      { reason: 'fork', share: 0.5 },
    ]);
    expect(reasons({}, before)).toEqual([]);
  });

  it('leaves throughput_optimized to yield only to what would fail otherwise', () => {
    const all = { ...quiet, forking: true, memoryUsed: 1, lazyfreePending: 1e6, silentSeconds: 5 };
    expect(yieldsTo(all, [], 'throughput_optimized').map(({ reason }) => reason)).toEqual(['replica_lag', 'lazyfree']);
  });
});
