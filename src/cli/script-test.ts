/**
 * redops script test: fixtures run on throwaway servers of our own; the user's target is never connected to. The servers
 * stay up while it watches, and are stopped however it ends.
 */
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { printable } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { parseDuration } from '../base/units.ts';
import { mistakeText, resultText, summaryText } from '../report/script-test-text.ts';
import { type LoadedSubject, loadSubject } from '../script-test/load-subject.ts';
import { openBench, type ScriptBench } from '../script-test/script-bench.ts';
import type { Io } from './io.ts';
import { printJson, say, viewFor } from './output.ts';
import { serverProgram } from './server-program.ts';

/** What the call says. */
export interface ScriptTestOptions {
  /** Paths of servers; one found on this machine where it is empty. */
  readonly server: readonly string[];
  readonly timeout: string;
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** Runs the fixtures in files. Status 0: all passed; 1: no server; 2: bad fixtures, nothing ran; 4: one failed, or none ran; 130: interrupted. */
export async function testScripts(io: Io, options: ScriptTestOptions, files: readonly string[]): Promise<number> {
  const timeoutMs = parseDuration(options.timeout);
  if (timeoutMs === undefined || timeoutMs <= 0)
    throw new OpsError('usage', `--timeout ${printable(options.timeout)} is not a duration`, {
      remedy: 'Write "5s", "500ms".',
    });
  if (options.watch && options.json)
    throw new OpsError('usage', '--watch and --json are both given', {
      remedy: 'Watch with text, or run once with JSON.',
    });
  const loaded = await loadAll(io, files);
  // before any server is started: what is wrong in a file is said at once
  if (!options.watch && sayMistakes(io, options, loaded)) return 2;
  const stop = new AbortController();
  const release = onInterrupt(io, stop);
  try {
    const bench = await openBench(await programs(io, options), timeoutMs);
    const forget = io.onExit(() => bench.killSync());
    try {
      if (!options.watch) return await runOnce(io, options, bench, loaded, stop.signal);
      return await keepRunning(io, options, bench, files, loaded, stop.signal);
    } finally {
      await bench.close();
      forget();
    }
  } finally {
    release();
  }
}

async function programs(io: Io, { server }: ScriptTestOptions): Promise<readonly string[]> {
  if (server.length > 0) return server.map((path) => (path.includes('/') ? resolve(io.cwd, path) : path));
  return [await serverProgram(io.env, 'name one with --server or REDOPS_SERVER')];
}

function loadAll(io: Io, files: readonly string[]): Promise<LoadedSubject[]> {
  const typescript = 'typescript' in process.features && process.features.typescript !== false;
  return Promise.all(files.map((file) => loadSubject(resolve(io.cwd, file), file, typescript)));
}

/** True when there was one. */
function sayMistakes(io: Io, options: ScriptTestOptions, loaded: readonly LoadedSubject[]): boolean {
  const mistakes = loaded.flatMap((one) => one.mistakes);
  if (mistakes.length === 0) return false;
  if (options.json) printJson(io, { mistakes });
  for (const mistake of mistakes) say(io, mistakeText(mistake));
  return true;
}

async function runOnce(
  io: Io,
  options: ScriptTestOptions,
  bench: ScriptBench,
  loaded: readonly LoadedSubject[],
  signal: AbortSignal,
): Promise<number> {
  const subjects = loaded.flatMap(({ subject }) => (subject ? [subject] : []));
  const view = viewFor(io, 'stdout');
  const onResult = options.json
    ? {}
    : { onResult: (result: Parameters<typeof resultText>[0]) => io.out(`${resultText(result, view)}\n`) };
  const report = await bench.run(subjects, { signal, ...onResult });
  if (options.json) printJson(io, report);
  else io.out(`${summaryText(report, view)}\n`);
  if (signal.aborted) return 130;
  return report.failed === 0 && report.passed > 0 ? 0 : 4;
}

/** Runs again whenever a fixture or a script changes, until it is interrupted. */
async function keepRunning(
  io: Io,
  options: ScriptTestOptions,
  bench: ScriptBench,
  files: readonly string[],
  first: readonly LoadedSubject[],
  signal: AbortSignal,
): Promise<number> {
  let loaded = first;
  while (!signal.aborted) {
    // watched from before it is read, so that no change falls between
    const changes = watchFiles(signal);
    try {
      changes.add(filesOf(loaded));
      loaded = await loadAll(io, files);
      changes.add(filesOf(loaded));
      if (!sayMistakes(io, options, loaded)) await runOnce(io, options, bench, loaded, signal);
      if (signal.aborted) break;
      say(io, 'Watching. Ctrl-C ends it.');
      await changes.next;
    } finally {
      changes.close();
    }
  }
  return 130;
}

function filesOf(loaded: readonly LoadedSubject[]): readonly string[] {
  return loaded.flatMap((one) => one.files);
}

/** Editors write a file in several steps, some by renaming: changes within this time are one. */
const settleMs = 100;

interface Changes {
  /** Absolute paths, from now on. */
  add(paths: readonly string[]): void;
  /** Resolves when one of them changed, or the signal said to end. */
  readonly next: Promise<void>;
  close(): void;
}

/** Folders are watched, since a file that is replaced is another one; a folder that is not there has nothing to tell. */
function watchFiles(signal: AbortSignal): Changes {
  const names = new Map<string, Set<string>>();
  const watchers: FSWatcher[] = [];
  let timer: NodeJS.Timeout | undefined;
  let wake = (): void => undefined;
  const next = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const settle = (): void => {
    clearTimeout(timer);
    timer = setTimeout(wake, settleMs);
  };
  const follow = (folder: string): Set<string> => {
    const wanted = new Set<string>();
    names.set(folder, wanted);
    if (!existsSync(folder)) return wanted;
    const watcher = watch(folder, (_event, name) => {
      if (name === null || wanted.has(name)) settle();
    });
    watcher.on('error', settle);
    watchers.push(watcher);
    return wanted;
  };
  signal.addEventListener('abort', wake, { once: true });
  return {
    next,
    add: (paths) => {
      for (const path of paths) (names.get(dirname(path)) ?? follow(dirname(path))).add(basename(path));
    },
    close: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** The first Ctrl-C ends the servers and what runs on them, the second one the process. */
function onInterrupt(io: Io, stop: AbortController): () => void {
  return io.onInterrupt(() => {
    if (stop.signal.aborted) return io.exitNow(130);
    stop.abort();
  });
}
