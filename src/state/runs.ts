/**
 * The folder of one run: its plan, its journal, its report. The journal is written ahead: `append` resolves once the
 * record is on disk, and after a fault every later append fails too, so that a run stops before it acts unrecorded.
 */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { OpsError } from '../base/ops-error.ts';
import type { Plan } from '../plan/plan.ts';
import type { Report } from '../plan/report.ts';
import { appendDurably, codeOf, ensureDirectory, guarded, stateError, syncDirectory, writeDurably } from './files.ts';
import { type Lock, requireLock } from './lock.ts';

/** The record of one run on disk. One writer; held by a lock until `close`. */
export interface RunLog {
  /** One JSON line, flushed to disk before it resolves; calls made meanwhile share one flush. Rejects with OpsError state. */
  append(record: Readonly<Record<string, unknown>>): Promise<void>;
  /** Flushes the journal and writes report.json. Rejects with OpsError state. */
  finish(report: Report): Promise<void>;
  /** Releases the lock and the file. May be called twice. */
  close(): Promise<void>;
}

/** Creates `<dir>/runs/<run_id>/` with plan.json, an empty journal.jsonl and the lock. Rejects with OpsError state, also when there is such a run. */
export async function openRun(dir: string, run_id: string, plan: Plan): Promise<RunLog> {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(run_id))
    throw new OpsError('state', 'the run id is not a file name', { remedy: 'Use letters, digits, "-" and "_".' });
  const runs = join(dir, 'runs');
  const folder = join(runs, run_id);
  await ensureDirectory(runs);
  await guarded(folder, () => createFolder(folder, run_id));
  const lock = await requireLock(join(folder, 'lock'), `run ${run_id}`);
  try {
    await writeDurably(join(folder, 'plan.json'), `${JSON.stringify(plan, null, 2)}\n`);
    const path = join(folder, 'journal.jsonl');
    const file = await guarded(path, () => open(path, 'ax', 0o600));
    await guarded(folder, () => syncDirectory(folder));
    await guarded(runs, () => syncDirectory(runs));
    return runLog(folder, path, file, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function createFolder(folder: string, run_id: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    throw new OpsError('state', `there is a run ${run_id} already`, {
      remedy: 'Start the run again: it gets a new id.',
    });
  }
}

function runLog(folder: string, path: string, file: FileHandle, lock: Lock): RunLog {
  const journal = groupCommit(path, file);
  let closed = false;
  return {
    append: (record) => journal.append(`${JSON.stringify(record)}\n`),
    finish: async (report) => {
      await journal.settled();
      await writeDurably(join(folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
    },
    close: async () => {
      if (closed) return;
      closed = true;
      await journal.settled().catch(() => undefined);
      await file.close();
      await lock.release();
    },
  };
}

interface Journal {
  append(line: string): Promise<void>;
  /** Resolves when everything appended so far is on disk; rejects when it could not be. */
  settled(): Promise<void>;
}

// lines that arrive while a flush is under way wait for the next one together: one fsync for all of them
function groupCommit(path: string, file: FileHandle): Journal {
  let waiting: string[] = [];
  let next: Promise<void> | undefined;
  let running: Promise<void> = Promise.resolve();
  let fault: OpsError | undefined;
  async function flush(): Promise<void> {
    const lines = waiting;
    waiting = [];
    next = undefined;
    if (fault) throw fault;
    try {
      await appendDurably(file, lines.join(''));
    } catch (cause) {
      fault = stateError(path, cause);
      throw fault;
    }
  }
  return {
    append: (line) => {
      waiting.push(line);
      if (next === undefined) {
        next = running.then(flush, flush);
        running = next;
        running.catch(() => undefined); // each append has the same promise and its own caller
      }
      return next;
    },
    settled: () => running,
  };
}
