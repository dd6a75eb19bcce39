/**
 * The report is a fold of the run's events and says nothing that no event said. Totals: the `page` events of a
 * scan job or a stream count everything and its `result` events only name the commands worth showing; every other
 * strategy counts by its results.
 */

import { assertNever } from '../base/assert.ts';
import { bytesId } from '../base/bytes.ts';
import { systemClock } from '../base/clock.ts';
import { errorByCode } from '../catalog/errors.ts';
import type { Diagnostic } from '../plan/diagnostic.ts';
import type { Event } from '../plan/event.ts';
import { countsByPage, type Plan } from '../plan/plan.ts';
import type { CommandResult, Report, Status, Totals, TtlGroup } from '../plan/report.ts';
import { resumeCommand } from '../plan/run.ts';

/** Results kept in a report; more are counted in `results_left_out`. */
export const resultsKept = 10_000;

/** A report in the making. `report()` may be asked at any time; before `run_finished` its status is `interrupted`. */
export interface Fold {
  add(event: Event): void;
  report(): Report;
}

/** Starts a report. `runId` stands until `run_started` names the run. */
export function createFold(plan: Plan, runId: string): Fold {
  const state = start(plan, runId);
  return { add: (event) => fold(state, event), report: () => finish(state) };
}

/** The report of a refusal, with the diagnostics that refused; nothing was sent. Without a plan (the request is wrong) the digest is "". `atMs`: Unix milliseconds. */
export function refusedReport(
  plan: Plan | undefined,
  diagnostics: readonly Diagnostic[],
  atMs = systemClock.now(),
): Report {
  return unrunReport('refused', plan, diagnostics, atMs);
}

/** The report of a plan that waits for an approval which the caller did not give; nothing was sent. The reason stands as APR001. */
export function needsApprovalReport(plan: Plan, reason: string, atMs = systemClock.now()): Report {
  const notice: Diagnostic = {
    code: 'APR001',
    severity: 'info',
    message: reason,
    at: 'apply',
    why: 'What a plan changes is shown to someone who may allow it before anything is sent.',
    fix: 'Approve at a terminal, or pass --yes where the table of approvals lets it approve this plan.',
    url: 'docs/rules/APR001.md',
  };
  return unrunReport('needs_approval', plan, [notice], atMs);
}

/** A report of nothing: no totals, no results, not complete. */
export function unrunReport(
  status: Status,
  plan: Plan | undefined,
  diagnostics: readonly Diagnostic[],
  atMs: number,
): Report {
  const warnings = new Map<string, Diagnostic>();
  for (const one of [...(plan?.warnings ?? []), ...diagnostics]) warn({ warnings }, one);
  return {
    run_id: '',
    plan_digest: plan?.digest ?? '',
    dry_run: false,
    status,
    totals: noTotals(),
    results: [],
    results_left_out: 0,
    errors: [],
    warnings: [...warnings.values()],
    timing: { started_at: new Date(atMs).toISOString(), duration_ms: 0 },
    verification: { complete: false, unproven: [] },
    undo: { available: false },
  };
}

/** The report of a finished stream of events. */
export function foldEvents(plan: Plan, runId: string, events: Iterable<Event>): Report {
  const one = createFold(plan, runId);
  for (const event of events) one.add(event);
  return one.report();
}

interface State {
  readonly plan: Plan;
  /** The run counts by its pages. */
  readonly pages: boolean;
  readonly totals: Totals;
  readonly results: CommandResult[];
  readonly errors: Map<string, Report['errors'][number]>;
  readonly warnings: Map<string, Diagnostic>;
  readonly groups: Map<string, TtlGroup>;
  readonly unproven: Set<string>;
  runId: string;
  dryRun: boolean;
  leftOut: number;
  found: Report['found'];
  transaction: Report['transaction'];
  stream: Report['stream'];
  exported: Report['exported'];
  saved: Report['saved'];
  governor: Report['governor'];
  steered: Report['steered'];
  walked: Report['verification']['walked'];
  engine: Report['engine'];
  status: Status | undefined;
  startedMs: number | undefined;
  endedMs: number | undefined;
  wouldSend: number | undefined;
  resumable: boolean;
}

function start(plan: Plan, runId: string): State {
  const state: State = {
    plan,
    pages: countsByPage(plan),
    totals: noTotals(),
    results: [],
    errors: new Map(),
    warnings: new Map(),
    groups: new Map(),
    unproven: new Set(),
    runId,
    dryRun: false,
    leftOut: 0,
    found: undefined,
    transaction: undefined,
    stream: undefined,
    exported: undefined,
    saved: undefined,
    governor: undefined,
    steered: undefined,
    walked: undefined,
    engine: undefined,
    status: undefined,
    startedMs: undefined,
    endedMs: undefined,
    wouldSend: undefined,
    resumable: false,
  };
  for (const warning of plan.warnings) warn(state, warning);
  return state;
}

function noTotals(): Totals {
  return { scanned: 0, matched: 0, changed: 0, unchanged: 0, failed: 0, unknown: 0, retried: 0 };
}

function fold(state: State, event: Event): void {
  switch (event.kind) {
    case 'run_started':
      state.runId = event.run_id;
      state.dryRun = event.dry_run;
      state.startedMs = event.at_ms;
      return;
    case 'result':
      return addResult(state, event.result, event.effect);
    case 'page':
      for (const name of totalNames) state.totals[name] += event.totals[name];
      state.engine = event.engine ?? state.engine;
      return;
    case 'found':
      state.found = { keys: [...(state.found?.keys ?? []), ...event.keys], more: event.more };
      return;
    case 'audited':
      for (const group of event.groups) addGroup(state.groups, group);
      return;
    case 'streamed':
      state.stream = event.facts;
      return;
    case 'exported':
      state.exported = event.facts;
      return;
    case 'saved':
      state.saved = event.facts;
      return;
    case 'governed':
      state.governor = event.facts;
      return;
    case 'verified':
      state.walked = event.facts;
      return;
    case 'steered':
      state.steered = event.facts;
      return;
    case 'retried':
      state.totals.retried += 1;
      return;
    case 'transaction':
      state.transaction = {
        outcome: event.outcome,
        attempts: event.attempts,
        engine: event.engine,
        ...(event.switched && { switched: event.switched }),
        ...(event.reads && { reads: { ...event.reads } }),
        ...(event.replicas !== undefined && { replicas: event.replicas }),
        ...(event.replicated && { replicated: event.replicated }),
        ...(event.found_by && { found_by: event.found_by }),
      };
      return;
    case 'notice':
      return warn(state, event.diagnostic);
    case 'unproven':
      state.unproven.add(event.reason);
      return;
    case 'run_finished':
      state.status = event.status;
      state.endedMs = event.at_ms;
      state.wouldSend = event.would_send;
      state.resumable = event.resumable ?? false;
      return;
    default:
      return assertNever(event);
  }
}

const totalNames = ['scanned', 'matched', 'changed', 'unchanged', 'failed', 'unknown', 'retried'] as const;

function addResult(state: State, result: CommandResult, effect: 'changed' | 'unchanged' | 'none'): void {
  if (state.results.length < resultsKept) state.results.push(result);
  else state.leftOut += 1;
  if (!state.pages) {
    if (result.outcome === 'ok' && effect !== 'none') state.totals[effect] += 1;
    if (result.outcome === 'error') state.totals.failed += 1;
    if (result.outcome === 'unknown') state.totals.unknown += 1;
  }
  if (result.outcome === 'error' || result.outcome === 'unknown') addError(state.errors, result);
}

const samplesKept = 3;
// a command without a reply and without a named cause is the condition E232
const noReply = { code: 'E232', name: 'outcome_unknown' };

function addError(errors: State['errors'], result: CommandResult): void {
  const { code, name } = result.error ?? noReply;
  const known = errors.get(code) ?? { code, name, count: 0, sample: [], recovery: errorByCode(code)?.recovery ?? '' };
  errors.set(code, {
    ...known,
    count: known.count + 1,
    sample: known.sample.length < samplesKept ? [...known.sample, result.argv] : known.sample,
  });
}

function addGroup(groups: State['groups'], group: TtlGroup): void {
  const id = bytesId(group.prefix);
  const known = groups.get(id);
  if (!known) {
    groups.set(id, group);
    return;
  }
  const shortest = Math.min(known.shortest_ms ?? Infinity, group.shortest_ms ?? Infinity);
  const longest = Math.max(known.longest_ms ?? -1, group.longest_ms ?? -1);
  groups.set(id, {
    prefix: known.prefix,
    keys: known.keys + group.keys,
    without_ttl: known.without_ttl + group.without_ttl,
    ...(shortest !== Infinity && { shortest_ms: shortest }),
    ...(longest >= 0 && { longest_ms: longest }),
  });
}

function warn(state: Pick<State, 'warnings'>, diagnostic: Diagnostic): void {
  state.warnings.set(`${diagnostic.code} ${diagnostic.at} ${diagnostic.message}`, diagnostic);
}

function finish(state: State): Report {
  const status = statusOf(state);
  const unproven = [...state.unproven];
  return {
    run_id: state.runId,
    plan_digest: state.plan.digest,
    dry_run: state.dryRun,
    ...(state.wouldSend !== undefined && { would_send: state.wouldSend }),
    status,
    totals: { ...state.totals, scanned: scannedOf(state) },
    results: [...state.results],
    results_left_out: state.leftOut,
    ...(state.found && { found: { keys: [...state.found.keys], more: state.found.more } }),
    ...(state.groups.size > 0 && { audit: [...state.groups.values()] }),
    ...(state.transaction && { transaction: state.transaction }),
    ...(state.stream && { stream: state.stream }),
    ...(state.exported && { exported: state.exported }),
    ...(state.saved && { saved: state.saved }),
    ...(state.engine && { engine: state.engine }),
    ...(state.governor && { governor: state.governor }),
    ...(state.steered && { steered: state.steered }),
    errors: [...state.errors.values()].sort((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1)),
    warnings: [...state.warnings.values()],
    timing: {
      started_at: new Date(state.startedMs ?? 0).toISOString(),
      duration_ms: Math.max(0, (state.endedMs ?? state.startedMs ?? 0) - (state.startedMs ?? 0)),
    },
    verification: {
      complete: unproven.length === 0 && (status === 'succeeded' || status === 'partial'),
      unproven,
      ...(state.walked && { walked: { ...state.walked, sample: [...state.walked.sample] } }),
    },
    ...(state.resumable && { resume: { command: resumeCommand(state.runId) } }),
    undo: { available: false },
  };
}

// SCAN's COUNT is what a call may visit; it visits no more keys than there are
function scannedOf({ totals, plan }: State): number {
  if (plan.target.selections.some((one) => one.listed)) return totals.scanned;
  return Math.min(totals.scanned, Math.max(plan.target.server.keys, totals.matched));
}

// "succeeded" with a failed or unknown item in the count would claim too much, whoever says it
function statusOf(state: State): Status {
  if (state.status === undefined) return 'interrupted';
  return state.status === 'succeeded' && state.totals.failed + state.totals.unknown > 0 ? 'partial' : state.status;
}
