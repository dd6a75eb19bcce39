/** A target as inspection would give it, for tests of the pure stages: one place to follow the schema when it grows. */
import type { KeyFacts, SelectionFacts, Target } from '../../src/plan/target.ts';

/** A plain Redis 7.0.15 on loopback, changed by what is given. */
export function targetWith(
  change: {
    readonly server?: Partial<Target['server']>;
    readonly keys?: readonly KeyFacts[];
    readonly selections?: readonly SelectionFacts[];
    readonly scripts?: readonly string[];
  } = {},
): Target {
  return {
    identity: {
      topology: change.server?.cluster === true ? 'cluster' : 'standalone',
      id: 'a1',
      database: 0,
      user: 'default',
    },
    name: 'test',
    server: { ...plainServer, ...change.server },
    keys: [...(change.keys ?? [])],
    selections: [...(change.selections ?? [])],
    scripts: [...(change.scripts ?? [])],
  };
}

const plainServer: Target['server'] = {
  engine: 'redis',
  version: '7.0.15',
  redis_version: '7.0.15',
  run_id: 'b2',
  time_ms: 1_750_000_000_000,
  role: 'master',
  replicas: 0,
  cluster: false,
  loopback: true,
  keys: 1000,
  keys_with_ttl: 0,
  used_memory: 1_000_000,
  maxmemory: 0,
  maxmemory_policy: 'noeviction',
  lazyfree: { del: false, expire: false, server_del: false, flush: false },
  round_trip_ms: 0.1,
};

/** Facts of a key that exists, without a TTL. */
export function keyFacts(key: string, type: string, elements: number, change: Partial<KeyFacts> = {}): KeyFacts {
  return { key, exists: true, type, elements, bytes: elements * 64, ttl_ms: -1, ...change };
}
