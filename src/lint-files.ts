/** Lints files that are read whole: command files and Lua scripts, with the suppressions that stand in them. */
import { canonicalJson } from './base/canonical.ts';
import { systemClock } from './base/clock.ts';
import { type Question, questionsOfCommands } from './inspect/questions.ts';
import { lint } from './lint/lint.ts';
import { rules } from './lint/rules/index.ts';
import { subjectOfFile } from './lint/subject.ts';
import type { LintResult } from './plan/lint-result.ts';
import type { Target } from './plan/target.ts';
import type { TargetsFile } from './state/targets.ts';

/** What redops.yaml says of lint. */
export type LintSettings = TargetsFile['lint'];

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
      ...(settings && { severities: settings.severity }),
      ...(target ? {} : { now: systemClock.now() }),
    });
    return { diagnostics: [...diagnostics, ...judged.diagnostics], unchecked: judged.unchecked };
  });
  const unchecked = new Map(results.flatMap((result) => result.unchecked).map((item) => [canonicalJson(item), item]));
  return { diagnostics: results.flatMap((result) => result.diagnostics), unchecked: [...unchecked.values()] };
}

/** The title of each code that a rule has. */
export function lintTitles(): readonly { readonly code: string; readonly title: string }[] {
  return rules.map(({ code, title }) => ({ code, title }));
}

function commandsOf({ name, source }: LintedFile) {
  return subjectOfFile(source, name).subject.commands.map(({ argv }) => argv);
}
