/**
 * A run in motion as others steer it: redops runs cancel, pause, set. They write into the run's folder; the run looks there
 * now and then, and what it found is in its journal and its report.
 */
import { systemClock } from './base/clock.ts';
import { OpsError } from './base/ops-error.ts';
import { Outbox } from './execute/outbox.ts';
import { createSteered, type Steered } from './execute/steered.ts';
import type { Event } from './plan/event.ts';
import { type Change, Steering, type SteeringFacts } from './plan/steering.ts';
import type { RunLog } from './state/runs.ts';

/** How often a run looks, in milliseconds. */
const LOOK_MS = 250;

/** What a run knows of those who steer it. */
export interface Wheel {
  /** Aborts once the run was cancelled. */
  readonly cancelled: AbortSignal;
  /** What is wanted, as the job meets it. */
  readonly steered: Steered;
  /** What was changed so far, and how long the run was paused, in milliseconds. */
  readonly facts: () => SteeringFacts;
  stop: () => void;
}

const untouched: Steering = { paused: false };

/** Looks until `stop`. A folder that cannot be read is met by the journal. `log`: undefined for a run that nobody can steer. */
export function watchSteering(log: RunLog | undefined): Wheel {
  const cancelled = new AbortController();
  const changes: Change[] = [];
  const steered = createSteered();
  let pausedMs = 0;
  let sinceMs = systemClock.monotonic();
  const passed = (): void => {
    const nowMs = systemClock.monotonic();
    if (steered.now().paused) pausedMs += nowMs - sinceMs;
    sinceMs = nowMs;
  };
  const wheel: Wheel = {
    cancelled: cancelled.signal,
    steered,
    facts: () => {
      passed();
      return { paused_ms: Math.round(pausedMs), changes: [...changes] };
    },
    stop: () => undefined,
  };
  if (log === undefined) return wheel;
  const look = async (): Promise<void> => {
    if (await log.cancelled()) cancelled.abort(new OpsError('interrupted', 'cancelled by redops runs cancel'));
    const wanted = Steering.safeParse(await log.steering()).data ?? untouched;
    const change = changeFrom(steered.now(), wanted);
    if (change === undefined) return;
    passed();
    changes.push(change);
    steered.turn(wanted);
    await log.append({ kind: 'steered', ...change });
  };
  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    void look()
      .catch(() => undefined)
      .finally(() => {
        looking = false;
      });
  }, LOOK_MS);
  timer.unref();
  wheel.stop = () => clearInterval(timer);
  return wheel;
}

/** The events of a run, and between them what was changed: a paused run has none of its own. */
export async function* withSteering(events: AsyncGenerator<Event>, wheel: Wheel): AsyncGenerator<Event> {
  const box = new Outbox<Event>();
  const state = { asking: false, over: false };
  let fault: { readonly error: unknown } | undefined;
  const ask = async (): Promise<void> => {
    state.asking = true;
    try {
      const next = await events.next();
      state.asking = false;
      state.over = next.done === true;
      if (next.done) box.wake();
      else box.put(next.value);
    } catch (error) {
      fault = { error };
      box.wake();
    }
  };
  const forget = wheel.steered.onChange(() => box.put({ kind: 'steered', facts: wheel.facts() }));
  try {
    for (;;) {
      yield* box.take();
      if (fault) throw fault.error;
      if (state.over) return;
      if (!state.asking) void ask();
      await box.changed();
    }
  } finally {
    forget();
    await events.return(undefined);
  }
}

/** What is wanted otherwise than before; undefined when nothing is. */
function changeFrom(before: Steering, wanted: Steering): Change | undefined {
  const change: Omit<Change, 'at'> = {
    ...(wanted.paused === before.paused ? {} : { paused: wanted.paused }),
    ...(wanted.rate === undefined || wanted.rate === before.rate ? {} : { rate: wanted.rate }),
    ...(wanted.slo_p99_ms === undefined || wanted.slo_p99_ms === before.slo_p99_ms
      ? {}
      : { slo_p99_ms: wanted.slo_p99_ms }),
  };
  return Object.keys(change).length === 0 ? undefined : { at: new Date(systemClock.now()).toISOString(), ...change };
}
