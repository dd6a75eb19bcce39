/**
 * Streams a file of commands: the window follows the replies, totals are told a few times a second, and only what was
 * not applied is told command by command. However the run ends (a line that cannot be read, a command that may not be
 * sent, a fault, Ctrl-C), what is in flight is settled first, and the report says from which line on nothing was sent.
 */
import { type Bytes, fromBuffer } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { formatDuration } from '../base/units.ts';
import { findCommand } from '../catalog/lookup.ts';
import { ReadProblem } from '../formats/reader.ts';
import type { Event } from '../plan/event.ts';
import { noFiles } from '../plan/planned-file.ts';
import type { StreamFacts, Totals } from '../plan/report.ts';
import { placeInSource, type StreamStep } from '../plan/step.ts';
import { noTotals } from '../plan/totals.ts';
import { type CommandSource, openSource } from './command-source.ts';
import { type FailuresFile, openFailures } from './failures-file.ts';
import { type EffectRule, effectByRule, effectRule, problem } from './outcome.ts';
import type { Ending } from './pipeline.ts';
import { howToGoOn } from './resume-hint.ts';
import { Session, type StreamTerms } from './session.ts';
import { type Command, type Streamed, type StreamState, startStream } from './stream.ts';
import { streamRouted } from './stream-cluster.ts';
import { allowed, openWindow, slackOf } from './window.ts';

/** Totals are told at most this often, in milliseconds: smooth for the eye, and nothing beside the commands. */
const pageMs = 100;
/** Bytes of arguments that results may hold in all; beyond, a result names only the command and its first argument. */
const toldBytes = 8 * 1024 * 1024;

/** Runs the step; `first` is the index of its first command in the report. */
export async function* runStream(session: Session, step: StreamStep, first: number): AsyncGenerator<Event, Ending> {
  const { context } = session;
  const terms = context.stream;
  if (terms === undefined)
    return { end: 'fault', fault: noFiles('a plan', 'Give the commands in the request itself.') };
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const own = new Session({ ...context, signal }, session);
  const { request, target } = context.plan;
  const state = startStream(openWindow(request.performance_mode, target.server.round_trip_ms));
  const tally = createTally(step, first, terms);
  const planned = target.sources?.find(({ path }) => path === step.source.path)?.commands ?? 0;
  const startedMs = context.clock.monotonic();
  let ending: Ending = { end: 'done' };
  let source: CommandSource | undefined;
  let failures: FailuresFile | undefined;
  let kept: Pick<StreamFacts, 'failures' | 'unknown'> = {};
  let line: number | undefined;
  try {
    const file = { ...step.source, path: terms.pathOf(step.source.path) };
    // no signal: what ends the run ends the asking, and the line that is next is still read
    source = openSource(file, { admit: terms.admit, signal: new AbortController().signal });
    if (step.failures_file !== undefined && !terms.dryRun)
      failures = await openFailures(terms.pathOf(step.failures_file));
    let toldMs = startedMs;
    for await (const group of streamRouted(own, keptOpen(source), state)) {
      yield* tally.add(group, source, failures);
      try {
        await failures?.flush();
      } catch (error) {
        // nothing more is sent when what fails can no longer be kept; what is in flight still gets its outcome
        failures = undefined;
        ending = endingOf(error, context.signal);
        stop.abort();
      }
      const nowMs = context.clock.monotonic();
      if (nowMs - toldMs < pageMs) continue;
      toldMs = nowMs;
      yield { kind: 'page', totals: tally.page(state.retried), planned_keys: planned };
    }
    if (ending.end === 'done' && context.signal.aborted) ending = { end: 'interrupted' };
  } catch (error) {
    if (ending.end === 'done') ending = endingOf(error, context.signal);
  } finally {
    // also when nobody reads on
    await own.close();
    try {
      kept = (await failures?.close()) ?? {};
    } catch (error) {
      if (ending.end === 'done') ending = endingOf(error, context.signal);
    }
    if (ending.end !== 'done') line = await nextLine(ending, tally.done(), source);
    await source?.batches.return();
  }
  const seconds = Math.max(0.001, (context.clock.monotonic() - startedMs) / 1000);
  yield { kind: 'page', totals: tally.page(state.retried), planned_keys: planned };
  if (state.governor) yield { kind: 'governed', facts: state.governor };
  const left = { commands: tally.left(), ...(kept.failures ? { path: kept.failures.path } : {}) };
  yield {
    kind: 'streamed',
    facts: {
      commands: tally.done(),
      per_second: Math.round(tally.done() / seconds),
      window: windowFacts(state, target.server.round_trip_ms, request.limits.rate),
      ...(line === undefined ? {} : { next: { line, how: howToGoOn(step.source, line, left) } }),
      ...kept,
    },
  };
  return ending;
}

interface Tally {
  /** Counts outcomes; a result for each that is not ok. */
  add(group: readonly Streamed[], source: CommandSource, failures: FailuresFile | undefined): Generator<Event>;
  /** What came since the last page. */
  page(retried: number): Totals;
  /** Commands that have an outcome. */
  done(): number;
  /** Those of them that were not sent, and that can be sent as they are. */
  left(): number;
}

function createTally(step: StreamStep, first: number, terms: StreamTerms): Tally {
  const rules = createRules();
  let totals: Totals = { ...noTotals };
  let done = 0;
  let left = 0;
  let told = 0;
  let retriedBefore = 0;
  return {
    *add(group, source, failures) {
      for (const one of group) {
        done += 1;
        totals.matched += 1;
        if (one.outcome === 'ok') {
          const effect = effectByRule(rules(one.argv), one.reply);
          if (effect !== 'none') totals[effect] += 1;
          continue;
        }
        if (one.outcome === 'not_sent' && terms.dryRun) continue;
        if (one.outcome === 'error') totals.failed += 1;
        if (one.outcome === 'unknown') totals.unknown += 1;
        const line = source.lineOf(one.index);
        const error = one.error ?? problem('E231', 'not sent: the connection was lost before');
        if (one.outcome === 'not_sent' && error.code === 'E231') left += 1;
        const place = line === undefined ? `command ${one.index + 1}` : placeInSource(step.source, line);
        const kind = one.outcome === 'unknown' ? 'unknown' : 'failures';
        failures?.add(kind, one.argv, place, `${one.outcome} ${error.code} ${error.name}: ${error.message}`);
        told += one.argv.reduce((bytes, word) => bytes + word.length, 0);
        const argv = (told <= toldBytes ? one.argv : one.argv.slice(0, 2)).map(bytesOf);
        yield {
          kind: 'result',
          effect: 'none',
          result: {
            index: first + one.index,
            ...(line === undefined ? {} : { line }),
            argv,
            outcome: one.outcome,
            reply: null,
            error,
          },
        };
      }
    },
    page: (retried) => {
      const page = { ...totals, retried: retried - retriedBefore };
      retriedBefore = retried;
      totals = { ...noTotals };
      return page;
    },
    done: () => done,
    left: () => left,
  };
}

/** The source for the stream, which does not close it: at a stop it is asked for the line that is next. */
function keptOpen({
  batches,
}: {
  readonly batches: AsyncGenerator<readonly Command[], void>;
}): AsyncIterator<readonly Command[], void> {
  return { next: () => batches.next() };
}

/** The effect rule of a command, remembered by its name where that alone decides. */
function createRules(): (argv: Command) => EffectRule {
  const known = new Map<string, EffectRule>();
  return (argv) => {
    const [word] = argv;
    const name = typeof word === 'string' ? word : (word?.toString('latin1') ?? '');
    const found = known.get(name);
    if (found !== undefined) return found;
    const info = findCommand([name]);
    if (info === undefined || info.subcommands !== undefined) return effectRule(argv.slice(0, 2).map(bytesOf));
    const rule = effectRule([name]);
    known.set(name, rule);
    return rule;
  };
}

function bytesOf(word: string | Buffer): Bytes {
  return typeof word === 'string' ? word : fromBuffer(word);
}

function endingOf(error: unknown, signal: AbortSignal): Ending {
  if (error instanceof OpsError) return { end: 'fault', fault: error };
  if (signal.aborted) return { end: 'interrupted' };
  throw error;
}

function windowFacts(state: StreamState, roundTripMs: number, rate: number | undefined): StreamFacts['window'] {
  const { window } = state;
  const opened = openWindow(window.mode, roundTripMs).depth;
  const reason =
    `opened at ${opened} for a round trip of ${formatDuration(roundTripMs)} (${window.mode}); grows while replies come within ` +
    `${slackOf(window.mode)} ms of the shortest, shrinks by a fifth when they do not` +
    (rate === undefined ? '' : `; held to ${rate} commands a second`);
  return { depth: allowed(window), round_trip_ms: Math.round(window.baseMs * 1000) / 1000, reason };
}

/** The first line of which nothing was sent: that of the first command without an outcome, or the one that cannot be read or sent; undefined at the end of the file. */
async function nextLine(ending: Ending, done: number, source: CommandSource | undefined): Promise<number | undefined> {
  const known = source?.lineOf(done) ?? (ending.end === 'fault' ? placeOf(ending.fault) : undefined);
  if (known !== undefined || source === undefined || done === 0) return known ?? 1;
  try {
    // all that was read has its outcome: the command behind it is only looked at
    while (source.lineOf(done) === undefined) if ((await source.batches.next()).done) return undefined;
    return source.lineOf(done);
  } catch (error) {
    return placeOf(error);
  }
}

function placeOf(error: unknown): number | undefined {
  return error instanceof OpsError && error.cause instanceof ReadProblem ? error.cause.line : undefined;
}
