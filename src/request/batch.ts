/** The recipe for batch: unlink, expire or persist every key that matches, as a scan job. */
import { assertNever } from '../base/assert.ts';
import type { Draft } from '../plan/plan.ts';
import type { RequestOf } from '../plan/request.ts';
import type { Target } from '../plan/target.ts';
import { deadlineOf, pexpireat } from './deadline.ts';
import { job } from './drafts.ts';
import { persistReason, persistStep } from './expiration.ts';
import { unlinkReason } from './key-management.ts';
import type { Result } from './problem.ts';

/** The draft of a batch request, or why there is none. */
export function batch(request: RequestOf<'batch'>, target: Target | undefined): Result<Draft> {
  const { select } = request;
  const key = { param: 'key' } as const;
  switch (request.do.action) {
    case 'unlink':
      return { value: job(request, target, select, { kind: 'command', argv: ['UNLINK', key] }, [unlinkReason]) };
    case 'persist':
      return { value: job(request, target, select, persistStep(key), [persistReason]) };
    case 'expire': {
      const deadline = deadlineOf(request.do, { place: 'do.', bulk: true, target });
      if (!('value' in deadline)) return deadline;
      return { value: job(request, target, select, pexpireat(key, deadline.value), deadline.value.reasons) };
    }
    default:
      return assertNever(request.do);
  }
}
