/** What the commands of a draft cost on a target that was calibrated: what a plan is priced with there. */
import { once } from './base/once.ts';
import { relevantCosts } from './explain/relevant-costs.ts';
import type { Draft, SampledCommand } from './plan/plan.ts';
import { commandsOf } from './plan/step.ts';
import type { Target } from './plan/target.ts';
import { literal } from './plan/values.ts';
import { loadCosts } from './state/costs.ts';

/** Finds the costs of a draft, as far as the server is still of the version that was measured; nothing where there are none. Rejects with OpsError state. */
export type FindCosts = (
  draft: Draft,
  sampled: readonly Pick<SampledCommand, 'argv'>[],
  target: Target,
) => Promise<Pick<Target, 'costs'>>;

/** Reads what is kept of a target by that name once, when somebody first asks. */
export function costsOf(stateDir: string | undefined, name: string): FindCosts {
  const kept = once(async () => (stateDir === undefined ? undefined : loadCosts(stateDir, name)));
  return async ({ steps }, sampled, { server }) => {
    const known = await kept();
    if (known?.server !== `${server.engine} ${server.version}`) return {};
    const planned = steps.flatMap((step, index) => commandsOf(step, `steps[${index}]`));
    const argvs = [...planned, ...sampled].map(({ argv }) => argv.map(literal));
    return { costs: relevantCosts(known, argvs) };
  };
}
