/** The verb lint: files in, findings out in the form that is asked for. */
import { OpsError } from '../base/ops-error.ts';
import type { LintResult } from '../plan/lint-result.ts';
import { exitOfFindings } from './exit.ts';
import { readBytes } from './input.ts';
import type { Io } from './io.ts';
import { type LintFormat, printLint } from './lint-output.ts';
import type { TargetOptions } from './options.ts';
import { lintSettingsOf, settingsOf } from './settings.ts';

/** What the verb takes. */
export interface LintOptions extends TargetOptions {
  readonly json?: boolean;
  readonly format?: LintFormat;
}

/** Lints files ("-": standard input, which is a script under `script lint`), with live facts when --url or --target is given: REDIS_URL alone connects nowhere. */
export async function lintPaths(
  io: Io,
  options: LintOptions,
  paths: readonly string[],
  scripts: boolean,
): Promise<number> {
  const format = formatOf(options);
  const files = [];
  for (const path of paths)
    files.push({ name: scripts && path === '-' ? 'stdin.lua' : path, source: await readBytes(io, path) });
  const live = options.url !== undefined || options.target !== undefined;
  const settings = live ? await settingsOf(io, options) : undefined;
  const { lintFiles } = await io.stages();
  const result: LintResult = await lintFiles(files, settings, await lintSettingsOf(io, options));
  const sources = new Map(files.map(({ name, source }) => [name, source]));
  await printLint(io, format, result, { files: files.length, sources });
  return exitOfFindings(result.diagnostics);
}

/** The form of the output: --json is --format json. Throws OpsError usage when both are given and differ. */
export function formatOf({ json, format }: LintOptions): LintFormat {
  if (json && format !== undefined && format !== 'json')
    throw new OpsError('usage', `--json and --format ${format} contradict each other`, { remedy: 'Give one of them.' });
  return json ? 'json' : (format ?? 'text');
}
