/** Lint as front doors call it. Each kind of input has its own module, loaded when it is asked for. */
import { inspect } from './inspect/inspect.ts';
import type { Question } from './inspect/questions.ts';
import type { LintInput } from './lint-audit.ts';
import type { LintedFile, LintSettings } from './lint-files.ts';
import type * as fix from './lint-fix.ts';
import type { LintedInputs } from './lint-inputs.ts';
import type { LiveLint } from './lint-live.ts';
import type { LintResult } from './plan/lint-result.ts';
import type { Target } from './plan/target.ts';
import { connected, type Reach } from './reach.ts';

/** Lints files (lint-files.ts), with live facts when a target is given. */
export async function lintFiles(
  files: readonly LintedFile[],
  settings?: Reach,
  lintSettings?: LintSettings,
): Promise<LintResult> {
  return (await import('./lint-files.ts')).lintFiles(files, lintSettings, factsOf(settings));
}

/** Lints inputs of every kind (lint-inputs.ts), with live facts when a target is given. */
export async function lintInputs(
  inputs: readonly LintInput[],
  settings?: Reach,
  lintSettings?: LintSettings,
): Promise<LintedInputs> {
  return (await import('./lint-inputs.ts')).lintInputs(inputs, lintSettings, factsOf(settings));
}

/** Lints what clients send to the target: its slow log, MONITOR for a bounded time (lint-live.ts). */
export function lintLive(settings: Reach, live: LiveLint, lintSettings?: LintSettings): Promise<LintResult> {
  return connected(settings, async (connection, where) => {
    const target = await inspect(connection, [], where);
    return (await import('./lint-live.ts')).lintLive(connection, target, live, lintSettings);
  });
}

/** Applies the safe rewrites to files (lint-fix.ts). */
export const fixFiles: typeof fix.fixFiles = async (files, diagnostics, write) =>
  (await import('./lint-fix.ts')).fixFiles(files, diagnostics, write);

/** The title of each code that a rule has. */
export async function lintTitles(): Promise<readonly { readonly code: string; readonly title: string }[]> {
  return (await import('./lint-files.ts')).lintTitles();
}

function factsOf(settings: Reach | undefined): ((questions: readonly Question[]) => Promise<Target>) | undefined {
  return settings && ((questions) => connected(settings, (connection, where) => inspect(connection, questions, where)));
}
