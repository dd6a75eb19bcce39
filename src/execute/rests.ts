/**
 * The rests of a stream that shall be gentle: latency_optimized, or limits.slo_p99_ms. At first fixed ones, and a governor's
 * once the stream has gone on for a moment: a handful of commands is done before a governor has listened.
 */
import type { GovernorFacts } from '../plan/report.ts';
import type { Route } from '../redis/connection.ts';
import { isRecording } from '../redis/recording.ts';
import { type Governor, mergeFacts, startGovernor } from './governor.ts';
import type { Session, SessionContext } from './session.ts';
import { restOf, type Window } from './window.ts';

/** What a stream tells its rests, and they it. */
export interface Rested {
  readonly window: Window;
  /** What a governor saw and did, when one has ended. */
  governor?: GovernorFacts;
}

/** The rests of one stream over one connection. */
export interface Rests {
  /** Rests when that is due; ends early when the run is interrupted. */
  due(): Promise<void>;
  /** Writes what the governor saw and did, if there was one, to the stream's state. */
  close(): Promise<void>;
}

/** After so many milliseconds a governor takes over. */
const FIXED_MS = 20;

/** Rests for a stream; undefined where it takes none, as a dry run. */
export function createRests(session: Session<SessionContext>, state: Rested, route: Route): Rests | undefined {
  const { clock, signal, plan, connection } = session.context;
  const { mode } = state.window;
  const sloMs = plan.request.limits.slo_p99_ms;
  const fixed = restOf(mode);
  if (isRecording(connection) || (fixed === undefined && sloMs === undefined)) return undefined;
  const openedMs = clock.monotonic();
  let workedSinceMs = openedMs;
  let governor: Governor | undefined;
  const due = async (): Promise<void> => {
    const nowMs = clock.monotonic();
    if (governor !== undefined) {
      await governor.pace(1);
    } else if (nowMs - openedMs >= FIXED_MS) {
      governor = await startGovernor(session, { mode, sloMs, route });
    } else if (fixed !== undefined && nowMs - workedSinceMs >= fixed.workMs) {
      await clock.sleep(fixed.restMs, signal);
      workedSinceMs = clock.monotonic();
    }
  };
  return {
    async due() {
      try {
        await due();
      } catch (error) {
        if (!signal.aborted) throw error; // what is in flight still has its outcomes to come
      }
    },
    async close() {
      if (governor === undefined) return;
      await governor.close();
      state.governor = mergeFacts(state.governor, governor.facts());
    },
  };
}
