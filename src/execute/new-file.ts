/**
 * A file that a run makes: readable by its owner alone, never over another, and given its name only when it is whole.
 */
import { link, open, rename, rm } from 'node:fs/promises';
import { OpsError } from '../base/ops-error.ts';

/** Gives a whole file its name, unless there is one of that name. */
export async function giveName(partial: string, path: string): Promise<void> {
  try {
    await link(partial, path);
  } catch (error) {
    if (codeOf(error) !== 'EPERM' && codeOf(error) !== 'ENOTSUP' && codeOf(error) !== 'ENOSYS') throw error;
    await rename(partial, path);
    return;
  }
  await rm(partial, { force: true });
}

/** Rejects with OpsError state where there is something of that name. */
export async function refuseExisting(path: string): Promise<void> {
  try {
    await (await open(path, 'r')).close();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw stateError(path, error);
  }
  throw stateError(path, Object.assign(new Error('it is there'), { code: 'EEXIST' }));
}

/** Acts on a file; what the system refuses is OpsError state. */
export async function guarded<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw stateError(path, error);
  }
}

/** The fault of a file that cannot be written. */
export function stateError(path: string, cause: unknown): OpsError {
  const code = codeOf(cause) ?? 'unknown fault';
  const remedy =
    code === 'EEXIST'
      ? 'Name a file that does not exist yet: nothing is overwritten.'
      : 'Check the directory and the space on its disk, or name another file.';
  return new OpsError('state', `the file ${path} cannot be written (${code})`, { remedy, cause });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
