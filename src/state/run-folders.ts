/** The runs on disk, as somebody looks at them who does not run them: which there are, what stands in each, ending and removing them. */
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Steering } from '../plan/steering.ts';
import { codeOf, guarded, syncDirectory, writeDurably } from './files.ts';
import { type JournalRecord, readJournal } from './journal.ts';
import { holderOf, requireLock, takeLock } from './lock.ts';
import { exists, isRunId, readJson, steeringFile } from './runs.ts';

/** A run as it lies on disk. Documents are JSON, to be checked by whoever reads them; undefined when there is none. */
export interface StoredRun {
  readonly plan: unknown;
  readonly report: unknown;
  readonly cancelled: boolean;
  /** What somebody wants of it while it is in motion. */
  readonly steering: unknown;
  /** The process that runs it now. */
  readonly runningIn: number | undefined;
  /** Unix milliseconds of the last thing it wrote. */
  readonly touchedMs: number;
}

/** The ids of all runs, newest first. Rejects with OpsError state. */
export async function runIds(dir: string): Promise<readonly string[]> {
  const runs = join(dir, 'runs');
  const names = await guarded(runs, async () => {
    try {
      return await readdir(runs);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  });
  return names.filter(isRunId).sort().reverse();
}

/** What stands in a run's folder; `take` gets its journal, record by record, until it gives false. undefined when there is no such run. Rejects with OpsError state. */
export async function readRun(
  dir: string,
  runId: string,
  take: (record: JournalRecord) => unknown,
): Promise<StoredRun | undefined> {
  const folder = join(dir, 'runs', runId);
  if (!isRunId(runId) || !(await exists(folder))) return undefined;
  // who runs it is asked first: a run that ends meanwhile has its report then
  const runningIn = await holderOf(join(folder, 'lock'));
  await readJournal(join(folder, 'journal.jsonl'), runId, take);
  return {
    plan: await readJson(join(folder, 'plan.json')),
    report: await readJson(join(folder, 'report.json')),
    cancelled: await exists(join(folder, 'cancel')),
    steering: await readJson(join(folder, steeringFile)),
    runningIn,
    touchedMs: await touched(folder),
  };
}

/** Asks a run to end, and keeps it from being resumed. Rejects with OpsError state. */
export async function markCancelled(dir: string, runId: string, atMs: number): Promise<void> {
  await writeDurably(join(dir, 'runs', runId, 'cancel'), `${JSON.stringify({ at_ms: atMs })}\n`);
}

/** Says what is wanted of a run in motion: `change` gets what stands there (undefined: nothing) and gives what shall; one caller at a time. Rejects with OpsError state. */
export async function changeSteering(
  dir: string,
  runId: string,
  change: (stored: unknown) => Steering,
): Promise<Steering> {
  const path = join(dir, 'runs', runId, steeringFile);
  const lock = await requireLock(`${path}.lock`, `${steeringFile} of run ${runId}`);
  try {
    const steering = change(await readJson(path));
    await writeDurably(path, `${JSON.stringify(steering)}\n`);
    return steering;
  } finally {
    await lock.release();
  }
}

/** Removes a run's folder as a whole; false while a process holds it. Rejects with OpsError state. */
export async function removeRun(dir: string, runId: string): Promise<boolean> {
  const runs = join(dir, 'runs');
  const folder = join(runs, runId);
  const lock = await takeLock(join(folder, 'lock'));
  if (lock === undefined) return false;
  try {
    await guarded(folder, async () => {
      // under a name that is no run's: a crash in the middle leaves no half run
      const aside = join(runs, `${asideMark}${runId}`);
      await rename(folder, aside);
      await syncDirectory(runs);
      await rm(aside, { recursive: true, force: true });
    });
  } finally {
    await lock.release();
  }
  return true;
}

/** Removes what a removal that was cut short left behind. Rejects with OpsError state. */
export async function sweepRemoved(dir: string): Promise<void> {
  const runs = join(dir, 'runs');
  await guarded(runs, async () => {
    if (!(await exists(runs))) return;
    const left = (await readdir(runs)).filter((name) => name.startsWith(asideMark));
    for (const name of left) await rm(join(runs, name), { recursive: true, force: true });
  });
}

const asideMark = '.removed-';

async function touched(folder: string): Promise<number> {
  const times = ['.', 'journal.jsonl', 'report.json'].map((name) =>
    stat(join(folder, name)).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    ),
  );
  return Math.max(...(await Promise.all(times)));
}
