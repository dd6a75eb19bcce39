/**
 * The governor of a job for which somebody may set a target while it goes on: where none was needed until then (a small job, a
 * far server), one is started when a target is set. One that runs follows by itself (governor.ts).
 */
import type { GovernorFacts } from '../plan/report.ts';
import { type Governor, startGovernor } from './governor.ts';
import type { Session } from './session.ts';

/** A governor, or room for one. */
export interface LateGovernor extends Pick<Governor, 'pace' | 'chunk' | 'close'> {
  /** undefined: nothing was measured. */
  facts(): GovernorFacts | undefined;
}

/** Starts one at once where the job `needs` it, else when a target is set. */
export async function lateGovernor(session: Session, needs: boolean): Promise<LateGovernor> {
  const { request } = session.context.plan;
  const start = (): Promise<Governor> =>
    startGovernor(session, { mode: request.performance_mode, sloMs: request.limits.slo_p99_ms });
  let governor = needs ? await start() : undefined;
  let starting: Promise<void> | undefined;
  const startLate = async (): Promise<void> => {
    governor = await start();
  };
  return {
    async pace(commands) {
      if (governor === undefined && typeof session.context.steering?.now().slo_p99_ms === 'number') {
        starting ??= startLate();
        await starting;
      }
      return governor ? governor.pace(commands) : () => undefined;
    },
    chunk: (planned) => governor?.chunk(planned) ?? planned,
    facts: () => governor?.facts(),
    async close() {
      await starting;
      await governor?.close();
    },
  };
}
