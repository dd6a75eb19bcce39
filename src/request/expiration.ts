/** The recipe for expiration: set, persist, get, audit. */
import { assertNever } from '../base/assert.ts';
import type { Draft } from '../plan/plan.ts';
import type { RequestOf } from '../plan/request.ts';
import type { CommandStep, Selection } from '../plan/step.ts';
import type { Target } from '../plan/target.ts';
import type { Argument } from '../plan/values.ts';
import { scanCount } from './batch-size.ts';
import { deadlineOf, pexpireat } from './deadline.ts';
import { job, pipeline } from './drafts.ts';
import type { Result } from './problem.ts';

type Action<Name> = Extract<RequestOf<'expiration'>, { action: Name }>;

/** The draft of an expiration request, or why there is none. */
export function expiration(request: RequestOf<'expiration'>, target: Target | undefined): Result<Draft> {
  switch (request.action) {
    case 'set': {
      const deadline = deadlineOf(request, { place: '', bulk: request.match !== undefined, target });
      if (!('value' in deadline)) return deadline;
      return { value: onKeys(request, target, (key) => pexpireat(key, deadline.value), deadline.value.reasons) };
    }
    case 'persist':
      return { value: onKeys(request, target, persistStep, [persistReason]) };
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
  step: (key: Argument) => CommandStep,
  reasons: readonly string[],
): Draft {
  if (request.match !== undefined) return job(request, target, selectionOf(request), step({ param: 'key' }), reasons);
  return pipeline(request, target, (request.keys ?? []).map(step), reasons);
}

function audit(request: Action<'audit'>): Draft {
  const count = scanCount(request.performance_mode);
  return {
    request,
    strategy: 'inspection',
    steps: [{ kind: 'scan', selection: selectionOf(request), count: count.size, collect: 'ttl' }],
    batch_size: count.size,
    reasons: ['SCAN and PTTL: the keys are counted by prefix and by TTL state; no value is read.', count.reason],
  };
}

function selectionOf(request: { readonly match?: Selection['match']; readonly type?: Selection['type'] }): Selection {
  const match = request.match ?? '*';
  return request.type === undefined ? { match } : { match, type: request.type };
}
