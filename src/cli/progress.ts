/** One status line on a terminal while a run goes on: done, rate, time left. A view of the events, no part of the run. */
import { formatCount, formatDuration } from '../base/units.ts';
import type { Event } from '../plan/event.ts';
import { countsByPage, type Plan } from '../plan/plan.ts';
import { clip } from '../report/layout.ts';
import type { Io } from './io.ts';

/** Draws as events come in; `clear` takes the line away before anything else is written. */
export interface Progress {
  add(event: Event): void;
  clear(): void;
}

const everyMs = 100;
// a run shorter than this needs no line
const quietMs = 400;

/** A progress line, or one that draws nothing where there is no terminal, in CI, or when not wanted. `now`: milliseconds, monotonic. */
export function createProgress(
  io: Io,
  plan: Plan | undefined,
  wanted: boolean,
  now: () => number = () => performance.now(),
): Progress {
  if (!wanted || !io.terminal.stderr || io.env.CI) return { add: () => undefined, clear: () => undefined };
  const startedMs = now();
  let drawnMs = startedMs + quietMs - everyMs;
  let shown = false;
  let done = 0;
  let total = plan?.execution_plan.estimate.keys ?? 0;
  let retries = 0;
  let p99AddedMs: number | undefined;
  let paused = false;
  const scans = plan !== undefined && countsByPage(plan);
  return {
    add: (event) => {
      if (event.kind === 'page') {
        done += event.totals.matched;
        if (event.planned_keys > 0) total = event.planned_keys;
      }
      if (event.kind === 'result' && !scans) done += 1;
      if (event.kind === 'retried') retries += 1;
      if (event.kind === 'steered') {
        paused = event.facts.changes.findLast((change) => change.paused !== undefined)?.paused ?? false;
        drawnMs = Math.min(drawnMs, now() - everyMs); // nothing else may come for long
      }
      if (event.kind === 'governed') p99AddedMs = event.facts.p99_added_ms;
      const at = now();
      if (at - drawnMs < everyMs) return;
      drawnMs = at;
      shown = true;
      const line = progressWords({ done, total, retries, elapsedMs: at - startedMs, p99AddedMs, paused });
      io.err(`\r\u001b[K${clip(line, io.terminal.columns - 1)}`);
    },
    clear: () => {
      if (shown) io.err('\r\u001b[K');
      shown = false;
    },
  };
}

/** The words of the line: "125,000 of about 500,000, 48,231/s, 8 s left". */
export function progressWords(state: {
  readonly done: number;
  readonly total: number;
  readonly retries: number;
  readonly elapsedMs: number;
  /** What the governor says of other clients. */
  readonly p99AddedMs?: number | undefined;
  readonly paused?: boolean;
}): string {
  const rate = state.elapsedMs > 0 ? (state.done * 1000) / state.elapsedMs : 0;
  const left = state.total - state.done;
  const parts = [
    state.total > 0 ? `${formatCount(state.done)} of about ${formatCount(state.total)}` : formatCount(state.done),
    `${formatCount(rate)}/s`,
    ...(state.paused ? ['paused'] : []),
    ...(rate > 0 && left > 0 && !state.paused ? [`${formatDuration((left * 1000) / rate)} left`] : []),
    ...(state.p99AddedMs === undefined ? [] : [`p99 +${formatDuration(state.p99AddedMs)}`]),
    ...(state.retries > 0 ? [`${formatCount(state.retries)} retried`] : []),
  ];
  return parts.join(', ');
}
