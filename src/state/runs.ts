/**
 * The folder of one run: its plan, its journal, its report. The journal is written ahead: `append` resolves once the
 * record is on disk, and after a fault every later append fails too, so that a run stops before it acts unrecorded. Its
 * first record says who allowed the run, and when; a run that goes on after a crash is claimed with its lock, and writes on
 * behind what of the journal holds.
 */
import { access, type FileHandle, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { OpsError } from '../base/ops-error.ts';
import type { Plan } from '../plan/plan.ts';
import type { Report } from '../plan/report.ts';
import { appendDurably, codeOf, ensureDirectory, guarded, stateError, syncDirectory, writeDurably } from './files.ts';
import { type JournalEnd, type JournalRecord, journalLine, journalStart, readJournal } from './journal.ts';
import { type Lock, requireLock } from './lock.ts';

/** The first record of a journal: which plan was begun, when, where, and on whose word. */
export interface RunBegun {
  readonly at_ms: number;
  readonly digest: string;
  /** The target's name, and what it counted as. */
  readonly target: string;
  readonly tag: 'dev' | 'production';
  /** nothing: the plan needed no approval. */
  readonly allowed_by: 'nothing' | 'yes' | 'elicitation' | 'typed_name' | 'approval';
}

/** The record of one run on disk. One writer; held by a lock until `close`. */
export interface RunLog {
  /** One JSON line, flushed to disk before it resolves; calls made meanwhile share one flush. Rejects with OpsError state. */
  append(record: JournalRecord): Promise<void>;
  /** True once somebody wants the run to end (redops runs cancel). */
  cancelled(): Promise<boolean>;
  /** What somebody wants of the run in motion, as JSON; undefined where nobody said anything. */
  steering(): Promise<unknown>;
  /** Flushes the journal and writes report.json. Rejects with OpsError state. */
  finish(report: Report): Promise<void>;
  /** Releases the lock and the file. May be called twice. */
  close(): Promise<void>;
}

/** Creates `<dir>/runs/<run_id>/` with plan.json, a journal.jsonl of one record and the lock. Rejects with OpsError state, also when there is such a run. */
export async function openRun(dir: string, run_id: string, plan: Plan, begun: RunBegun): Promise<RunLog> {
  if (!isRunId(run_id))
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
    const log = runLog(folder, path, file, lock, journalStart(run_id));
    await log.append({ kind: 'run', ...begun });
    return log;
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** What somebody wants of a run in motion. */
export const steeringFile = 'steering.json';

/** True for what may name a run's folder. */
export function isRunId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(text);
}

/** A run of an earlier process, held by its lock. */
export interface ClaimedRun {
  /** plan.json and report.json as JSON, to be checked by whoever reads them; undefined when there is none. */
  readonly plan: unknown;
  readonly report: unknown;
  readonly cancelled: boolean;
  /** Makes it a run in motion: what of the journal does not hold is cut off, and the report that no longer holds removed, durably. The lock is the log's from then on. Rejects with OpsError state. */
  begin(): Promise<RunLog>;
  /** Gives the lock up, with nothing changed. */
  release(): Promise<void>;
}

/** Takes the lock of the run in `<dir>/runs/<run_id>/` and reads it, its journal record by record; undefined when there is no such run. Rejects with OpsError state, also while another process holds it. */
export async function claimRun(
  dir: string,
  run_id: string,
  take: (record: JournalRecord) => void,
): Promise<ClaimedRun | undefined> {
  const folder = join(dir, 'runs', run_id);
  if (!isRunId(run_id) || !(await exists(folder))) return undefined;
  const lock = await requireLock(join(folder, 'lock'), `run ${run_id}`);
  try {
    const path = join(folder, 'journal.jsonl');
    const end = await readJournal(path, run_id, take);
    return {
      plan: await readJson(join(folder, 'plan.json')),
      report: await readJson(join(folder, 'report.json')),
      cancelled: await exists(join(folder, 'cancel')),
      begin: () => guarded(path, async () => runLog(folder, path, await cutOff(folder, path, end), lock, end)),
      release: () => lock.release(),
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function cutOff(folder: string, path: string, end: JournalEnd): Promise<FileHandle> {
  const file = await open(path, 'a', 0o600);
  try {
    await file.truncate(end.bytes);
    await file.sync();
    await rm(join(folder, 'report.json'), { force: true });
    await rm(join(folder, steeringFile), { force: true }); // said of an attempt that has ended
    await syncDirectory(folder);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** A file of JSON; undefined when there is none. Rejects with OpsError state. */
export async function readJson(path: string): Promise<unknown> {
  return guarded(path, async () => {
    try {
      return JSON.parse(await readFile(path, 'utf8'));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  });
}

/** True when there is something at the path. */
export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
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

function runLog(folder: string, path: string, file: FileHandle, lock: Lock, from: JournalEnd): RunLog {
  const journal = groupCommit(path, file);
  let end = from;
  let closed = false;
  return {
    append: (record) => {
      const next = journalLine(end, record);
      end = next.end;
      return journal.append(next.line);
    },
    cancelled: () => exists(join(folder, 'cancel')),
    steering: () => readJson(join(folder, steeringFile)),
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
