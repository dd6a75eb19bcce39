/**
 * What keeps a run gentle: it measures on a connection of its own what other clients feel, and lets the run work and rest
 * by that, and by what the server says of its replicas, its memory and its forks. Where nothing can be measured the run
 * keeps to fixed slices, and the report says so.
 */
import { OpsError } from '../base/ops-error.ts';
import type { GovernorFacts, YieldReason } from '../plan/report.ts';
import type { Lease, Route } from '../redis/connection.ts';
import {
  type Control,
  type ControlTerms,
  FLOOR,
  judge,
  MAX_CHUNK,
  type Observation,
  openControl,
  termsOf,
} from './governor-control.ts';
import { createProbe, type Felt, feelIdle, keepAsking } from './governor-probe.ts';
import { readSignals, type Yield, yieldsTo } from './governor-signals.ts';
import { createHistogram, type Histogram } from './histogram.ts';
import type { Session, SessionContext } from './session.ts';
import type { Mode } from './window.ts';

/** Who is governed. */
export interface GovernorOptions {
  readonly mode: Mode;
  /** limits.slo_p99_ms; undefined: the mode's own, see termsOf. */
  readonly sloMs: number | undefined;
  /** Where the work goes; every primary when left out. */
  readonly route?: Route;
}

/** Holds one run; all of it is bounded by the run's signal. */
export interface Governor {
  /**
   * Before each chunk, by as many workers as there are: rests when that is due. What it gives is called when the chunk is
   * answered; where nobody ever calls it, all time between two chunks counts as work. Rejects when the run is interrupted.
   */
  pace(commands: number): Promise<() => void>;
  /** How many commands may go at once now, of so many planned: at least 1. */
  chunk(planned: number): number;
  /** What it saw and did until now. */
  facts(): GovernorFacts;
  close(): Promise<void>;
}

/** Nodes of a cluster that are asked. */
const MOST_NODES = 16;
/** A pause ends after this long, whatever the signal says: the run goes on at the least share. */
const MOST_PAUSE_MS = 60_000;
/** A pause looks this often whether it is over. */
const PAUSE_STEP_MS = 50;
/** Rest that is owed at most, in milliseconds; less where nobody tells when a chunk is answered, and a wait could be for anything. */
const MOST_DEBT_MS = 1000;
const MOST_DEBT_UNTOLD_MS = 20;
/** A lost probe is opened again after this long, so often. */
const REOPEN_MS = 1000;
const MOST_REOPENED = 10;

/** Opens the probes, listens for a moment, and governs. Throws only for bugs: without a probe it keeps to fixed slices. */
export async function startGovernor(
  session: Session<SessionContext>,
  { mode, sloMs, route }: GovernorOptions,
): Promise<Governor> {
  const { connection } = session.context;
  const { steering } = session.context;
  const ledger = createLedger(() => {
    const changed = steering?.now().slo_p99_ms;
    return termsOf(mode, changed === undefined ? sloMs : (changed ?? undefined));
  }, mode);
  const nodes = route === undefined ? connection.nodes() : [];
  const routes = nodes.length > 1 ? nodes.slice(0, MOST_NODES).map(({ address }) => ({ address })) : [route ?? {}];
  if (nodes.length > MOST_NODES) ledger.blind(`${nodes.length - MOST_NODES} of ${nodes.length} nodes were not watched`);
  const watches = routes.map((one) => watch(session, one, ledger));
  await Promise.all(watches.map(({ ready }) => ready));
  const pacer = createPacer(session, ledger);
  return {
    pace: pacer.pace,
    chunk: (planned) => Math.max(1, Math.min(planned, ledger.maxChunk)),
    facts: () => ledger.facts(),
    async close() {
      await Promise.all(watches.map((one) => one.close()));
    },
  };
}

/** The facts of two governors of one run: the worse of each. */
export function mergeFacts(a: GovernorFacts | undefined, b: GovernorFacts): GovernorFacts {
  if (a === undefined) return b;
  const most = (name: 'idle_p99_ms' | 'p99_added_ms'): Partial<GovernorFacts> =>
    a[name] === undefined && b[name] === undefined ? {} : { [name]: Math.max(a[name] ?? 0, b[name] ?? 0) };
  const chunks = [a.smallest_chunk, b.smallest_chunk].filter((one) => one !== undefined);
  const rested = new Map(a.rested.map(({ reason, ms }) => [reason, ms]));
  for (const { reason, ms } of b.rested) rested.set(reason, Math.max(ms, rested.get(reason) ?? 0));
  return {
    ...(b.slo_p99_ms === undefined ? {} : { slo_p99_ms: b.slo_p99_ms }),
    probes: a.probes + b.probes,
    ...most('idle_p99_ms'),
    ...most('p99_added_ms'),
    share: {
      lowest: Math.min(a.share.lowest, b.share.lowest),
      highest: Math.max(a.share.highest, b.share.highest),
      last: Math.min(a.share.last, b.share.last),
    },
    ...(chunks.length === 0 ? {} : { smallest_chunk: Math.min(...chunks) }),
    rested: [...rested].map(([reason, ms]) => ({ reason, ms })).sort((x, y) => y.ms - x.ms),
    unmeasured: [...new Set([...a.unmeasured, ...b.unmeasured])],
  };
}

/** Work is the time with a chunk on its way; rest is owed for it, and is taken by all workers at once. */
function createPacer(session: Session<SessionContext>, ledger: Ledger): Pick<Governor, 'pace'> {
  const { clock, signal } = session.context;
  const flying = new Set<object>();
  let told = false;
  let sinceMs = 0;
  let debtMs = 0;
  let pausedMs = 0;
  let gate: Promise<void> | undefined;

  /** Adds the work since the last time to what is owed. */
  const owe = (nowMs: number, lessMs = 0): void => {
    const workedMs = flying.size === 0 ? 0 : Math.max(0, nowMs - sinceMs - lessMs);
    const { share } = ledger.binding(false);
    debtMs = Math.min(told ? MOST_DEBT_MS : MOST_DEBT_UNTOLD_MS, debtMs + (workedMs * (1 - share)) / share);
    sinceMs = nowMs;
  };

  const sleep = async (ms: number, reason: YieldReason): Promise<number> => {
    const startMs = clock.monotonic();
    ledger.resting = true;
    try {
      await clock.sleep(ms, signal);
    } finally {
      ledger.resting = false;
      ledger.rested(reason, clock.monotonic() - startMs);
    }
    return clock.monotonic() - startMs;
  };

  const rest = async (): Promise<void> => {
    if (debtMs >= 1) debtMs -= await sleep(debtMs, ledger.binding(false).reason);
    for (;;) {
      const held = ledger.binding(true);
      if (held.share > 0) pausedMs = 0;
      if (held.share > 0 || pausedMs >= MOST_PAUSE_MS) return;
      pausedMs += await sleep(PAUSE_STEP_MS, held.reason);
    }
  };

  return {
    async pace(commands) {
      owe(clock.monotonic());
      if (!told) flying.clear();
      while (gate !== undefined) await gate;
      if (debtMs >= 1 || ledger.binding(true).share === 0) {
        gate = rest().finally(() => {
          gate = undefined;
        });
        await gate;
      }
      const startMs = clock.monotonic();
      const chunk = {};
      owe(startMs, told ? 0 : Infinity);
      flying.add(chunk);
      return () => {
        told = true;
        const nowMs = clock.monotonic();
        if (!flying.has(chunk)) return;
        // the way there and back is no work of the server's
        owe(nowMs, flying.size === 1 ? ledger.roundTripMs : 0);
        flying.delete(chunk);
        const ms = Math.max(0, nowMs - startMs - ledger.roundTripMs);
        ledger.chunk({ commands: Math.max(1, commands), ms, flights: flying.size + 1 });
      };
    },
  };
}

/** One node's probe, opened again when it is lost. */
function watch(
  session: Session<SessionContext>,
  route: Route,
  ledger: Ledger,
): { readonly ready: Promise<void>; close(): Promise<void> } {
  const { steering, signal } = session.context;
  const closing = new AbortController();
  const going = AbortSignal.any([signal, closing.signal]);
  let lease: Lease | undefined;
  let closed = false;
  let wake: (() => void) | undefined;
  let listening: Promise<void> | undefined;

  const open = async (): Promise<boolean> => {
    try {
      lease = await session.context.connection.lease({ ...route, name: `redops:${session.context.runId}:probe` });
      if (closed) return false;
      const probe = createProbe(lease);
      const node = ledger.node(await feelIdle(probe));
      listening = keepAsking(probe, {
        held: () => steering?.hold(going),
        resting: () => ledger.resting,
        felt: node.felt,
        told: (fields) => ledger.signals(route.address ?? '', fields),
        untold: (reason) => ledger.blind(`INFO was refused (${reason}): replicas, memory and forks were not watched`),
      });
      return true;
    } catch (error) {
      if (!(error instanceof OpsError)) throw error;
      if (!closed) ledger.blind(`no probe: ${error.message}`);
      return false;
    }
  };

  const stay = async (opened: boolean): Promise<void> => {
    for (let attempt = 0; opened && !closed && attempt < MOST_REOPENED; attempt += 1) {
      await listening;
      if (closed) return;
      await lease?.close();
      ledger.lost(route.address ?? '');
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, REOPEN_MS).unref();
      });
      if (!closed) opened = await open();
    }
  };

  const opening = open();
  const ended = opening.then(stay);
  return {
    ready: opening.then(() => undefined),
    async close() {
      closed = true;
      closing.abort();
      await opening;
      await lease?.close();
      wake?.();
      await ended;
      await lease?.close();
    },
  };
}

type SentChunk = NonNullable<Observation['chunk']>;

interface Ledger {
  resting: boolean;
  readonly maxChunk: number;
  readonly roundTripMs: number;
  node(idle: readonly Felt[]): { felt(felt: Felt): void };
  lost(address: string): void;
  chunk(chunk: SentChunk): void;
  signals(address: string, fields: ReadonlyMap<string, string>): void;
  blind(reason: string): void;
  rested(reason: YieldReason, ms: number): void;
  /** What holds the run most: its share, and why. `pauses`: 0 is given as it is, else as the least share. */
  binding(pauses: boolean): { readonly share: number; readonly reason: YieldReason };
  facts(): GovernorFacts;
}

/** What was felt and done, by all probes of a run, and the state that follows from it. */
function createLedger(termsNow: () => ControlTerms, mode: Mode): Ledger {
  let terms = termsNow();
  const idle = createHistogram();
  const all = createHistogram();
  const rested = new Map<YieldReason, number>();
  const unmeasured = new Set<string>();
  const yields = new Map<string, readonly Yield[]>();
  let control: Control = openControl(terms);
  let chunk: SentChunk | undefined;
  let probes = 0;
  let fastestMs = Infinity;
  const lowest = { share: 1, chunk: MAX_CHUNK };
  let highest = 0;

  const take = (next: Control): void => {
    control = next;
    if (next.maxChunk < lowest.chunk) lowest.chunk = next.maxChunk;
    chunk = undefined;
  };
  const ledger: Ledger = {
    resting: false,
    get maxChunk() {
      return control.maxChunk;
    },
    get roundTripMs() {
      return Number.isFinite(fastestMs) ? fastestMs : 0;
    },
    node(first) {
      const own = createHistogram();
      for (const { waitMs, fastestMs: least } of first) {
        own.add(waitMs);
        idle.add(waitMs + least);
        fastestMs = Math.min(fastestMs, least);
      }
      // the noise of an idle server: no more of it is taken for idle than the run may add, and less once less is seen
      const noiseMs = Math.min(own.quantile(0.95), terms.sloMs ?? Infinity);
      return listen(noiseMs);
    },
    lost(address) {
      yields.delete(address);
      control = openControl(terms);
    },
    chunk(one) {
      // the largest, at the pace of the fastest: what a stall added to one is no reason to make all of them small
      const commands = Math.max(one.commands, chunk?.commands ?? 0);
      const each = Math.min(one.ms / one.commands, chunk === undefined ? Infinity : chunk.ms / chunk.commands);
      chunk = { commands, ms: commands * each, flights: Math.max(one.flights, chunk?.flights ?? 0) };
    },
    signals(address, fields) {
      yields.set(address, yieldsTo(readSignals(fields), yields.get(address) ?? [], mode));
    },
    blind: (reason) => {
      unmeasured.add(reason);
    },
    rested(reason, ms) {
      rested.set(reason, (rested.get(reason) ?? 0) + ms);
    },
    binding(pauses) {
      const held = [...yields.values()].flat().sort((a, b) => a.share - b.share)[0];
      const least = held && held.share < control.share ? held : { share: control.share, reason: 'latency' as const };
      lowest.share = Math.min(lowest.share, least.share);
      highest = Math.max(highest, least.share);
      return pauses ? least : { ...least, share: Math.max(FLOOR, least.share) };
    },
    facts: () => ({
      ...(terms.sloMs === undefined ? {} : { slo_p99_ms: terms.sloMs }),
      probes,
      ...(idle.count > 0 ? { idle_p99_ms: digits(idle.quantile(0.99)) } : {}),
      ...(all.count > 0 ? { p99_added_ms: digits(Math.max(0, all.quantile(0.99) - idle.quantile(0.99))) } : {}),
      share: {
        lowest: digits(Math.min(lowest.share, control.share)),
        highest: digits(Math.max(highest, control.share)),
        last: digits(control.share),
      },
      ...(lowest.chunk < MAX_CHUNK ? { smallest_chunk: lowest.chunk } : {}),
      rested: [...rested]
        .filter(([, ms]) => ms >= 1)
        .sort((a, b) => b[1] - a[1])
        .map(([reason, ms]) => ({ reason, ms: Math.round(ms) })),
      unmeasured: [...unmeasured],
    }),
  };

  /** Takes up an allowance that was changed on the way. */
  const follow = (): void => {
    const wanted = termsNow();
    if (wanted.sloMs === terms.sloMs && wanted.strict === terms.strict) return;
    terms = wanted;
    // where nothing is held any more, nothing would ever give back what was taken before
    control = terms.sloMs === undefined ? openControl(terms) : { ...control, terms };
  };

  /** Counts what one node's probe feels since the last judgement, and judges. */
  const listen = (idleNoiseMs: number): { felt(felt: Felt): void } => {
    let noiseMs = idleNoiseMs;
    const since: Histogram = createHistogram();
    const restSince: Histogram = createHistogram();
    return {
      felt({ atMs, waitMs, everyMs, resting, fastestMs: least }) {
        probes += 1;
        follow();
        fastestMs = Math.min(fastestMs, least);
        all.addWithOmitted(waitMs + least, everyMs);
        since.addWithOmitted(waitMs, everyMs);
        if (resting) restSince.addWithOmitted(waitMs, everyMs);
        const lateMs = noiseMs + (terms.sloMs ?? Infinity);
        const next = judge(control, {
          atMs: atMs + waitMs,
          probes: since.count,
          late: since.over(lateMs),
          rest: { probes: restSince.count, late: restSince.over(lateMs) },
          chunk,
        });
        if (next === control) return;
        noiseMs = Math.min(noiseMs, since.quantile(0.99));
        since.clear();
        restSince.clear();
        take(next);
      },
    };
  };
  return ledger;
}

function digits(value: number): number {
  return Number(value.toPrecision(3));
}
