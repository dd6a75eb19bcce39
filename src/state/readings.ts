/**
 * Runs that only read leave a folder each, for the pages of their reports, and an agent makes thousands a day: the newest
 * are kept and the others removed, when one more ends. A mark of each in a directory of its own says which they are, so
 * that no other run is looked at, and what a call costs does not grow with the runs that are kept.
 */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureDirectory } from './files.ts';
import { removeRun } from './run-folders.ts';
import { exists, isRunId } from './runs.ts';

/** Runs that only read whose reports stay, over all processes of a state directory. */
export const keptReadings = 500;

/** Removed by one call at most: a call that comes upon many (an older state directory) leaves the rest to the next ones. */
const mostAtOnce = 20;

/** Takes a run that only read and has ended, and removes what is older than the newest `kept` such runs. Never rejects: what cannot be removed now, or is held by a process, is tried again by a later call. */
export async function keepReading(dir: string, runId: string, kept = keptReadings): Promise<void> {
  const marks = join(dir, 'readings');
  try {
    await ensureDirectory(marks);
    await writeFile(join(marks, runId), '', { mode: 0o600 });
    // ids begin with the time
    const runs = (await readdir(marks)).filter(isRunId).sort();
    const old = runs.slice(0, Math.max(0, runs.length - kept)).slice(0, mostAtOnce);
    await Promise.allSettled(old.map((run) => remove(dir, join(marks, run), run)));
  } catch {
    // the run is done and its report written: a full disk says so to the next one that has to write
  }
}

async function remove(dir: string, mark: string, runId: string): Promise<void> {
  const folder = join(dir, 'runs', runId);
  if ((await exists(folder)) && !(await removeRun(dir, runId))) return;
  await rm(mark, { force: true });
}
