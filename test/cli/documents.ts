/** A plan and reports of a fixed shape, so that views and the command line can be tested without a server. */
import type { Diagnostic } from '../../src/plan/diagnostic.ts';
import type { ExecutionPlan, Plan } from '../../src/plan/plan.ts';
import { Request, type RequestInput } from '../../src/plan/request.ts';
import type { Target } from '../../src/plan/target.ts';

/** A digest of the right shape. */
export const someDigest = `sha256:3f2a9c1b7d4e${'0'.repeat(52)}`;

/** A target with 1,203,441 keys, one sampled selection, tagged nowhere. */
export function someTarget(changes: Partial<Target> = {}): Target {
  return {
    identity: { topology: 'standalone', id: 'a'.repeat(40), database: 0, user: 'default' },
    name: 'cache',
    server: {
      engine: 'valkey',
      version: '8.1.1',
      redis_version: '7.2.4',
      run_id: 'b'.repeat(40),
      time_ms: 1_800_000_000_000,
      role: 'master',
      replicas: 1,
      cluster: false,
      loopback: false,
      keys: 1_203_441,
      keys_with_ttl: 400_000,
      used_memory: 734_003_200,
      maxmemory: 0,
      maxmemory_policy: 'noeviction',
      lazyfree: { del: true, expire: true, server_del: true, flush: true },
      round_trip_ms: 0.12,
    },
    keys: [],
    selections: [
      {
        selection: { match: 'session:*' },
        basis: 'sampled',
        keys: 500_000,
        low: 490_000,
        high: 510_000,
        visited: 20_000,
        samples: [
          { key: 'session:1', exists: true, type: 'string', elements: 34, bytes: 88, ttl_ms: 300_000 },
          { key: 'session:\u001b[2Jx', exists: true, type: 'hash', elements: 5, bytes: 2048, ttl_ms: -1 },
        ],
        with_ttl: 0.5,
        largest: 34,
      },
    ],
    scripts: [],
    ...changes,
  };
}

/** A warning of lint. */
export function someDiagnostic(changes: Partial<Diagnostic> = {}): Diagnostic {
  return {
    code: 'DEL001',
    severity: 'warning',
    message: 'DEL of a hash of 1,000,000 fields holds the server',
    at: 'commands[0]',
    why: 'DEL frees the value on the main thread: about 400 ms in which no other client is served.',
    fix: 'Use UNLINK, which frees the memory in another thread.',
    url: 'docs/rules/DEL001.md',
    ...changes,
  };
}

/** The plan of unlinking session:* on `someTarget`; parts of it replaced. */
export function somePlan(
  changes: Partial<Omit<Plan, 'execution_plan' | 'request'>> & {
    readonly request?: RequestInput;
    readonly execution_plan?: Partial<ExecutionPlan>;
  } = {},
): Plan {
  const { request, execution_plan, ...rest } = changes;
  const input = request ?? { operation_type: 'batch', select: { match: 'session:*' }, do: { action: 'unlink' } };
  return {
    version: 1,
    digest: someDigest,
    request: Request.parse(input),
    target: someTarget(),
    commands: [{ argv: ['UNLINK', { param: 'key' }] }],
    execution_plan: {
      strategy: 'scan_job',
      steps: [
        {
          kind: 'for_each',
          selection: { match: 'session:*' },
          count: 1000,
          batch_size: 500,
          do: { kind: 'command', argv: ['UNLINK', { param: 'key' }] },
        },
      ],
      batch_size: 500,
      in_flight: 4,
      round_trips: 2204,
      round_trip_ms: 0.12,
      atomic: false,
      idempotent: true,
      reversible: false,
      destructive: true,
      writes: true,
      reasons: ['UNLINK, not DEL: the memory of a large collection is freed by another thread.'],
      retry: { max_retries: 3, backoff: 'exponential', base_ms: 500, retry_on: ['connection_timeout', 'BUSY'] },
      estimate: {
        keys: 500_000,
        basis: 'sampled',
        low: 490_000,
        high: 510_000,
        server_ms: 900,
        server_ms_low: 450,
        server_ms_high: 1800,
        costs: 'default',
        bytes_out: 20_000_000,
        bytes_in: 9_000_000,
        duration_ms: 1850,
      },
      permissions: ['+scan', '+unlink', '+info', '~session:*'],
      min_version: { redis: '6.0', valkey: '7.2' },
      ...execution_plan,
    },
    estimated_ops: 1_703_441,
    warnings: [],
    unchecked: [],
    ...rest,
  };
}
