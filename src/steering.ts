/**
 * A run in motion as others steer it: redops runs cancel, pause, set. They write into the run's folder; the run looks there
 * now and then, and what it found is in its journal and its report.
 */
import { systemClock } from './base/clock.ts';
import { OpsError } from './base/ops-error.ts';
import type { Event } from './plan/event.ts';
import { type Change, Steering, type SteeringFacts } from './plan/steering.ts';
import type { RunLog } from './state/runs.ts';

/** How often a run looks, in milliseconds. */
const LOOK_MS = 250;

/** What a run knows of those who steer it. */
export interface Wheel {
  /** Aborts once the run was cancelled. */
  readonly cancelled: AbortSignal;
  /** What is wanted now. */
  readonly now: () => Steering;
  /** What was changed so far, and how long the run was paused, in milliseconds. */
  readonly facts: () => SteeringFacts;
  /** Called at each change; whoever listens sets it. */
  onChange: () => void;
  stop: () => void;
}

const untouched: Steering = { paused: false };

/** Looks until `stop`. A folder that cannot be read is met by the journal. `log`: undefined for a run that nobody can steer. */
export function watchSteering(log: RunLog | undefined): Wheel {
  const cancelled = new AbortController();
  const changes: Change[] = [];
  let steering = untouched;
  let pausedMs = 0;
  let sinceMs = systemClock.monotonic();
  const passed = (): void => {
    const nowMs = systemClock.monotonic();
    if (steering.paused) pausedMs += nowMs - sinceMs;
    sinceMs = nowMs;
  };
  const wheel: Wheel = {
    cancelled: cancelled.signal,
    now: () => steering,
    facts: () => {
      passed();
      return { paused_ms: Math.round(pausedMs), changes: [...changes] };
    },
    onChange: () => undefined,
    stop: () => undefined,
  };
  if (log === undefined) return wheel;
  const look = async (): Promise<void> => {
    if (await log.cancelled()) cancelled.abort(new OpsError('interrupted', 'cancelled by redops runs cancel'));
    const wanted = Steering.safeParse(await log.steering()).data ?? untouched;
    const change = changeFrom(steering, wanted);
    if (change === undefined) return;
    passed();
    steering = wanted;
    changes.push(change);
    wheel.onChange();
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
  let coming = events.next();
  try {
    for (;;) {
      // a promise of its own each time: one that is waited for again and again would collect those who wait
      const changed = new Promise<undefined>((resolve) => {
        wheel.onChange = () => resolve(undefined);
      });
      const first = await Promise.race([coming, changed]);
      if (first === undefined) {
        yield { kind: 'steered', facts: wheel.facts() };
        continue;
      }
      if (first.done) return;
      yield first.value;
      coming = events.next();
    }
  } finally {
    wheel.onChange = () => undefined;
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
