/**
 * Whether a transaction may run as a script, too. The step says that it may, and is approved with that; which engine
 * runs is chosen when it runs, by the server that is met and by the conflicts that are measured
 * (docs/decisions/0011-two-engines-of-a-transaction.md).
 */
import type { RequestOf } from '../plan/request.ts';
import type { TransactionStep } from '../plan/step.ts';
import type { Target } from '../plan/target.ts';
import { transactionScript } from '../plan/transaction-script.ts';

/** The member of the step that allows the script, and why both engines or one. */
export function enginesOf(
  { performance_mode }: Pick<RequestOf<'transaction'>, 'performance_mode'>,
  step: TransactionStep,
  target: Target | undefined,
): { readonly step: Pick<TransactionStep, 'script'>; readonly reasons: readonly string[] } {
  if (step.reads.length === 0) return { step: {}, reasons: [] };
  const script = step.wait ? { reason: 'replicas are waited for after EXEC' } : transactionScript(step);
  if ('reason' in script)
    return {
      step: {},
      reasons: [`WATCH alone, also under contention: no script can do the same, since ${script.reason}.`],
    };
  const refused = target && refusedByAcl(target);
  const now = refused ? [`This user may not run it (${refused}), so WATCH does all of it until that is allowed.`] : [];
  return { step: { script: { sha1: script.sha1 } }, reasons: [words[performance_mode], ...now] };
}

const words = {
  balanced:
    'A script that does the same is part of the plan: WATCH begins, which holds the server for no more than the commands; after the second conflict in a row the script goes on, in one round trip and without conflicts.',
  throughput_optimized:
    'A script that does the same runs first: one round trip and no conflicts. Where the server does not take it, or an integer leaves what Lua holds exactly (2^53), WATCH goes on.',
  latency_optimized:
    'A script that does the same runs first: one round trip in place of two, and no conflict that has to be tried again. Where the server does not take it, or an integer leaves what Lua holds exactly (2^53), WATCH goes on.',
} as const;

function refusedByAcl({ acl, server }: Target): string | undefined {
  if (Number.parseInt(server.redis_version, 10) < 7)
    return `Redis ${server.redis_version}: scripts of transactions need 7.0`;
  return acl?.find(({ command, allowed }) => !allowed && command === 'EVALSHA')?.reason;
}
