/** The verdict of lint for people: the findings with their source, what was suppressed, what was read of a capture, the counts. */
import type { Diagnostic } from '../plan/diagnostic.ts';
import type { LintResult } from '../plan/lint-result.ts';
import { diagnosticsText, type Sources, withoutSecrets } from './diagnostics-text.ts';
import { clean, counted, labelled, type ViewOptions, viewOf } from './layout.ts';

/** The text, without a newline at its end. `files`: how many there were, for the sentence that says that nothing was found. */
export function lintText(
  result: LintResult,
  files: number,
  options: ViewOptions & { readonly sources?: Sources } = {},
): string {
  const { diagnostics, unchecked, suppressed = [], audited = [] } = result;
  const { width } = viewOf(options);
  const sources = options.sources && withoutSecrets(options.sources, [...diagnostics, ...suppressed]);
  const found = diagnosticsText(diagnostics, { ...options, ...(sources && { sources }), unchecked, counts: false });
  const read = audited.flatMap(({ name, input, commands, notes }) => [
    `${clean(name)}: ${counted(commands, 'command')} read (${input})`,
    ...notes.flatMap((note) => labelled('  note', note, 7, width)),
  ]);
  const silent = suppressed.flatMap((one) =>
    labelled(`  ${clean(one.code)}`, `at ${one.at}: ${one.reason}`, 10, width),
  );
  const blocks = [
    ...(found === '' ? [] : [found]),
    ...(silent.length > 0 ? [[`suppressed in the file (${suppressed.length}):`, ...silent].join('\n')] : []),
    ...(read.length > 0 ? [read.join('\n')] : []),
    diagnostics.length === 0 && suppressed.length === 0
      ? `No findings in ${audited.length > 0 ? counted(audited.length, 'input') : counted(files, 'file')}.`
      : lintCounts(result),
  ];
  return blocks.join('\n\n');
}

/** "2 errors, 1 warning, 1 info; suppressed: 1 error": every finding counted, a folded one as often as it was found. */
export function lintCounts({ diagnostics, suppressed = [] }: LintResult): string {
  const shown = countsOf(diagnostics);
  return suppressed.length === 0 ? shown : `${shown}; suppressed: ${countsOf(suppressed)}`;
}

function countsOf(diagnostics: readonly (Diagnostic & { readonly count?: number })[]): string {
  const of = (severity: Diagnostic['severity']): number =>
    diagnostics.reduce((sum, one) => sum + (one.severity === severity ? (one.count ?? 1) : 0), 0);
  const info = of('info');
  return [counted(of('error'), 'error'), counted(of('warning'), 'warning'), ...(info > 0 ? [`${info} info`] : [])].join(
    ', ',
  );
}
