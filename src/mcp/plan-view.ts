/** A plan as a model may read it: what it does, what it costs, what is wrong with it, and whether it may run. */
import type { Planned } from '../agent.ts';
import { blocks } from '../plan/diagnostic.ts';
import type { Plan } from '../plan/plan.ts';
import { argvWords, requestWords } from '../report/words.ts';
import { type Document, sentence } from './answer.ts';
import type { ServedAgent } from './held-agent.ts';
import type { Redact } from './redact.ts';
import { findings } from './report-page.ts';

/** What a plan needs, what of that goes beyond the policy, and whether it would wait for a person. */
export type Verdict = NonNullable<Awaited<ReturnType<ServedAgent['judge']>>>;

/** A plan with its verdict. */
export function planView(plan: Plan, verdict: Verdict | undefined, redact: Redact): Document {
  const { execution_plan: how, target } = plan;
  const { low, high, basis, keys, server_ms, bytes_in, duration_ms } = how.estimate;
  const blocked = plan.warnings.filter(blocks);
  const beyond = verdict?.beyond ?? [];
  const head = {
    status: blocked.length > 0 ? 'refused' : verdict?.waits === undefined ? 'planned' : 'needs_approval',
    digest: plan.digest,
    does: sentence(requestWords(plan.request), redact),
    on: {
      target: sentence(target.name, redact),
      engine: `${target.server.engine} ${target.server.version}`,
      keys: target.server.keys,
    },
    needs: verdict?.needs ?? 'read',
    ...(beyond.length > 0 ? { beyond_policy: beyond.map((one) => sentence(one, redact)) } : {}),
    ...(beyond.length === 0 && verdict?.waits !== undefined ? { waits: sentence(verdict.waits, redact) } : {}),
  };
  if (verdict?.hidden)
    return { ...head, says: 'The policy does not let its keys be read: their price is for a person.' };
  return {
    ...head,
    strategy: how.strategy,
    atomic: how.atomic,
    idempotent: how.idempotent,
    reversible: how.reversible,
    destructive: how.destructive,
    writes: how.writes,
    estimate: { keys, basis, low, high, estimated_ops: plan.estimated_ops, server_ms, bytes_in, duration_ms },
    commands: plan.commands.slice(0, 5).map(({ argv }) => sentence(argvWords(argv), redact)),
    ...(plan.commands.length > 5 ? { commands_left_out: plan.commands.length - 5 } : {}),
    ...(plan.warnings.length > 0 ? { warnings: findings(plan.warnings, redact, 12) } : {}),
    ...(plan.unchecked.length > 0 ? { unchecked: plan.unchecked.map(({ code }) => code) } : {}),
  };
}

/** Why no plan could be made. */
export function unplanned({ diagnostics }: Planned, redact: Redact): Document {
  return { status: 'refused', why: 'no plan can be made of this request', problems: findings(diagnostics, redact, 12) };
}
