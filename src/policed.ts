/**
 * An agent under a policy: what may run without a person, decided for every plan that it applies or goes on with. The
 * server's command table is asked once, when the first plan is judged.
 */
import { type Counted, type Granted, grantsOf } from './approval.ts';
import { type LiveTable, liveTable } from './catalog/live-table.ts';
import { type Judgement, judge } from './judge.ts';
import { type Decision, decide } from './lint/policy.ts';
import type { Plan } from './plan/plan.ts';
import { policyDigest, type ResolvedPolicy } from './plan/policy.ts';
import type { Connection } from './redis/connection.ts';
import { NotSent } from './redis/reply.ts';

/** A judgement, and what would come of applying the plan now. */
export interface Verdict extends Judgement {
  /** Why it would wait for a person; left out where it would not. */
  readonly waits?: string;
}

/** What an agent under a policy asks. */
export interface Policed {
  /** What an approval must be bound to. */
  readonly digest: string;
  /** What a plan needs and what of that goes beyond. Rejects when the server cannot be asked. */
  judge(plan: Plan, target: Counted): Promise<Verdict>;
  /** The approval table, and nothing beyond the policy without a person. */
  decide(plan: Plan, granted: Granted, target: Counted, how: { readonly dryRun: boolean }): Promise<Decision>;
}

/** The policy over a connection. */
export function createPoliced(connection: Pick<Connection, 'send'>, policy: ResolvedPolicy): Policed {
  let table: Promise<LiveTable | undefined> | undefined;
  const judged = async (plan: Plan): Promise<Judgement> => {
    table ??= askTable(connection);
    table.catch(() => {
      table = undefined; // the next plan asks again
    });
    return judge(plan, policy, await table);
  };
  const decided: Policed['decide'] = async (plan, { elicited, ...rest }, target, { dryRun }) => {
    const granted = { ...rest, ...(elicited === true && policy.elicitation ? { elicited } : {}) };
    const decision = decide(plan, grantsOf(granted, target));
    if (decision.decision === 'refuse' || isPersons(granted, target)) return decision;
    const { beyond, dryRuns } = await judged(plan);
    if (beyond.length === 0 || (dryRun && dryRuns)) return decision;
    return { decision: 'ask', how: 'approval', reason: beyond.join('; ') };
  };
  return {
    digest: policyDigest(policy),
    judge: async (plan, target) => {
      const decision = await decided(plan, { yes: true }, target, { dryRun: false });
      return { ...(await judged(plan)), ...(decision.decision === 'ask' ? { waits: decision.reason } : {}) };
    },
    decide: decided,
  };
}

/** An approval has been checked before this is asked. */
function isPersons({ approval, typedName, elicited }: Granted, { name, tag }: Counted): boolean {
  return approval !== undefined || typedName === name || (elicited === true && tag === 'dev');
}

/** The server's command table; undefined where it does not tell it. Rejects when it cannot be asked. */
export async function askTable(connection: Pick<Connection, 'send'>): Promise<LiveTable | undefined> {
  const reply = await connection.send(['COMMAND']);
  return reply instanceof NotSent ? undefined : liveTable(reply);
}
