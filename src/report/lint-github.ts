/**
 * Findings as GitHub's workflow commands: a runner that sees such a line in the log of a step shows it as an annotation at
 * its place in the file. One line a finding, whatever the finding says: what is foreign in it can neither end the line nor
 * begin another command.
 */
import type { Severity } from '../plan/diagnostic.ts';
import type { LintDiagnostic, LintResult } from '../plan/lint-result.ts';
import { clean } from './layout.ts';

/** The annotations, in the order of the result, each ended by a newline; "" when there are none. */
export function lintGithub({ diagnostics }: LintResult): string {
  return diagnostics.map((one) => `${annotation(one)}\n`).join('');
}

const commands: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'notice' };

function annotation(one: LintDiagnostic): string {
  const title = one.count === undefined ? one.code : `${one.code} (${one.count} times)`;
  const place = Object.entries({ ...placeOf(one), title }).map(([name, value]) => `${name}=${property(String(value))}`);
  // a finding without a place in a file says where it is in words
  const where = one.span ? '' : `${one.at}: `;
  const parts = [`${where}${one.message}`, one.why, `Fix: ${one.fix}`, one.url].filter((part) => part !== '');
  return `::${commands[one.severity]} ${place.join(',')}::${parts.map(data).join('%0A')}`;
}

function placeOf({ span, bytes }: LintDiagnostic): Readonly<Record<string, string | number>> {
  if (bytes) return { file: bytes.file };
  if (span?.file === undefined) return {};
  const { file, line, column, length } = span;
  return { file, line, col: column, ...(length > 0 && { endColumn: column + length }) };
}

/** What stands behind the `::` of a workflow command: the runner decodes exactly these three. */
function data(text: string): string {
  const lines = text.split(/\r?\n/).map(clean).join('\n');
  return lines.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** A property's value: a colon or a comma would end it. */
function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
