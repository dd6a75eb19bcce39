/**
 * Findings as SARIF 2.1.0, which code scanning services read. Lines and columns are those of the text output: columns count
 * Unicode code points. What a comment of the file suppresses stays in the log, marked so, with its reason; rules that
 * could not be judged are notifications, since a result that is missing for want of knowledge is not a pass.
 */
import type { Severity, Span } from '../plan/diagnostic.ts';
import type { LintDiagnostic, LintResult } from '../plan/lint-result.ts';
import { clean } from './layout.ts';

/** What is known of a code beside its findings. */
export interface RuleDescription {
  readonly code: string;
  readonly title: string;
}

/** The log as a JSON document. `version`: of redops; `rules`: the titles of codes, of which those with a finding are named. */
export function lintSarif(result: LintResult, version: string, rules: readonly RuleDescription[]): SarifLog {
  const suppressed = result.suppressed ?? [];
  const found = [...result.diagnostics, ...suppressed];
  const codes = [...new Map(found.map((one) => [one.code, one])).values()].toSorted(byCode);
  const titles = new Map(rules.map(({ code, title }) => [code, title]));
  const index = new Map(codes.map(({ code }, at) => [code, at]));
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'redops',
            semanticVersion: version,
            rules: codes.map(({ code, url }) => ({
              id: code,
              ...(titles.has(code) && { shortDescription: { text: titles.get(code)! } }),
              ...(url !== '' && { help: { text: url } }),
            })),
          },
        },
        columnKind: 'unicodeCodePoints',
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: [
              ...result.unchecked.map(({ code, reason }) => notification(`${code} was not checked: ${reason}`)),
              ...(result.audited ?? []).flatMap(({ name, notes }) =>
                notes.map((note) => notification(`${name}: ${note}`)),
              ),
            ],
          },
        ],
        results: [
          ...result.diagnostics.map((one) => resultOf(one, index.get(one.code)!)),
          ...suppressed.map((one) => ({
            ...resultOf(one, index.get(one.code)!),
            suppressions: [{ kind: 'inSource', justification: clean(one.reason) }],
          })),
        ],
      },
    ],
  };
}

/** A SARIF log as far as redops writes one. */
export interface SarifLog {
  readonly $schema: string;
  readonly version: '2.1.0';
  readonly runs: readonly SarifRun[];
}

interface SarifRun {
  readonly tool: {
    readonly driver: { readonly name: string; readonly semanticVersion: string; readonly rules: readonly object[] };
  };
  readonly columnKind: 'unicodeCodePoints';
  readonly invocations: readonly object[];
  readonly results: readonly SarifResult[];
}

interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: 'error' | 'warning' | 'note';
  readonly message: { readonly text: string };
  readonly locations: readonly object[];
  readonly occurrenceCount?: number;
  readonly suppressions?: readonly object[];
}

const levels: Readonly<Record<Severity, SarifResult['level']>> = { error: 'error', warning: 'warning', info: 'note' };

function resultOf(one: LintDiagnostic, ruleIndex: number): SarifResult {
  return {
    ruleId: one.code,
    ruleIndex,
    level: levels[one.severity],
    message: { text: [`${one.message}.`, one.why, one.fix].map(clean).join(' ') },
    locations: [locationOf(one)],
    ...(one.count !== undefined && { occurrenceCount: one.count }),
  };
}

/** The place in the file where it is one; else the place in words, such as `commands[3]`. */
function locationOf({ at, span, bytes }: LintDiagnostic): object {
  if (bytes)
    return { physicalLocation: { artifactLocation: artifact(bytes.file), region: { byteOffset: bytes.offset } } };
  if (span?.file === undefined) return { logicalLocations: [{ fullyQualifiedName: clean(at) }] };
  return { physicalLocation: { artifactLocation: artifact(span.file), region: regionOf(span) } };
}

function regionOf({ line, column, length }: Span): object {
  return { startLine: line, startColumn: column, ...(length > 0 && { endColumn: column + length }) };
}

/** A path as a URI: an absolute one as file:, any other relative to where the sources are. */
function artifact(path: string): object {
  const encoded = path.replaceAll('\\', '/').split('/').map(encodedPart).join('/');
  if (encoded.startsWith('/')) return { uri: `file://${encoded}` };
  return { uri: encoded.replace(/^(\.\/)+/, ''), uriBaseId: '%SRCROOT%' };
}

// a lone surrogate has no UTF-8 form, and encodeURIComponent throws on it
function encodedPart(part: string): string {
  return encodeURIComponent(part.toWellFormed());
}

function notification(text: string): object {
  return { level: 'note', message: { text: clean(text) } };
}

function byCode(a: LintDiagnostic, b: LintDiagnostic): number {
  return a.code < b.code ? -1 : a.code > b.code ? 1 : 0;
}
