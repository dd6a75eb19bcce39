/** Diagnostics for people: code and place, what is wrong, the line with the offending part underlined, why, and the safe way. */
import type { Diagnostic, Span, Unchecked } from '../plan/diagnostic.ts';
import type { LintDiagnostic } from '../plan/lint-result.ts';
import { clean, columnsOf, counted, labelled, type Paint, type ViewOptions, viewOf, wrap } from './layout.ts';

/** The text of a source by its name (a span's `file`; "" for a span without one). */
export type Sources = ReadonlyMap<string, string>;

/** The findings, worst first and otherwise in their order, with a count at the end; "" when there is nothing to say. */
export function diagnosticsText(
  diagnostics: readonly LintDiagnostic[],
  options: ViewOptions & {
    readonly sources?: Sources;
    readonly unchecked?: readonly Unchecked[];
    /** Whether the counts stand at the end; they do when left out. */
    readonly counts?: boolean;
  } = {},
): string {
  const ordered = weights.flatMap((severity) => diagnostics.filter((one) => one.severity === severity));
  const blocks = ordered.map((one) => diagnosticLines(one, options).join('\n'));
  const unchecked = uncheckedLines(options.unchecked ?? [], options);
  if (unchecked.length > 0) blocks.push(unchecked.join('\n'));
  if (diagnostics.length > 0 && options.counts !== false) blocks.push(countLine(diagnostics));
  return blocks.join('\n\n');
}

const weights = ['error', 'warning', 'info'] as const;

/** The sources without the lines that hold a secret (SEC004): no finding may show them, whatever it is about. */
export function withoutSecrets(sources: Sources, found: readonly Diagnostic[]): Sources {
  const secret = found.flatMap(({ code, span }) => (code === 'SEC004' && span ? [span] : []));
  if (secret.length === 0) return sources;
  return new Map(
    [...sources].map(([name, source]) => {
      const hidden = new Set(secret.flatMap(({ file = '', line }) => (file === name ? [line] : [])));
      const lines = source.split('\n').map((line, index) => (hidden.has(index + 1) ? hiddenLine : line));
      return [name, lines.join('\n')];
    }),
  );
}

/** What stands for a line that is not shown: no source has it. */
const hiddenLine = '\0';

/** One finding as lines: heading, message, source line, why, fix, page. */
export function diagnosticLines(
  diagnostic: LintDiagnostic,
  options: ViewOptions & { readonly sources?: Sources } = {},
): string[] {
  const { width, paint } = viewOf(options);
  const accepted = diagnostic.accepted ? ' (accepted)' : '';
  const mark = severityPaint(paint, diagnostic.severity)(`${diagnostic.severity} ${clean(diagnostic.code)}`);
  const error = diagnostic.error === undefined ? '' : `, ${clean(diagnostic.error)} at the server`;
  const rest = wrap(`${diagnostic.severity} ${diagnostic.code}${accepted} at ${placeOf(diagnostic)}${error}`, width);
  const plain = `${diagnostic.severity} ${clean(diagnostic.code)}`;
  return [
    ...rest.map((line, index) => (index === 0 && line.startsWith(plain) ? mark + line.slice(plain.length) : line)),
    ...wrap(diagnostic.message, width - 2).map((line) => `  ${line}`),
    ...excerpt(diagnostic.span, options.sources, width, paint),
    ...repeated(diagnostic, width),
    ...labelled('  why', diagnostic.why, 7, width),
    ...labelled('  fix', diagnostic.fix, 7, width),
    ...(diagnostic.url === '' ? [] : labelled('  docs', diagnostic.url, 7, width)),
  ];
}

// of a finding that stands for many: how many, and where the next ones are
function repeated({ count, more_at = [] }: LintDiagnostic, width: number): string[] {
  if (count === undefined) return [];
  const rest = count - 1 - more_at.length;
  const more = rest > 0 ? ` and ${rest.toLocaleString('en-US')} more` : '';
  const next = more_at.length > 0 ? `; next at ${more_at.join(', ')}${more}` : '';
  return labelled('  seen', `${counted(count, 'time')}${next}`, 7, width);
}

/** Rules that could not be judged, and why; no lines when there are none. */
export function uncheckedLines(unchecked: readonly Unchecked[], options: ViewOptions = {}): string[] {
  if (unchecked.length === 0) return [];
  const { width } = viewOf(options);
  return [
    `not checked (${unchecked.length}): these rules could not be judged, which is not a pass`,
    ...[...byReason(unchecked)].flatMap(([reason, codes]) => [
      // several codes of one reason stand above it
      ...(codes.length > 1 ? wrap(codes.join(' '), width - 2).map((line) => `  ${line}`) : []),
      ...labelled(codes.length > 1 ? '' : `  ${codes[0]}`, reason, 10, width),
    ]),
  ];
}

function byReason(unchecked: readonly Unchecked[]): ReadonlyMap<string, readonly string[]> {
  const reasons = new Map<string, string[]>();
  for (const { code, reason } of unchecked) reasons.set(reason, [...(reasons.get(reason) ?? []), clean(code)]);
  return reasons;
}

function countLine(diagnostics: readonly Diagnostic[]): string {
  const of = (severity: Diagnostic['severity']): number =>
    diagnostics.filter((one) => one.severity === severity).length;
  const parts = [counted(of('error'), 'error'), counted(of('warning'), 'warning')];
  if (of('info') > 0) parts.push(`${of('info')} info`);
  return parts.join(', ');
}

function placeOf(diagnostic: Diagnostic): string {
  return diagnostic.at === '' ? 'the request' : diagnostic.at;
}

function severityPaint(paint: Paint, severity: Diagnostic['severity']): (text: string) => string {
  return severity === 'error' ? paint.red : severity === 'warning' ? paint.yellow : paint.dim;
}

// the line of the span, cleaned, with the part marked; a long line is shown from a little before the part
function excerpt(span: Span | undefined, sources: Sources | undefined, width: number, paint: Paint): string[] {
  const source = span && sources?.get(span.file ?? '');
  if (span === undefined || source === undefined) return [];
  const line = source.split('\n')[span.line - 1]?.replace(/\r$/, '');
  if (line === undefined) return [];
  const number = `  ${span.line} | `;
  if (line === hiddenLine) return [paint.dim(`${number}(not shown: the line holds a secret)`)];
  const room = width - number.length;
  const characters = [...clean(line)];
  const before = columnsOf(characters.slice(0, span.column - 1).join(''));
  const from = before + Math.min(span.length, 10) < room ? 0 : Math.max(0, span.column - 1 - 20);
  const shown = headOf(characters.slice(from), room);
  const lead = columnsOf(characters.slice(from, span.column - 1).join(''));
  const part = columnsOf(characters.slice(span.column - 1, span.column - 1 + span.length).join(''));
  const marks = '^'.repeat(Math.max(1, Math.min(part, room - lead)));
  return [
    `${paint.dim(number)}${shown}`.trimEnd(),
    `${paint.dim(`${' '.repeat(number.length - 2)}| `)}${' '.repeat(lead)}${paint.red(marks)}`,
  ];
}

function headOf(characters: readonly string[], room: number): string {
  let text = '';
  for (const character of characters) {
    if (columnsOf(text) + columnsOf(character) > room) break;
    text += character;
  }
  return text;
}
