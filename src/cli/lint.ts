/** The verb lint: inputs in, findings out in the form that is asked for. */
import { resolve } from 'node:path';
import type { LintedInputs, LintInput } from '../agent.ts';
import { OpsError } from '../base/ops-error.ts';
import { formatCount, formatDuration, parseDuration } from '../base/units.ts';
import { clean, counted } from '../report/layout.ts';
import { exitOfFindings } from './exit.ts';
import type { Io } from './io.ts';
import { type LintFormat, printLint } from './lint-output.ts';
import type { TargetOptions } from './options.ts';
import { say } from './output.ts';
import { lintSettingsOf, settingsOf } from './settings.ts';

/** What the verb takes. */
export interface LintOptions extends TargetOptions {
  readonly json?: boolean;
  readonly format?: LintFormat;
  readonly input?: NonNullable<LintInput['kind']>;
  /** For how long, such as `10s`. */
  readonly monitor?: string;
  readonly maxCommands?: number;
  readonly fix?: boolean;
  readonly dryRun?: boolean;
  /** How many entries; true for 1,000. */
  readonly slowlog?: number | true;
}

/** Lints inputs ("-": standard input, which is a script under `script lint`), with live facts when --url or --target is given: REDIS_URL alone connects nowhere. */
export async function lintPaths(
  io: Io,
  options: LintOptions,
  paths: readonly string[],
  scripts: boolean,
): Promise<number> {
  const format = formatOf(options);
  if (options.dryRun && !options.fix)
    throw new OpsError('usage', '--dry-run belongs to --fix', { remedy: 'lint alone changes nothing.' });
  if (options.monitor !== undefined || options.slowlog !== undefined) return lintServer(io, options, paths, format);
  if (paths.length === 0)
    throw new OpsError('usage', 'there is nothing to lint', {
      remedy: 'Name files, - for standard input, or with a target --monitor 10s or --slowlog.',
    });
  const live = options.url !== undefined || options.target !== undefined;
  const settings = live ? await settingsOf(io, options) : undefined;
  const { lintInputs } = await io.stages();
  const lintSettings = await lintSettingsOf(io, options);
  const judge = () =>
    lintInputs(
      paths.map((path) => inputOf(io, options, path, scripts)),
      settings,
      lintSettings,
    );
  const judged = await judge();
  const { result, files } = options.fix && (await fix(io, options, paths, judged)) ? await judge() : judged;
  const sources = new Map(files.map(({ name, source }) => [name, source]));
  await printLint(io, format, result, { files: files.length, sources });
  return exitOfFindings(result.diagnostics);
}

/** Rewrites what is safe to rewrite. True when files were written, which are then judged again. */
async function fix(
  io: Io,
  options: LintOptions,
  paths: readonly string[],
  { result, files }: LintedInputs,
): Promise<boolean> {
  const written = files.filter(({ name }) => paths.includes(name));
  if (paths.includes('-') || written.length < files.length)
    throw new OpsError('usage', 'standard input cannot be rewritten', { remedy: 'Name files, or leave --fix out.' });
  const { fixFiles } = await io.stages();
  const dry = options.dryRun === true;
  const named = written.map((file) => ({ ...file, path: resolve(io.cwd, file.name) }));
  const fixed = await fixFiles(named, result.diagnostics, !dry);
  const count = fixed.reduce((sum, one) => sum + one.fixes, 0);
  for (const { diff } of fixed) say(io, diff.split('\n').map(clean).join('\n'));
  say(io, `${counted(count, 'rewrite')} in ${counted(fixed.length, 'file')}${dry ? ': nothing was written' : ''}.`);
  return !dry && fixed.length > 0;
}

/** Lints what clients send to the target. A MONITOR says what it costs before it starts; Ctrl-C ends it, and what came is judged. */
async function lintServer(io: Io, options: LintOptions, paths: readonly string[], format: LintFormat): Promise<number> {
  if (paths.length > 0)
    throw new OpsError('usage', 'files and a running server are not linted in one call', {
      remedy: 'Leave the files out, or --monitor and --slowlog.',
    });
  const settings = await settingsOf(io, options);
  const { lintLive } = await io.stages();
  const stop = new AbortController();
  const ms = options.monitor === undefined ? undefined : timeOf(options.monitor);
  const commands = options.maxCommands ?? mostCommands;
  if (ms !== undefined)
    say(
      io,
      `MONITOR for ${formatDuration(ms)} or ${formatCount(commands)} commands: while it runs the server copies every command to it, which can halve what the server does. It shows keys and values of everybody.`,
    );
  const release = io.onInterrupt(() => (stop.signal.aborted ? io.exitNow(130) : stop.abort()));
  try {
    const result = await lintLive(
      settings,
      {
        ...(ms !== undefined && { monitor: { ms, commands, signal: stop.signal } }),
        ...(options.slowlog !== undefined && { slowlog: options.slowlog === true ? mostEntries : options.slowlog }),
      },
      await lintSettingsOf(io, options),
    );
    await printLint(io, format, result, { files: 0, sources: new Map() });
    return stop.signal.aborted ? 130 : exitOfFindings(result.diagnostics);
  } finally {
    release();
  }
}

const mostCommands = 1_000_000;
const mostEntries = 1_000;
const longestMs = 600_000;

function timeOf(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0 && ms <= longestMs) return ms;
  throw new OpsError('usage', `--monitor ${text}: not a time of at most 10 minutes`, {
    remedy: 'Such as --monitor 10s.',
  });
}

/** The form of the output: --json is --format json. Throws OpsError usage when both are given and differ. */
export function formatOf({ json, format }: LintOptions): LintFormat {
  if (json && format !== undefined && format !== 'json')
    throw new OpsError('usage', `--json and --format ${format} contradict each other`, { remedy: 'Give one of them.' });
  return json ? 'json' : (format ?? 'text');
}

function inputOf(io: Io, { input }: LintOptions, path: string, scripts: boolean): LintInput {
  const kind = scripts ? 'commands' : input;
  return {
    name: path !== '-' ? path : scripts ? 'stdin.lua' : path,
    from: path === '-' ? { chunks: io.stdinChunks() } : { path: resolve(io.cwd, path) },
    ...(kind && { kind }),
  };
}
