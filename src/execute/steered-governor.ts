/**
 * The governor of a job whose target somebody may change while it goes on: it is told of the change, and where none was needed
 * until then (a small job, a far server), one is started.
 */
import type { GovernorFacts } from '../plan/report.ts';
import type { Wishes } from '../plan/run.ts';
import { type Governor, startGovernor } from './governor.ts';
import type { Session } from './session.ts';

/** A governor, or room for one. */
export interface SteeredGovernor extends Pick<Governor, 'pace' | 'chunk' | 'close'> {
  /** undefined: nothing was measured. */
  facts(): GovernorFacts | undefined;
}

/** Starts one at once where the job `needs` it, else when a target is set. */
export async function steerGovernor(session: Session, needs: boolean): Promise<SteeredGovernor> {
  const { request } = session.context.plan;
  const planned = request.limits.slo_p99_ms;
  let governor: Governor | undefined;
  let held: Wishes['slo_p99_ms'] = planned;
  let adopting: Promise<void> | undefined;

  const adopt = async (): Promise<void> => {
    const wanted = session.context.control?.wishes.slo_p99_ms ?? planned;
    if (wanted === held) return;
    held = wanted;
    if (governor) governor.allow(wanted);
    else if (typeof wanted === 'number')
      governor = await startGovernor(session, { mode: request.performance_mode, sloMs: wanted });
  };
  if (needs) governor = await startGovernor(session, { mode: request.performance_mode, sloMs: planned });
  return {
    async pace(commands) {
      adopting ??= adopt().finally(() => {
        adopting = undefined;
      });
      await adopting;
      return governor ? governor.pace(commands) : () => undefined;
    },
    chunk: (planned) => governor?.chunk(planned) ?? planned,
    facts: () => governor?.facts(),
    async close() {
      await adopting;
      await governor?.close();
    },
  };
}
