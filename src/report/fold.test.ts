import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { someDiagnostic, somePlan } from '../../test/cli/documents.ts';
import { OpsError } from '../base/ops-error.ts';
import type { Event } from '../plan/event.ts';
import { type CommandResult, Report } from '../plan/report.ts';
import { faultReport } from './fault-report.ts';
import { createFold, foldEvents, needsApprovalReport, refusedReport, resultsKept } from './fold.ts';

const pipeline = somePlan({ execution_plan: { strategy: 'pipeline' } });
const started: Event = { kind: 'run_started', run_id: 'r1', plan_digest: pipeline.digest, dry_run: false, at_ms: 1000 };
const ended = (status: Report['status']): Event => ({ kind: 'run_finished', status, at_ms: 3500 });

function result(
  index: number,
  outcome: CommandResult['outcome'],
  effect: 'changed' | 'unchanged' | 'none' = 'none',
  error?: CommandResult['error'],
): Event {
  const argv = ['SET', `k${index}`, 'v'];
  return { kind: 'result', effect, result: { index, argv, outcome, reply: null, ...(error && { error }) } };
}

const wrongType = { code: 'E218', name: 'WRONGTYPE', message: 'Operation against a key' };

describe('createFold', () => {
  it('counts results by their effect and outcome, and gives a valid report', () => {
    const report = foldEvents(pipeline, 'r0', [
      started,
      result(0, 'ok', 'changed'),
      result(1, 'ok', 'unchanged'),
      result(2, 'ok'),
      result(3, 'error', 'none', wrongType),
      result(4, 'unknown', 'changed'),
      result(5, 'not_sent', 'changed'),
      { kind: 'retried', reason: 'BUSY', attempt: 1, wait_ms: 500 },
      ended('partial'),
    ]);
    expect(Report.parse(report)).toEqual(report);
    expect(report.totals).toEqual({
      scanned: 0,
      matched: 0,
      changed: 1,
      unchanged: 1,
      failed: 1,
      unknown: 1,
      retried: 1,
    });
    expect(report).toMatchObject({ run_id: 'r1', status: 'partial', timing: { duration_ms: 2500 } });
  });

  it('keeps what the governor said last', () => {
    const facts = { probes: 5, share: { lowest: 1, highest: 1, last: 1 }, rested: [], unmeasured: [] };
    const report = foldEvents(pipeline, 'r0', [
      started,
      { kind: 'governed', facts },
      { kind: 'governed', facts: { ...facts, probes: 9 } },
      ended('succeeded'),
    ]);
    expect(Report.parse(report).governor).toEqual({ ...facts, probes: 9 });
    expect(foldEvents(pipeline, 'r0', [started, ended('succeeded')])).not.toHaveProperty('governor');
  });

  it('counts a scan job by its pages only, so that a failure named twice is one failure', () => {
    const totals = { scanned: 100, matched: 10, changed: 8, unchanged: 1, failed: 1, unknown: 0, retried: 0 };
    const report = foldEvents(somePlan(), 'r1', [
      started,
      { kind: 'page', totals, planned_keys: 20 },
      result(3, 'error', 'none', wrongType),
      { kind: 'page', totals: { ...totals, failed: 0 }, planned_keys: 20 },
      ended('partial'),
    ]);
    expect(report.totals).toEqual({ ...totals, scanned: 200, matched: 20, changed: 16, unchanged: 2 });
    expect(report.errors).toHaveLength(1);
  });

  it('groups errors by code, with three samples and the recovery of the catalog; no reply is E232', () => {
    const events = [...Array(5).keys()].map((at) => result(at, 'error', 'none', wrongType));
    const report = foldEvents(pipeline, 'r1', [started, result(9, 'unknown'), ...events, ended('partial')]);
    expect(report.errors.map(({ code, count, sample }) => [code, count, sample.length])).toEqual([
      ['E218', 5, 3],
      ['E232', 1, 1],
    ]);
    for (const error of report.errors) expect(error.recovery.length).toBeGreaterThan(20);
  });

  it('is interrupted and incomplete until run_finished was seen', () => {
    const fold = createFold(pipeline, 'r1');
    fold.add(started);
    fold.add(result(0, 'ok', 'changed'));
    expect(fold.report()).toMatchObject({ status: 'interrupted', verification: { complete: false } });
    fold.add(ended('succeeded'));
    expect(fold.report()).toMatchObject({ status: 'succeeded', verification: { complete: true } });
  });

  it('never says succeeded over a failed or unknown item, nor complete over a doubt', () => {
    const failed = foldEvents(pipeline, 'r1', [started, result(0, 'unknown'), ended('succeeded')]);
    expect(failed.status).toBe('partial');
    const doubt: Event = { kind: 'unproven', reason: 'the keyspace was not quiet' };
    const unproven = foldEvents(pipeline, 'r1', [started, doubt, doubt, ended('succeeded')]);
    expect(unproven.verification).toEqual({ complete: false, unproven: ['the keyspace was not quiet'] });
  });

  it('keeps the first 10,000 results and counts the rest, errors of the rest included', () => {
    const fold = createFold(pipeline, 'r1');
    fold.add(started);
    for (let at = 0; at < resultsKept + 7; at += 1) fold.add(result(at, 'error', 'none', wrongType));
    const report = fold.report();
    expect(report.results).toHaveLength(resultsKept);
    expect(report.results_left_out).toBe(7);
    expect(report.errors[0]?.count).toBe(resultsKept + 7);
    expect(report.totals.failed).toBe(resultsKept + 7);
  });

  it('joins what was found, merges TTL groups and keeps the transaction with its reads', () => {
    const report = foldEvents(somePlan({ execution_plan: { strategy: 'watch_transaction' } }), 'r1', [
      started,
      { kind: 'found', keys: ['a'], more: true },
      { kind: 'found', keys: [{ base64: '/w==' }], more: false },
      { kind: 'audited', groups: [{ prefix: 'a:', keys: 2, without_ttl: 1, shortest_ms: 5, longest_ms: 5 }] },
      { kind: 'audited', groups: [{ prefix: 'a:', keys: 3, without_ttl: 3 }] },
      { kind: 'transaction', outcome: 'conflict', attempts: 4, engine: 'watch', reads: { balance: 10 } },
      ended('failed'),
    ]);
    expect(report.found).toEqual({ keys: ['a', { base64: '/w==' }], more: false });
    expect(report.audit).toEqual([{ prefix: 'a:', keys: 5, without_ttl: 4, shortest_ms: 5, longest_ms: 5 }]);
    expect(report.transaction).toEqual({ outcome: 'conflict', attempts: 4, engine: 'watch', reads: { balance: 10 } });
    expect(Report.parse(report)).toEqual(report);
  });

  it("shows each warning once, the plan's before the notices", () => {
    const planned = somePlan({ warnings: [someDiagnostic()] });
    const notice: Event = { kind: 'notice', diagnostic: someDiagnostic({ code: 'NET001' }) };
    const report = foldEvents(planned, 'r1', [
      started,
      { kind: 'notice', diagnostic: someDiagnostic() },
      notice,
      notice,
      ended('succeeded'),
    ]);
    expect(report.warnings.map(({ code }) => code)).toEqual(['DEL001', 'NET001']);
  });

  it('accounts for every result exactly once, whatever their order', () => {
    const outcome = fc.constantFrom<CommandResult['outcome']>('ok', 'error', 'unknown', 'not_sent');
    const effect = fc.constantFrom<'changed' | 'unchanged' | 'none'>('changed', 'unchanged', 'none');
    fc.assert(
      fc.property(fc.array(fc.tuple(outcome, effect), { maxLength: 60 }), (results) => {
        const events = results.map(([one, what], at) => result(at, one, what));
        const { totals, errors } = foldEvents(pipeline, 'r1', [started, ...events, ended('partial')]);
        const silent = results.filter(([one, what]) => one === 'not_sent' || (one === 'ok' && what === 'none')).length;
        expect(totals.changed + totals.unchanged + totals.failed + totals.unknown + silent).toBe(results.length);
        expect(errors.reduce((sum, { count }) => sum + count, 0)).toBe(totals.failed + totals.unknown);
      }),
    );
  });
});

describe('reports of what did not run', () => {
  it('refuses with the diagnostics, once each, and claims nothing', () => {
    const refused = refusedReport(somePlan({ warnings: [someDiagnostic()] }), [someDiagnostic()], 0);
    expect(Report.parse(refused)).toEqual(refused);
    expect(refused).toMatchObject({ status: 'refused', run_id: '', verification: { complete: false } });
    expect(refused.warnings).toHaveLength(1);
    expect(refusedReport(undefined, [someDiagnostic()], 0).plan_digest).toBe('');
  });

  it('asks for approval with the digest and the reason', () => {
    const plan = somePlan();
    const report = needsApprovalReport(plan, 'the target counts as production', 0);
    expect(Report.parse(report)).toEqual(report);
    expect(report).toMatchObject({ status: 'needs_approval', plan_digest: plan.digest });
    expect(report.warnings.at(-1)).toMatchObject({ code: 'APR001', message: 'the target counts as production' });
  });

  it('names an operational fault by its E-code, else by its own code', () => {
    const lost = faultReport(
      new OpsError('connection_lost', 'the connection is gone', { remedy: 'Look.' }),
      undefined,
      0,
    );
    expect(lost).toMatchObject({ status: 'failed', errors: [{ code: 'E231', name: 'connection_lost' }] });
    expect(lost.errors[0]?.recovery).toBe('the connection is gone. Look.');
    const reply = faultReport(new OpsError('auth', 'refused', { reply: 'WRONGPASS' }), undefined, 0);
    expect(reply.errors[0]).toMatchObject({ name: 'WRONGPASS' });
    expect(faultReport(new OpsError('drift', 'changed'), somePlan(), 0).status).toBe('refused');
    expect(faultReport(new OpsError('state', 'disk full'), undefined, 0).errors[0]?.code).toBe('state');
    expect(Report.parse(lost)).toEqual(lost);
  });
});
