import { expect, test } from 'vitest';
import type { ScriptTestResult } from '../plan/script-results.ts';
import { mistakeText, resultText, summaryText } from './script-test-text.ts';

const failed = (expected: string, got: string): ScriptTestResult => ({
  file: 'a.test.yaml',
  test: 't',
  server: 'redis 7.0.15',
  outcome: 'failed',
  mismatches: [{ at: 'key k', expected, got }],
  duration_ms: 2,
});

test('a difference names both sides', () => {
  expect(resultText(failed('string new', 'string old'))).toBe(`FAIL a.test.yaml: t  redis 7.0.15, 2 ms
       key k
         expected string new
         got      string old`);
});

test('of long values the place where they differ is shown', () => {
  const same = 'x'.repeat(5_000);
  const [, , expected = '', got = ''] = resultText(failed(`string ${same}A${same}`, `string ${same}B${same}`)).split(
    '\n',
  );
  expect(expected).toContain('xA');
  expect(got).toContain('xB');
  expect(Math.max(expected.length, got.length)).toBeLessThan(300);
  const longer = resultText(failed('string short', `string ${same}`)).split('\n');
  expect(longer[2]).toBe('         expected string short');
  expect(longer[3]?.length).toBeLessThan(300);
});

test('foreign text cannot act on a terminal', () => {
  const evil = '\u001b[2Jx\u202e';
  const text = [
    resultText({ ...failed(evil, evil), test: evil, file: evil, reason: evil }),
    mistakeText({ file: evil, line: 1, column: 2, message: evil, fix: evil }),
  ].join('\n');
  expect(text).not.toContain('\u001b');
  expect(text).not.toContain('\u202e');
});

test('the summary counts', () => {
  const report = { servers: ['redis 7.0.15'], passed: 1, failed: 0, skipped: 0, results: [] };
  expect(summaryText(report)).toBe('1 passed, 0 failed on redis 7.0.15');
  expect(summaryText({ ...report, skipped: 2, servers: ['a', 'b'] })).toBe(
    '1 passed, 0 failed, 2 skipped on 2 servers: a, b',
  );
});
