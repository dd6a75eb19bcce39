/** How many keys a job may act on: what the plan foresaw and what the request allows, counted before anything is sent. */
import { OpsError } from '../base/ops-error.ts';
import { formatCount } from '../base/units.ts';
import { problem } from './outcome.ts';
import type { Session } from './session.ts';

/** The keys that a job stops at. */
export function keyLimit({ context: { plan } }: Session): number {
  return Math.min(plan.request.limits.max_keys ?? Number.POSITIVE_INFINITY, foreseen(plan.execution_plan.estimate));
}

/** Why the job must not act on this many keys: the plan foresaw fewer (E233), or the request allows fewer (E234). */
export function overLimit({ context: { plan } }: Session, keys: number): OpsError | undefined {
  const planned = plan.execution_plan.estimate;
  const cap = plan.request.limits.max_keys;
  if (cap !== undefined && keys > cap) {
    const { message } = problem('E234', `limits.max_keys is ${formatCount(cap)}, and the next page would go over it`);
    return new OpsError('refused', message, { remedy: 'Raise limits.max_keys, or select fewer keys.', reply: 'E234' });
  }
  const drift = foreseen(planned);
  if (keys <= drift) return undefined;
  return new OpsError(
    'drift',
    `the plan foresaw at most ${formatCount(planned.high)} keys, and more than ${formatCount(drift)} match`,
    {
      remedy: 'The data has changed since planning. Plan again.',
      reply: 'E233',
    },
  );
}

function foreseen({ keys, high }: { readonly keys: number; readonly high: number }): number {
  return Math.max(high, Math.floor(keys * 1.1));
}
