import type { Event } from '../plan/event.ts';
import type { TransactionStep } from '../plan/step.ts';
import { OwnConnection, slotOfStep } from './own-connection.ts';
import { type Ending, resultEvent } from './pipeline.ts';
import { replicationOf, unreplicated } from './replicas.ts';
import type { RunContext } from './session.ts';
import { attemptOnce, type Tried } from './transaction-attempt.ts';
import { waitBeforeRetry } from './transaction-backoff.ts';

/** Runs the transaction until it is committed, cannot be, or its retries are used up. `first` is the index of its first command in the report. */
export async function* runTransaction(
  context: RunContext,
  step: TransactionStep,
  first: number,
): AsyncGenerator<Event, Ending> {
  const { retry } = context.plan.request;
  const own = new OwnConnection(context, slotOfStep(step));
  try {
    for (let attempt = 0; ; attempt += 1) {
      const tried = await attemptOnce(context, own, step);
      const again = tried.outcome === 'conflict' || tried.outcome === 'redirected';
      if (!again || tried.fault?.code === 'drift' || attempt >= retry.max_retries || context.signal.aborted) {
        yield* conclude(step, first, attempt + 1, tried, context.plan.target.server);
        return context.signal.aborted && again
          ? { end: 'interrupted' }
          : tried.fault
            ? { end: 'fault', fault: tried.fault }
            : { end: 'done' };
      }
      const wait = waitBeforeRetry(tried.outcome === 'conflict' ? 'conflict' : 'redirected', attempt, {
        roundTripMs: context.plan.execution_plan.round_trip_ms,
        baseMs: retry.base_ms,
      });
      yield {
        kind: 'retried',
        reason: tried.reason ?? tried.outcome ?? 'redirected',
        attempt: attempt + 1,
        wait_ms: Math.round(wait),
      };
      await context.clock.sleep(wait, context.signal).catch(() => undefined);
      if (tried.outcome === 'redirected') await own.moveOn(tried.fault);
    }
  } finally {
    await own.close();
  }
}

function* conclude(
  step: TransactionStep,
  first: number,
  attempts: number,
  tried: Tried,
  server: { readonly replicas: number },
): Generator<Event> {
  const applied = tried.outcome === 'committed' || tried.outcome === 'partial';
  for (const [index, settled] of tried.settled.entries()) {
    const { argv } = step.steps[index]!;
    yield resultEvent(first + index, argv, tried.words[index] ?? [], settled);
  }
  if (tried.outcome) {
    yield {
      kind: 'transaction',
      outcome: tried.outcome,
      attempts,
      ...(tried.reads ? { reads: tried.reads } : {}),
      ...(step.native ? { engine: 'native' as const } : {}),
      ...(tried.found_by ? { found_by: tried.found_by } : {}),
      ...(applied ? replicationOf(tried.replicas, step.wait, server) : {}),
    };
    const reason = applied ? unreplicated(tried.replicas, step.wait) : undefined;
    if (reason !== undefined) yield { kind: 'unproven', reason };
  }
}
