/** Findings as Markdown, for the summary of a job or the text of a review: the verdict, a table by place, and the ways out. */
import type { Severity } from '../plan/diagnostic.ts';
import type { LintDiagnostic, LintResult } from '../plan/lint-result.ts';
import { clean, counted } from './layout.ts';
import { lintCounts } from './lint-text.ts';

/** The summary: a heading, the counts, one row a finding, then why and fix of each code once. Ends with a newline. */
export function lintMarkdown(result: LintResult): string {
  const { diagnostics, unchecked, suppressed = [], audited = [] } = result;
  const sorted = weights.flatMap((weight) => diagnostics.filter(({ severity }) => severity === weight));
  const blocks = [
    '## redops lint',
    lintCounts(result),
    ...audited.map(({ name, input, commands, notes }) =>
      [`${code(name)}: ${counted(commands, 'command')} read as ${input}.`, ...notes.map(text)].join(' '),
    ),
    ...(sorted.length > 0 ? [table(sorted)] : []),
    ...codesOf(sorted).map(explanation),
    ...(suppressed.length > 0
      ? [list('Suppressed in the file', suppressed, (one) => `${one.code} at ${code(one.at)}: ${text(one.reason)}`)]
      : []),
    ...(unchecked.length > 0
      ? [list('Not checked, which is not a pass', unchecked, (one) => `${one.code}: ${text(one.reason)}`)]
      : []),
  ];
  return `${blocks.join('\n\n')}\n`;
}

const weights: readonly Severity[] = ['error', 'warning', 'info'];

function table(diagnostics: readonly LintDiagnostic[]): string {
  const rows = diagnostics.map((one) => {
    const times = one.count === undefined ? '' : ` (${one.count} times)`;
    return `| ${one.severity} | ${one.code} | ${code(one.at)} | ${text(one.message)}${times} |`;
  });
  return ['| severity | code | place | finding |', '|---|---|---|---|', ...rows].join('\n');
}

/** The first finding of each code. */
function codesOf(diagnostics: readonly LintDiagnostic[]): readonly LintDiagnostic[] {
  return [...new Map(diagnostics.toReversed().map((one) => [one.code, one])).values()].toReversed();
}

function explanation({ code: name, why, fix }: LintDiagnostic): string {
  return `**${name}**: ${text(why)} ${text(fix)}`;
}

function list<T>(heading: string, items: readonly T[], line: (item: T) => string): string {
  return [`**${heading}** (${items.length})`, '', ...items.map((item) => `- ${line(item)}`)].join('\n');
}

/** Foreign text as Markdown that shows it and nothing else: no markup, no link, no HTML, no new line. */
function text(words: string): string {
  return clean(words.replace(/\s+/g, ' ')).replace(/[\\`*_[\]<>|~#!&@]/g, '\\$&');
}

/** Foreign text as code, where it holds nothing that means something inside code or to a table's row; else as text. */
function code(words: string): string {
  return words === '' || /[`|\\\s]/.test(words) ? text(words) : `\`${clean(words)}\``;
}
