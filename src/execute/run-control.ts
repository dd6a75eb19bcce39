/**
 * What somebody wants of a run while it goes on: that it waits, another rate, another target for the latency of others. Whoever
 * reads the wishes hands them in here; the job looks before each page and chunk, and what waits for time wakes when they change.
 */
import type { Clock } from '../base/clock.ts';
import type { Event } from '../plan/event.ts';
import type { ControlFacts } from '../plan/report.ts';
import type { Wishes } from '../plan/run.ts';
import { Outbox } from './outbox.ts';

/** The wishes for one run, as they are now, and what became of them. */
export interface RunControl {
  readonly wishes: Wishes;
  /** Takes what is wanted now; false when that is nothing new. */
  take(wishes: Wishes): boolean;
  /** Resolves when the run may go on. Rejects with the signal's reason when it is aborted. */
  hold(signal: AbortSignal): Promise<void>;
  /** Resolves after `ms`, or with `changed` as soon as something else is wanted. Rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<'over' | 'changed'>;
  /** Calls the listener at each change; gives the way back. */
  onChange(listener: () => void): () => void;
  /** What was wanted and how long the run was paused, until now; undefined when nothing ever was. */
  facts(): ControlFacts | undefined;
}

/** The longest time that a timer can have. */
const LONGEST_MS = 2 ** 31 - 1;

/** No wishes yet. `planned`: what the plan says, which changes are told against. */
export function createRunControl(
  clock: Clock,
  planned: { readonly rate?: number; readonly slo_p99_ms?: number },
): RunControl {
  const listeners = new Set<() => void>();
  const changes: ControlFacts['changes'] = [];
  let wishes: Wishes = { paused: false };
  let pausedMs = 0;
  let pausedAt: number | undefined;

  const onChange = (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  const sleep = (ms: number | undefined, signal: AbortSignal): Promise<'over' | 'changed'> =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      // a timer in any case: a run that waits keeps its process alive, also when the server has closed its idle connections
      const timer = setTimeout(() => end(() => resolve('over')), Math.min(ms ?? LONGEST_MS, LONGEST_MS));
      const stop = (): void => end(() => reject(signal.reason));
      const forget = onChange(() => end(() => resolve('changed')));
      function end(how: () => void): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
        forget();
        how();
      }
      signal.addEventListener('abort', stop, { once: true });
    });
  const pausedNow = (): number => (pausedAt === undefined ? 0 : clock.monotonic() - pausedAt);

  return {
    get wishes() {
      return wishes;
    },
    take: (next) => {
      const at = new Date(clock.now()).toISOString();
      const before = changes.length;
      if (next.paused !== wishes.paused) {
        changes.push({ at, change: next.paused ? 'paused' : 'resumed' });
        pausedMs += pausedNow();
        pausedAt = next.paused ? clock.monotonic() : undefined;
      }
      for (const name of ['rate', 'slo_p99_ms'] as const) {
        const [from, to] = [wishes[name] ?? planned[name], next[name] ?? planned[name]];
        if (from === to) continue;
        changes.push({
          at,
          change: name,
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
        });
      }
      wishes = next;
      if (changes.length === before) return false;
      for (const listener of [...listeners]) listener();
      return true;
    },
    hold: async (signal) => {
      while (wishes.paused) await sleep(undefined, signal);
    },
    sleep,
    onChange,
    facts: () => {
      if (changes.length === 0) return undefined;
      return { paused_ms: Math.round(pausedMs + pausedNow()), changes: [...changes] };
    },
  };
}

/** The events of a run, and among them what became of the wishes: at each change, also while nothing else happens, and before the end. */
export async function* withControl(
  events: AsyncGenerator<Event>,
  control: RunControl | undefined,
): AsyncGenerator<Event> {
  if (control === undefined) return yield* events;
  const box = new Outbox<Event | 'ended'>();
  let fault: { readonly error: unknown } | undefined;
  let asking = false;
  const told = (): void => {
    const facts = control.facts();
    if (facts) box.put({ kind: 'controlled', facts, paused: control.wishes.paused });
  };
  const ask = async (): Promise<void> => {
    try {
      const next = await events.next();
      if (!next.done && next.value.kind === 'run_finished') told();
      box.put(next.done ? 'ended' : next.value);
    } catch (error) {
      fault = { error };
      box.wake();
    } finally {
      asking = false;
    }
  };
  const forget = control.onChange(told);
  told();
  try {
    for (;;) {
      for (const event of box.take()) {
        if (event === 'ended') return;
        yield event;
      }
      if (fault) throw fault.error;
      if (!asking) {
        asking = true;
        void ask();
      }
      await box.changed();
    }
  } finally {
    forget();
    await events.return(undefined);
  }
}
