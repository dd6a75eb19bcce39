/**
 * How much of the server's time a run may take, as a pure state machine. Additive increase, multiplicative decrease on a
 * share of the time and on how many commands go at once, from what a probe on a connection of its own has felt. Too long
 * a chunk is cut first: resting between chunks does not shorten the wait behind one.
 */
import type { Mode } from './window.ts';

/** What the run is held to. */
export interface ControlTerms {
  /** Milliseconds that the p99 of other clients may rise by; undefined: nothing is held. */
  readonly sloMs: number | undefined;
  /** Somebody asked for it: it is held whatever the cause may be. */
  readonly strict: boolean;
  /** The share at the start, which also stands when nothing can be measured. */
  readonly start: number;
}

/** The state; plain data, so that it can be told and tested. */
export interface Control {
  readonly terms: ControlTerms;
  /** Of the server's time, FLOOR to 1. */
  readonly share: number;
  /** Commands at once at most, MIN_CHUNK to MAX_CHUNK. */
  readonly maxChunk: number;
  /** Probes of the last second or so that were sent while the run rested, and those of them that waited too long. */
  readonly rest: { readonly probes: number; readonly late: number };
  /** Until then nothing is judged: what is on its way still tells of the state before. */
  readonly holdUntilMs: number;
  /** undefined: nothing was felt yet. */
  readonly judgedMs: number | undefined;
}

/** What the probe has felt since the last judgement. Counts include the probes that a late one kept from being sent. */
export interface Observation {
  readonly atMs: number;
  readonly probes: number;
  /** Those that waited longer than the noise of an idle server and `sloMs` together. */
  readonly late: number;
  /** The same of those sent while the run rested. */
  readonly rest: { readonly probes: number; readonly late: number };
  /** The largest chunk, what it takes the server without stalls, and how many were under way at once; undefined when none was sent. */
  readonly chunk: { readonly commands: number; readonly ms: number; readonly flights: number } | undefined;
}

/** The least share: a run that is yielding still ends some day. */
export const FLOOR = 0.05;
/** The least share while others wait as long when the run rests: it is not the run that makes them wait. */
export const COURTESY = 0.5;
/** Commands at once, at least and at most: fewer than this save a tenth of a millisecond, and cost a round trip each. */
export const MIN_CHUNK = 64;
export const MAX_CHUNK = 1_000_000;
/** The share gained in a calm tenth of a second, at most five times that at once, and what is left of it after a late stretch. */
const GAIN = 0.05;
const CUT = 0.75;
/** A stretch is calm after this long, with this many probes in it. */
const STRETCH_MS = 100;
const STRETCH_PROBES = 20;
/** The share of late probes that a p99 allows, and the least number that is no chance. */
const LATE_SHARE = 0.01;
const LATE_PROBES = 2;
/** The share that is taken for chance where the run cannot have caused it: a busy machine, not a server that stalls. */
const UNEXPLAINED_SHARE = 0.1;

const slos: Readonly<Record<Mode, number | undefined>> = {
  latency_optimized: 1,
  balanced: 5,
  throughput_optimized: undefined,
};

/** A mode's terms: latency_optimized adds at most 1 ms and starts with half of the time, balanced 5 ms with all of it, throughput_optimized has no target. `sloMs` wins. */
export function termsOf(mode: Mode, sloMs: number | undefined): ControlTerms {
  const gentle = mode === 'latency_optimized';
  return { sloMs: sloMs ?? slos[mode], strict: gentle || sloMs !== undefined, start: gentle ? 0.5 : 1 };
}

/** The state before anything was felt. */
export function openControl(terms: ControlTerms): Control {
  return {
    terms,
    share: terms.start,
    maxChunk: MAX_CHUNK,
    rest: { probes: 0, late: 0 },
    holdUntilMs: 0,
    judgedMs: undefined,
  };
}

/** The state after what was felt; the same object when it is too early to judge: the caller then goes on counting. */
export function judge(control: Control, seen: Observation): Control {
  const { sloMs } = control.terms;
  const { judgedMs } = control;
  if (sloMs === undefined || seen.atMs < control.holdUntilMs) return control;
  if (judgedMs === undefined) return { ...control, judgedMs: seen.atMs };
  const late = seen.late >= LATE_PROBES && seen.late > lateShare(control, seen, sloMs) * seen.probes;
  const stretch = seen.atMs - judgedMs >= STRETCH_MS && seen.probes >= STRETCH_PROBES;
  if (!late && !stretch) return control;
  const rest = {
    probes: control.rest.probes * 0.8 + seen.rest.probes,
    late: control.rest.late * 0.8 + seen.rest.late,
  };
  const judged = { ...control, rest, judgedMs: seen.atMs };
  return late ? cut(judged, seen, sloMs) : gain(judged, seen, sloMs, seen.atMs - judgedMs);
}

/** Where all that is under way takes the server less than others may wait, a few that waited longer waited for something else. */
function lateShare({ terms }: Control, { chunk }: Observation, sloMs: number): number {
  const explained = chunk === undefined || chunk.ms * chunk.flights > sloMs;
  return terms.strict || explained ? LATE_SHARE : UNEXPLAINED_SHARE;
}

function cut(control: Control, seen: Observation, sloMs: number): Control {
  const { chunk } = seen;
  const held = { ...control, holdUntilMs: seen.atMs + Math.max(10, chunk?.ms ?? 0) };
  if (othersWaitAnyway(control, seen)) {
    const { share } = control;
    return { ...held, share: share > COURTESY ? Math.max(COURTESY, share * CUT) : Math.min(COURTESY, share + GAIN) };
  }
  if (chunk !== undefined && chunk.ms > sloMs / 2 && Math.min(chunk.commands, control.maxChunk) > MIN_CHUNK) {
    const factor = Math.min(0.9, Math.max(0.25, sloMs / 2 / chunk.ms));
    return { ...held, maxChunk: clampChunk(Math.min(chunk.commands, control.maxChunk) * factor) };
  }
  return { ...held, share: Math.max(FLOOR, control.share * CUT) };
}

function gain(control: Control, seen: Observation, sloMs: number, calmMs: number): Control {
  const share = Math.min(1, control.share + GAIN * Math.min(5, Math.max(1, calmMs / STRETCH_MS)));
  // a chunk that takes the whole allowance cannot grow; one of unknown size may
  const roomy = seen.chunk === undefined || seen.chunk.ms < sloMs / 2;
  return { ...control, share, maxChunk: roomy ? clampChunk(control.maxChunk * 1.25) : control.maxChunk };
}

/** True when those who asked while the run rested waited too long nearly as often. */
function othersWaitAnyway({ rest }: Control, seen: Observation): boolean {
  return rest.probes >= 30 && rest.late / rest.probes >= (0.5 * seen.late) / seen.probes;
}

function clampChunk(commands: number): number {
  return Math.min(MAX_CHUNK, Math.max(MIN_CHUNK, Math.floor(commands)));
}
