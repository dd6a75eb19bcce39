/** Findings of one code and weight as one: the first of them, how many there were, and where the next ones are. */
import type { Severity } from '../../plan/diagnostic.ts';
import type { LintDiagnostic } from '../../plan/lint-result.ts';
import { pageOf } from '../page.ts';
import type { Finding, Rule } from '../rule.ts';

/** Gathers findings in memory that does not grow with them. */
export interface Fold {
  add(rule: Rule, finding: Finding): void;
  /** What was found, in the order of the codes. */
  readonly diagnostics: readonly LintDiagnostic[];
}

/** How many places are named of one code beside the first. */
const morePlaces = 5;

/** A fold that weighs by the severities of redops.yaml. */
export function createFold(severities: Readonly<Record<string, Severity | 'off'>> = {}): Fold {
  const found = new Map<string, { readonly first: LintDiagnostic; readonly more: string[]; count: number }>();
  return {
    add: (rule, finding) => {
      const set = severities[rule.code];
      if (set === 'off') return;
      const severity = set ?? finding.severity ?? rule.severity;
      const id = `${rule.code} ${severity}`;
      const before = found.get(id);
      if (!before) return void found.set(id, { first: diagnosticOf(rule, severity, finding), more: [], count: 1 });
      before.count += 1;
      if (before.more.length < morePlaces) before.more.push(finding.at);
    },
    get diagnostics() {
      const sorted = [...found].toSorted(([a], [b]) => (a < b ? -1 : 1));
      return sorted.map(([, { first, more, count }]) =>
        count === 1 ? first : { ...first, count, ...(more.length > 0 && { more_at: more }) },
      );
    },
  };
}

function diagnosticOf(rule: Rule, severity: Severity, finding: Finding): LintDiagnostic {
  const { message, at, why, fix, span, bytes } = finding;
  const error = rule.error === undefined ? {} : { error: rule.error };
  const place = { ...(span && { span }), ...(bytes && { bytes }) };
  return { code: rule.code, severity, message, at, why, fix, url: pageOf(rule.code), ...place, ...error };
}
