/**
 * The server of a scan job has become a replica: from then on it refuses every write, and what it lists is another one's
 * data. Outside a cluster, where the job would have gone to the new primary, it ends there and can be resumed.
 */
import { OpsError } from '../base/ops-error.ts';
import type { CommandResult } from '../plan/report.ts';

type Refusable = Pick<CommandResult, 'outcome' | 'error'>;

/** True for a write that was refused because the server is a replica: it was not applied. */
export function isDemotion({ outcome, error }: Refusable): boolean {
  return outcome === 'error' && error?.name === 'READONLY';
}

/** The fault that ends the job when one of its actions was refused so. */
export function demotion(results: readonly Refusable[]): OpsError | undefined {
  if (!results.some(isDemotion)) return undefined;
  return new OpsError('server_error', 'the server is a replica now, and takes no writes', {
    reply: 'READONLY',
    remedy:
      'Resume the run when it is a primary again. If another server has taken over, plan there what is left: the run knows the first one only.',
  });
}
