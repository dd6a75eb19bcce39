/**
 * Standard input as a file: a plan needs to see what it plans, and the run needs it again. The file is private, lies in a
 * directory of its own, and is removed at the end, on Ctrl-C too.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OpsError } from '../base/ops-error.ts';
import type { Io } from './io.ts';

/** A spooled standard input. */
export interface Spool {
  readonly path: string;
  /** Removes it; may be called twice. */
  remove(): void;
}

/** Writes all of standard input to a private file. Rejects with OpsError state when it cannot be written. */
export async function spoolStdin(io: Io): Promise<Spool> {
  const root = io.env.TMPDIR || tmpdir();
  let directory: string | undefined;
  const clean = (): void => {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  };
  // set before there is anything to remove, and the directory made in one step: a signal in between leaves nothing
  const offExit = io.onExit(clean);
  const offInterrupt = io.onInterrupt(() => io.exitNow(130)); // nothing runs yet; a run has a handler of its own
  const remove = (): void => {
    offExit();
    offInterrupt();
    clean();
  };
  try {
    const path = await guarded(root, async () => {
      directory = mkdtempSync(join(root, 'redops-'));
      return join(directory, 'stdin');
    });
    await guarded(path, async () => {
      const file = await open(path, 'wx', 0o600);
      try {
        for await (const chunk of io.stdinChunks()) await file.writeFile(chunk);
      } finally {
        await file.close();
      }
    });
    return { path, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

async function guarded<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown fault';
    throw new OpsError('state', `standard input cannot be kept in ${path} (${code})`, {
      remedy: 'Name a directory with enough space in TMPDIR, or give the input as a file.',
      cause,
    });
  }
}
