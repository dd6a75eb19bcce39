/**
 * Files of the state directory. Everything is private (0600, directories 0700) and nothing is half written: a file is
 * written beside its place, flushed, renamed, and the directory flushed. Every fault is an OpsError `state`.
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { OpsError } from '../base/ops-error.ts';

/** Creates a directory and what is above it, mode 0700. Rejects with OpsError state. */
export async function ensureDirectory(path: string): Promise<void> {
  await guarded(path, () => mkdir(path, { recursive: true, mode: 0o700 }));
}

/** Writes a whole file durably (flushed, renamed into place, directory flushed), mode 0600. Rejects with OpsError state. */
export async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  await guarded(path, async () => {
    const beside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      const file = await open(beside, 'wx', 0o600);
      try {
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(beside, path);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
    await syncDirectory(dirname(path));
  });
}

/** Writes the whole text at the end of an open file and flushes it. */
export async function appendDurably(file: FileHandle, text: string): Promise<void> {
  const bytes = Buffer.from(text, 'utf8');
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written);
    written += bytesWritten;
  }
  await file.datasync();
}

/** Flushes a directory, so that a new name in it outlives a crash. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Runs a file operation and turns its fault into an OpsError state that names the path and the remedy. */
export async function guarded<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (cause instanceof OpsError) throw cause;
    throw stateError(path, cause);
  }
}

/** The OpsError of a fault at a path. */
export function stateError(path: string, cause: unknown): OpsError {
  const code = codeOf(cause);
  const remedy = (code && remedies.get(code)) ?? 'Check the directory, or name another one in REDOPS_STATE.';
  return new OpsError('state', `the state file ${path} cannot be written or read${code ? ` (${code})` : ''}`, {
    remedy,
    cause,
  });
}

/** The system's code of a fault (ENOENT, ENOSPC ...); undefined when it has none. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

const remedies: ReadonlyMap<string, string> = new Map([
  [
    'ENOSPC',
    'The disk is full: free some space, or name another directory in REDOPS_STATE. Nothing is sent without a journal.',
  ],
  ['EDQUOT', 'The disk quota is used up: free some space, or name another directory in REDOPS_STATE.'],
  ['EACCES', 'The directory must belong to you: correct its owner and mode, or name another one in REDOPS_STATE.'],
  ['EPERM', 'The directory must belong to you: correct its owner and mode, or name another one in REDOPS_STATE.'],
  ['EROFS', 'The file system is read-only: name another directory in REDOPS_STATE.'],
]);
