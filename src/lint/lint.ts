/**
 * Runs every rule over a subject: pure, no server, no clock. Adds what a finding does not say itself (code, weight, page,
 * whether the request accepts it), sorts by place, and keeps the list readable when one mistake is made 10,000 times.
 */
import type { Diagnostic, Severity, Unchecked } from '../plan/diagnostic.ts';
import type { Convention } from '../plan/target.ts';
import { pageOf } from './page.ts';
import type { Finding, Rule, Subject } from './rule.ts';
import { rules as everyRule } from './rules/index.ts';

/** How to weigh findings. */
export interface LintOptions {
  /** Codes of errors accepted on purpose. */
  readonly accept?: readonly string[];
  /** Weights by code, from redops.yaml; `off` leaves the rule out. */
  readonly severities?: Readonly<Record<string, Severity | 'off'>>;
  /** Unix milliseconds now: what a fixed deadline is compared with. The server's clock when left out; with neither, such commands are `unchecked`. */
  readonly now?: number;
  /** What keys are meant to be, where a plan does not say it itself. */
  readonly conventions?: readonly Convention[];
  /** The rules to run; all of them when left out. */
  readonly rules?: readonly Rule[];
}

/** What the rules say, sorted by place, and which of them could not judge. */
export interface LintOutcome {
  readonly diagnostics: readonly Diagnostic[];
  readonly unchecked: readonly Unchecked[];
}

/** In a plan one code is listed this often; the last one says how many more there are. Files are listed in full. */
const mostInPlan = 20;

/** Judges a subject. */
export function lint(subject: Subject, options: LintOptions = {}): LintOutcome {
  const { conventions } = options;
  const judged = judgeable(conventions ? { ...subject, conventions } : subject, options.now);
  const diagnostics: Diagnostic[] = [];
  const unchecked: Unchecked[] = [];
  for (const rule of options.rules ?? everyRule) {
    if (options.severities?.[rule.code] === 'off') continue;
    const verdict = rule.check(judged);
    const found = subject.draft ? cut(verdict.findings, rule) : verdict.findings;
    diagnostics.push(...found.map((finding) => diagnosticOf(rule, finding, options)));
    if (verdict.unchecked !== undefined) unchecked.push({ code: rule.code, reason: verdict.unchecked });
  }
  return { diagnostics: diagnostics.sort(byPlace), unchecked };
}

// what a busy server said are placeholders: no facts at all
function judgeable(subject: Subject, given: number | undefined): Subject {
  const { target, ...rest } = subject;
  if (target?.server.busy) return { ...rest, ...(given !== undefined && { now: given }), busy: true };
  const now = given ?? subject.now ?? target?.server.time_ms;
  return now === undefined ? subject : { ...subject, now };
}

function diagnosticOf(rule: Rule, finding: Finding, options: LintOptions): Diagnostic {
  const set = options.severities?.[rule.code];
  const severity = set === undefined || set === 'off' ? (finding.severity ?? rule.severity) : set;
  return {
    code: rule.code,
    severity,
    message: finding.message,
    at: finding.at,
    why: finding.why,
    fix: finding.fix,
    url: pageOf(rule.code),
    ...(finding.span && { span: finding.span }),
    ...(rule.error !== undefined && { error: rule.error }),
    ...(severity === 'error' && acceptable(rule.code) && options.accept?.includes(rule.code) && { accepted: true }),
  };
}

/** A cap cannot be accepted away: whoever asks may not widen what a target allows, and can leave its own limits out. */
function acceptable(code: string): boolean {
  return !code.startsWith('CAP');
}

function cut(findings: readonly Finding[], rule: Rule): readonly Finding[] {
  const rest = findings.length - mostInPlan;
  if (rest <= 0) return findings;
  // an error must not be cut away behind warnings of the same code
  const isError = (finding: Finding): number => Number((finding.severity ?? rule.severity) === 'error');
  const heaviest = findings.toSorted((a, b) => isError(b) - isError(a));
  const last = heaviest[mostInPlan - 1]!;
  return [...heaviest.slice(0, mostInPlan - 1), { ...last, message: `${last.message} (and ${rest} more like this)` }];
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return (
    compare(a.span?.file ?? '', b.span?.file ?? '') ||
    (a.span?.line ?? 0) - (b.span?.line ?? 0) ||
    (a.span?.column ?? 0) - (b.span?.column ?? 0) ||
    naturally(a.at, b.at) ||
    compare(a.code, b.code)
  );
}

// commands[2] before commands[10]
function naturally(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(/(\d+)/));
  for (const [index, part] of left!.entries()) {
    const other = right![index] ?? '';
    const order = index % 2 === 1 ? Number(part) - Number(other) : compare(part, other);
    if (order !== 0) return order;
  }
  return left!.length - right!.length;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
