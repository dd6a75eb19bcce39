/** The recipe for expiration: set, persist, get, audit. */
import { assertNever } from '../base/assert.ts';
import type { Draft } from '../plan/plan.ts';
import type { RequestOf } from '../plan/request.ts';
import type { CommandStep, KeysFile } from '../plan/step.ts';
import type { Target } from '../plan/target.ts';
import type { Argument } from '../plan/values.ts';
import { scanCount } from './batch-size.ts';
import { deadlineOf, pexpireat } from './deadline.ts';
import { job, pipeline } from './drafts.ts';
import { problem, type Result, refused } from './problem.ts';
import { conditionReasons, type Select, selectionOf } from './selection.ts';
import { olderThan } from './version.ts';

type Action<Name> = Extract<RequestOf<'expiration'>, { action: Name }>;

/** The draft of an expiration request, or why there is none. */
export function expiration(
  request: RequestOf<'expiration'>,
  target: Target | undefined,
  file?: KeysFile,
): Result<Draft> {
  switch (request.action) {
    case 'set': {
      const tooOld = atomicCondition(request, target);
      if (tooOld) return tooOld;
      const deadline = deadlineOf(request, { place: '', bulk: isBulk(request) });
      if (!('value' in deadline)) return deadline;
      return {
        value: onKeys(request, target, { file, step: (key) => pexpireat(key, deadline.value) }, deadline.value.reasons),
      };
    }
    case 'persist':
      return { value: onKeys(request, target, { file, step: persistStep }, [persistReason]) };
    case 'get': {
      const steps = request.keys.map((key): CommandStep => ({ kind: 'command', argv: ['PTTL', key] }));
      const reason = 'PTTL answers milliseconds to live, -1 without a TTL, -2 when the key is missing.';
      return { value: { ...pipeline(request, target, steps, [reason]), strategy: 'inspection' } };
    }
    case 'audit':
      return { value: audit(request) };
    default:
      return assertNever(request);
  }
}

/** PERSIST of one key or of the key of a job. */
export function persistStep(key: Argument): CommandStep {
  return { kind: 'command', argv: ['PERSIST', key] };
}

/** What PERSIST does to a key. */
export const persistReason = 'PERSIST removes the TTL: the key stays until it is deleted or evicted.';

function onKeys(
  request: Action<'set'> | Action<'persist'>,
  target: Target | undefined,
  { file, step }: { readonly file: KeysFile | undefined; readonly step: (key: Argument) => CommandStep },
  reasons: readonly string[],
): Draft {
  if (isBulk(request)) return job(request, target, selectionOf(named(request), file), step({ param: 'key' }), reasons);
  const steps = (request.keys ?? []).map(step);
  return pipeline(request, target, steps, [
    ...reasons,
    ...steps.slice(0, 1).flatMap((one) => conditionReasons(one, target)),
  ]);
}

/** Conditions before 7.0 come from a script a key, which MULTI/EXEC does not go through. */
function atomicCondition(request: Action<'set'>, target: Target | undefined): Result<Draft> | undefined {
  if (request.condition === undefined || !request.atomicity_required || !olderThan(target, '7.0')) return undefined;
  return refused(
    problem(
      'VER001',
      'condition',
      `the condition ${request.condition.toUpperCase()} of PEXPIREAT needs Redis 7.0 inside MULTI/EXEC, and the server is ${target?.server.redis_version}`,
      'Remove atomicity_required, or the condition, or use a server of 7.0 or later.',
      'On an older server a script tests and sets the TTL of each key by itself, one key after the other.',
    ),
  );
}

function audit(request: Action<'audit'>): Draft {
  const count = scanCount(request.performance_mode);
  return {
    request,
    strategy: 'inspection',
    steps: [{ kind: 'scan', selection: selectionOf(named(request)), count: count.size, collect: 'ttl' }],
    batch_size: count.size,
    reasons: ['SCAN and PTTL: the keys are counted by prefix and by TTL state; no value is read.', count.reason],
  };
}

/** `ttl` of an expiration request is what is set, not what is selected by. */
function named({ match, keys_file, type }: Pick<Select, 'match' | 'keys_file' | 'type'>): Select {
  return {
    ...(match === undefined ? {} : { match }),
    ...(keys_file === undefined ? {} : { keys_file }),
    ...(type === undefined ? {} : { type }),
  };
}

function isBulk({ match, keys_file }: Pick<Select, 'match' | 'keys_file'>): boolean {
  return match !== undefined || keys_file !== undefined;
}
