/**
 * Who may run what: the approval table, as a pure function of the plan and of what the caller grants. Asking a person is
 * the front door's business; the answer comes back as a grant. `--yes` never suffices for destruction on production.
 */
import { blocks, type Diagnostic } from '../plan/diagnostic.ts';
import type { Plan } from '../plan/plan.ts';

/** What the caller knows of the target and grants for this one run. */
export interface Grants {
  readonly tag: 'dev' | 'production';
  /** The target's name, which is what has to be typed. */
  readonly target: string;
  readonly yes: boolean;
  /** What a person typed as the target's name. */
  readonly typedName?: string;
}

/** allow: run it; ask: not yet, this is missing; refuse: never as it is. */
export type Decision =
  | { readonly decision: 'allow' }
  | { readonly decision: 'ask'; readonly how: 'yes' | 'type_name' | 'approval'; readonly reason: string }
  | { readonly decision: 'refuse'; readonly diagnostics: readonly Diagnostic[] };

/** Decides about a plan. An unaccepted error refuses whatever is granted; reading needs nothing. */
export function decide(plan: Plan, grants: Grants): Decision {
  const refused = plan.warnings.filter(blocks);
  if (refused.length > 0) return { decision: 'refuse', diagnostics: refused };
  const weight = weightOf(plan);
  if (weight === 'reads' || grants.typedName === grants.target) return { decision: 'allow' };
  if (grants.tag === 'production' && weight === 'destroys') return askForName(plan, grants);
  if (grants.yes) return { decision: 'allow' };
  return { decision: 'ask', how: 'yes', reason: `the plan ${effectOf(plan)} on ${grants.target} (${grants.tag})` };
}

// these write no key and still reach every client of the server: KILL, FLUSH of scripts, settings, whole databases
const reaching: ReadonlySet<string> = new Set(['OPS007', 'SEC001', 'DEL003']);

/** True when a plan reaches every client of the server. */
export function reachesEverybody({ warnings }: Pick<Plan, 'warnings'>): boolean {
  return warnings.some(({ code }) => reaching.has(code));
}

/** What is not known to be undone counts as destroying. */
function weightOf(plan: Plan): 'reads' | 'writes' | 'destroys' {
  const { writes, destructive, reversible } = plan.execution_plan;
  if (reachesEverybody(plan)) return 'destroys';
  if (!writes && !destructive) return 'reads';
  return destructive || !reversible ? 'destroys' : 'writes';
}

function askForName(plan: Plan, grants: Grants): Decision {
  const wrong = grants.typedName === undefined ? '' : '; what was typed is another name';
  const yes = grants.yes ? '; --yes does not approve that' : '';
  const reason = `the plan ${effectOf(plan)} on production: type the target's name, ${grants.target}${wrong}${yes}`;
  return { decision: 'ask', how: 'type_name', reason };
}

function effectOf(plan: Plan): string {
  const { writes, destructive, reversible } = plan.execution_plan;
  if (destructive) return 'deletes or overwrites data';
  if (!writes) return 'affects every client';
  return reversible ? 'writes' : 'writes what cannot be undone';
}
