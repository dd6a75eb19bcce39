/**
 * Comments that take a finding out of the verdict: `# redops-ignore TTL001: reason`. A suppression names its codes and its
 * reason, covers one command or one line and nothing else, and is a finding itself when it suppresses nothing: what was
 * right once must not go on hiding what comes later.
 */
import { fromBuffer } from '../base/bytes.ts';
import { luaLines } from '../formats/lua-comments.ts';
import type { Diagnostic, Span } from '../plan/diagnostic.ts';
import type { SuppressedDiagnostic } from '../plan/lint-result.ts';
import { pageOf } from './page.ts';
import type { LintCommand } from './rule.ts';
import { remark, shown } from './words.ts';

/** A comment that says what it suppresses, and why. */
export interface Suppression {
  readonly codes: readonly string[];
  readonly reason: string;
  readonly span: Span;
  /** The lines that it covers, both included; undefined when there is no command or code behind it. */
  readonly covers: { readonly from: number; readonly to: number } | undefined;
}

/** The suppressions of a file, and those that do not hold (IGN002). */
export interface Suppressions {
  readonly suppressions: readonly Suppression[];
  readonly problems: readonly Diagnostic[];
}

/** What `known` says of a code: whether a finding of it can be suppressed, must be corrected, or does not exist. */
export type CodeKind = (code: string) => 'rule' | 'unreadable' | undefined;

/** The suppressions of a command file: each covers the next command, since `#` behind a command is an argument of it. */
export function suppressionsOfCommands(
  source: Uint8Array,
  file: string,
  commands: readonly LintCommand[],
  kind: CodeKind,
): Suppressions {
  const found: Comment[] = [];
  const text = Buffer.from(source.buffer, source.byteOffset, source.byteLength).toString('latin1');
  if (!text.includes(word)) return { suppressions: [], problems: [] };
  for (const [index, line] of text
    .replace(/^\xef\xbb\xbf/, '')
    .split('\n')
    .entries()) {
    const [, before, body] = /^([\s]*)#(.*)$/s.exec(line.replace(/\r$/, '')) ?? [];
    if (before === undefined || body === undefined) continue;
    const next = commands.find(({ span }) => span !== undefined && span.line > index + 1);
    found.push({ line: index + 1, column: before.length + 1, text: body, covers: next && linesOf(next) });
  }
  return read(found, file, kind);
}

/** The suppressions of a script: one behind code covers its line, one on a line of its own the next line with code. */
export function suppressionsOfScript(source: Uint8Array, file: string, kind: CodeKind): Suppressions {
  const { comments, hasCode } = luaLines(source);
  const found = comments.map(({ line, column, text, alone }) => {
    const at = alone ? hasCode.indexOf(true, line) + 1 : line;
    return { line, column, text, covers: at === 0 ? undefined : { from: at, to: at } };
  });
  return read(found, file, kind);
}

/** What stays of the findings, what is suppressed, and IGN001 for each code that suppresses nothing although `judged` says that it could have been found. */
export function applySuppressions(
  diagnostics: readonly Diagnostic[],
  { suppressions, problems }: Suppressions,
  judged: (code: string) => boolean,
): { readonly diagnostics: readonly Diagnostic[]; readonly suppressed: readonly SuppressedDiagnostic[] } {
  const used = new Set<string>();
  const suppressed: SuppressedDiagnostic[] = [];
  const left = diagnostics.filter((diagnostic) => {
    const by = suppressions.findIndex((one) => covers(one, diagnostic));
    if (by < 0) return true;
    for (const [index, one] of suppressions.entries())
      if (covers(one, diagnostic)) used.add(`${index} ${diagnostic.code}`);
    suppressed.push({ ...diagnostic, reason: suppressions[by]!.reason });
    return false;
  });
  const unused = suppressions.flatMap((one, index) =>
    one.codes.filter((code) => !used.has(`${index} ${code}`) && judged(code)).map((code) => idle(one, code)),
  );
  return { diagnostics: [...left, ...problems, ...unused], suppressed };
}

interface Comment {
  readonly line: number;
  readonly column: number;
  /** Latin-1, as the file's bytes are. */
  readonly text: string;
  readonly covers: Suppression['covers'];
}

const word = 'redops-ignore';
const form = /^\s*redops-ignore(?=[\s:]|$)\s*([^:]*?)\s*(?::\s*(.*?)\s*)?$/s;

function read(comments: readonly Comment[], file: string, kind: CodeKind): Suppressions {
  const suppressions: Suppression[] = [];
  const problems: Diagnostic[] = [];
  for (const { line, column, text, covers } of comments) {
    const [, names, why] = form.exec(text) ?? [];
    if (names === undefined) continue;
    const reason = remark(fromBuffer(Buffer.from(why ?? '', 'latin1')));
    const codes = names.split(/[\s,]+/).filter((code) => code !== '');
    const span: Span = { file, line, column, length: text.replace(/[\x80-\xbf]/g, '').trimEnd().length + 1 };
    const problem = wrong(codes, why ?? '', kind);
    if (problem) problems.push({ ...problem, ...said('IGN002', span), severity: 'error' });
    else suppressions.push({ codes, reason, span, covers });
  }
  return { suppressions, problems };
}

/** Why a suppression does not hold; undefined when it does. */
function wrong(codes: readonly string[], reason: string, kind: CodeKind): Said | undefined {
  const written = 'Write it as: redops-ignore TTL001: the reason.';
  const why = 'The comment suppresses nothing, and what it was meant for is reported.';
  if (codes.length === 0) return { message: 'the suppression names no code', why, fix: written };
  const unknown = codes.find((code) => kind(code) === undefined);
  if (unknown !== undefined) {
    const name = shown(fromBuffer(Buffer.from(unknown, 'latin1')));
    return { message: `there is no code ${name} to suppress`, why, fix: 'docs/rules/README.md lists the codes.' };
  }
  const firm = codes.find((code) => kind(code) === 'unreadable');
  if (firm !== undefined) {
    const fix = 'Correct the line; what cannot be read has no meaning that could be accepted.';
    return { message: `${firm} cannot be suppressed`, why, fix };
  }
  if (reason === '') return { message: 'the suppression gives no reason', why, fix: written };
  return undefined;
}

interface Said {
  readonly message: string;
  readonly why: string;
  readonly fix: string;
}

function covers({ codes, covers: lines, span }: Suppression, diagnostic: Diagnostic): boolean {
  const line = diagnostic.span?.line;
  if (line === undefined || lines === undefined || diagnostic.span?.file !== span.file) return false;
  return line >= lines.from && line <= lines.to && codes.includes(diagnostic.code);
}

function idle({ span, covers: lines }: Suppression, code: string): Diagnostic {
  const where = lines === undefined ? 'nothing stands behind it' : `line ${lines.from} has no such finding`;
  return {
    ...said('IGN001', span),
    severity: 'warning',
    message: `the suppression of ${code} suppresses nothing: ${where}`,
    why: 'What it was written for is gone or has moved; left as it is, it would hide the next finding that comes to its place.',
    fix: `Take ${code} out of the comment, or move the comment to the line before what it is meant for.`,
  };
}

function said(code: string, span: Span) {
  return { code, at: `${span.file}:${span.line}:${span.column}`, url: pageOf(code), span };
}

function linesOf({ argv, span, wordAt }: LintCommand): Suppression['covers'] {
  const from = span?.line ?? 0;
  return { from, to: wordAt?.(argv.length - 1)?.line ?? from };
}
