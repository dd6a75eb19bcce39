import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CommandResult, Report } from '../plan/report.ts';
import type { ReplyValue } from '../plan/values.ts';
import { maxOutputTokens } from './answer.ts';
import { createRedact } from './redact.ts';
import { reportPage } from './report-page.ts';

const redact = createRedact([]);
const most = maxOutputTokens * 3.5;

function reportOf(results: readonly Partial<CommandResult>[], more: Partial<Report> = {}): Report {
  return {
    run_id: 'r1',
    plan_digest: `sha256:${'0'.repeat(64)}`,
    dry_run: false,
    status: 'succeeded',
    totals: { scanned: 0, matched: 0, changed: 0, unchanged: 0, failed: 0, unknown: 0, retried: 0 },
    results: results.map((one, index) => ({ index, argv: ['GET', 'k'], outcome: 'ok', reply: null, ...one })),
    results_left_out: 0,
    errors: [],
    warnings: [],
    timing: { started_at: '', duration_ms: 1 },
    verification: { complete: true, unproven: [] },
    undo: { available: false },
    ...more,
  };
}

const { reply } = fc.letrec<{ reply: ReplyValue }>((tie) => ({
  reply: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.string({ maxLength: 600, unit: 'binary' }),
    fc.integer(),
    fc.constant(null),
    fc.constant({ error: { code: 'E225', name: 'ERR', message: '"\\'.repeat(300) } }),
    fc.array(tie('reply'), { maxLength: 120 }),
  ),
}));

describe('a page', () => {
  test('is never more than a model is given, whatever was stored', () => {
    fc.assert(
      fc.property(
        fc.array(reply, { maxLength: 60 }),
        fc.nat(70),
        fc.option(fc.nat(60), { nil: undefined }),
        (replies, from, item) => {
          const page = reportPage(reportOf(replies.map((one) => ({ reply: one }))), redact, {
            from,
            ...(item === undefined ? {} : { item }),
          });
          expect(JSON.stringify(page).length).toBeLessThanOrEqual(most);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('is bounded for deep and wide replies, and all of it can be paged through', () => {
    const wide: ReplyValue = Array.from({ length: 300 }, (_, at) => [
      `name ${at}`,
      Array.from({ length: 50 }, () => 'x"'.repeat(100)),
    ]);
    const report = reportOf([{ argv: ['COMMAND'], reply: wide }]);
    const seen: string[] = [];
    let from: number | undefined = 0;
    while (from !== undefined) {
      const page = reportPage(report, redact, { item: 0, from }) as unknown as {
        untrusted: { results: [{ reply: unknown[] }] };
        page: { next?: { from: number } };
      };
      expect(JSON.stringify(page).length).toBeLessThanOrEqual(most);
      for (const one of page.untrusted.results[0].reply) if (Array.isArray(one)) seen.push(String(one[0]));
      const { next } = page.page;
      expect(next === undefined || next.from > from).toBe(true);
      from = next?.from;
    }
    expect(seen).toEqual(wide.map((one) => (Array.isArray(one) ? one[0] : '')));
  });

  test('goes on past values that read like its own words', () => {
    const reply: ReplyValue = Array.from({ length: 200 }, () => '... and 5 more elements');
    let steps = 0;
    for (let from: number | undefined = 0; from !== undefined; steps += 1) {
      const page = reportPage(reportOf([{ reply }]), redact, { item: 0, from }) as unknown as {
        page: { next?: { from: number } };
      };
      const { next } = page.page;
      if (next) expect(next.from).toBeGreaterThan(from);
      from = next?.from;
    }
    expect(steps).toBeLessThan(10);
  });

  test('goes on with the next item until there is none', () => {
    const keys = Array.from({ length: 5000 }, (_, at) => `a-key-of-some-length:${at}`);
    const report = reportOf([], { found: { keys, more: false } });
    const seen: unknown[] = [];
    for (let from: number | undefined = 0; from !== undefined; ) {
      const page = reportPage(report, redact, { from }) as unknown as {
        untrusted: { keys: unknown[] };
        page: { next?: { from: number } };
      };
      seen.push(...page.untrusted.keys);
      from = page.page.next?.from;
    }
    expect(seen).toEqual(keys);
  });

  test('keeps of the slow log the names of commands alone', () => {
    const entry: ReplyValue = [7, 1_700_000_000, 120, ['SET', 'token', 'Bearer-abcdef'], '127.0.0.1:1', ''];
    const text = JSON.stringify(reportPage(reportOf([{ argv: ['slowlog', 'get'], reply: [entry] }]), redact));
    expect(text).toContain('["SET","[2 arguments]"]');
    expect(text).not.toContain('token');
  });

  test('shows no secret of the command itself', () => {
    const text = JSON.stringify(
      reportPage(reportOf([{ argv: ['HSET', 'u', 'password', 'hunter2'], reply: 1 }]), redact),
    );
    expect(text).not.toContain('hunter2');
  });
});
