/** Lints files that are read whole: command files and Lua scripts, with the suppressions that stand in them. */
import { canonicalJson } from './base/canonical.ts';
import { systemClock } from './base/clock.ts';
import { type Question, questionsOfCommands } from './inspect/questions.ts';
import { lint } from './lint/lint.ts';
import type { LintCommand } from './lint/rule.ts';
import { rules } from './lint/rules/index.ts';
import { isScript, subjectOfFile } from './lint/subject.ts';
import {
  applySuppressions,
  type CodeKind,
  type Suppressions,
  suppressionsOfCommands,
  suppressionsOfScript,
} from './lint/suppressions.ts';
import type { Diagnostic } from './plan/diagnostic.ts';
import type { LintResult } from './plan/lint-result.ts';
import type { Target } from './plan/target.ts';
import type { TargetsFile } from './state/targets.ts';

/** What redops.yaml says of lint. */
export type LintSettings = Partial<TargetsFile['lint']>;

/** A file: redis-cli text, or Lua by its name or first line. */
export interface LintedFile {
  readonly name: string;
  readonly source: Uint8Array;
}

/** Judges files. `facts` asks the server where one is given. Rejects with what it rejects with. */
export async function lintFiles(
  files: readonly LintedFile[],
  settings?: LintSettings,
  facts?: (questions: readonly Question[]) => Promise<Target>,
): Promise<LintResult> {
  const target = await facts?.(questionsOfCommands(files.flatMap(commandsOf)));
  const results = files.map(({ name, source }) => {
    const { subject, diagnostics } = subjectOfFile(source, name, target);
    const judged = lint(subject, {
      ...(settings?.severity && { severities: settings.severity }),
      ...(settings?.conventions && { conventions: settings.conventions }),
      ...(target ? {} : { now: systemClock.now() }),
    });
    const found = [...diagnostics, ...judged.diagnostics];
    const kept = applySuppressions(found, suppressionsOf(source, name, subject.commands), (code) =>
      couldBeFound(code, judged.unchecked, target, settings),
    );
    return { ...kept, diagnostics: weighed(kept.diagnostics, settings), unchecked: judged.unchecked };
  });
  const unchecked = new Map(results.flatMap((result) => result.unchecked).map((item) => [canonicalJson(item), item]));
  const suppressed = results.flatMap((result) => result.suppressed);
  return {
    diagnostics: results.flatMap((result) => result.diagnostics),
    unchecked: [...unchecked.values()],
    ...(suppressed.length > 0 && { suppressed }),
  };
}

function suppressionsOf(source: Uint8Array, name: string, commands: readonly LintCommand[]): Suppressions {
  return isScript(source, name)
    ? suppressionsOfScript(source, name, kindOf)
    : suppressionsOfCommands(source, name, commands, kindOf);
}

function kindOf(code: string): ReturnType<CodeKind> {
  if (rules.some((rule) => rule.code === code)) return 'rule';
  return unreadable.has(code) ? 'unreadable' : undefined;
}

const unreadable: ReadonlySet<string> = new Set(['TXT001', 'CMD001', 'LUA000']);

/** Rules that are silent without a server, or have nothing to judge on one: what they would have found is not known. */
const liveOnly: ReadonlySet<string> = new Set(
  'CLU001 CLU002 CLU003 CLU004 DEL001 DEL002 DEL004 KEY005 KEY006 PIP003 TTL002 TTL008 TTL009 TX005 TX009 VAL001 VER001'.split(
    ' ',
  ),
);

function couldBeFound(
  code: string,
  unchecked: LintResult['unchecked'],
  target: Target | undefined,
  settings: LintSettings | undefined,
): boolean {
  if (settings?.severity?.[code] === 'off' || (target === undefined && liveOnly.has(code))) return false;
  return !unchecked.some((one) => one.code === code);
}

/** The weights of redops.yaml for the two codes about suppressions, which no rule has. */
function weighed(diagnostics: readonly Diagnostic[], settings: LintSettings | undefined): readonly Diagnostic[] {
  return diagnostics.flatMap((one) => {
    const set = one.code.startsWith('IGN') ? settings?.severity?.[one.code] : undefined;
    if (set === undefined) return [one];
    return set === 'off' ? [] : [{ ...one, severity: set }];
  });
}

/** The title of each code that a rule has. */
export function lintTitles(): readonly { readonly code: string; readonly title: string }[] {
  return rules.map(({ code, title }) => ({ code, title }));
}

function commandsOf({ name, source }: LintedFile) {
  return subjectOfFile(source, name).subject.commands.map(({ argv }) => argv);
}
