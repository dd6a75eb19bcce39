/** Tests of scripts for people: a line each, differences below it, and one line of what it came to. */
import { printable } from '../base/bytes.ts';
import { formatDuration } from '../base/units.ts';
import type { ScriptTestReport, ScriptTestResult } from '../plan/script-results.ts';
import { clean, clip, counted, type ViewOptions, viewOf } from './layout.ts';

/** One test on one server: its line, and where it failed what was expected and what came. */
export function resultText(result: ScriptTestResult, options: ViewOptions = {}): string {
  const { paint } = viewOf(options);
  const { outcome, server, file, test, mismatches, reason, duration_ms } = result;
  const mark = { passed: paint.green('ok  '), failed: paint.red('FAIL'), skipped: paint.yellow('skip') }[outcome];
  const line = `${mark} ${clean(file)}: ${clean(test)}  ${paint.dim(`${server}, ${formatDuration(duration_ms)}`)}`;
  return [
    line,
    ...(reason === undefined ? [] : [`       ${clean(reason)}`]),
    ...mismatches.flatMap(({ at, ...sides }) => {
      const [expected, got] = fromDifference(clean(sides.expected), clean(sides.got));
      return [`       ${clean(at)}`, `         expected ${expected}`, `         got      ${got}`];
    }),
  ].join('\n');
}

/** Longer values are shown from shortly before they differ, and no further than that; --json has them whole. */
const mostColumns = 240;

function fromDifference(expected: string, got: string): readonly [string, string] {
  if (expected.length <= mostColumns && got.length <= mostColumns) return [expected, got];
  let same = 0;
  while (same < expected.length && expected[same] === got[same]) same += 1;
  const start = Math.max(0, same - 40);
  const part = (text: string): string => clip(`${start > 0 ? '...' : ''}${text.slice(start)}`, mostColumns);
  return [part(expected), part(got)];
}

/** "12 passed, 1 failed on redis 7.0.15, valkey 9.0.1". */
export function summaryText(report: ScriptTestReport, options: ViewOptions = {}): string {
  const { paint } = viewOf(options);
  const { passed, failed, skipped, servers } = report;
  const words = [`${passed} passed`, `${failed} failed`, ...(skipped > 0 ? [`${skipped} skipped`] : [])].join(', ');
  const where = servers.length === 1 ? servers[0] : `${counted(servers.length, 'server')}: ${servers.join(', ')}`;
  return `${failed > 0 ? paint.red(words) : paint.green(words)} on ${where}`;
}

/** A mistake in a fixture file: its place as editors read it, what it is, what to do. */
export function mistakeText(mistake: {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly fix: string;
}): string {
  const { file, line, column, message, fix } = mistake;
  const place = line === undefined ? '' : `:${line}:${column ?? 1}`;
  return `${printable(file)}${place}: ${clean(message)}\n  ${clean(fix)}`;
}
