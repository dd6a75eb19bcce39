/**
 * A lock file: who holds it is written in it (process id and the time that process started), so that the lock of a
 * process that has died is recognised, even where its id was given to another process since.
 */
import { randomBytes } from 'node:crypto';
import { link, open, readFile, rename, rm } from 'node:fs/promises';
import { kill, pid } from 'node:process';
import { OpsError } from '../base/ops-error.ts';
import { codeOf, guarded } from './files.ts';

/** A lock that is held. */
export interface Lock {
  /** Gives it up. May be called twice. */
  release(): Promise<void>;
}

interface Holder {
  readonly pid: number;
  /** Start time of the process in clock ticks since boot, where the system tells (/proc). */
  readonly started: string | undefined;
}

/** Takes the lock at `path`, or undefined while a living process holds it. Rejects with OpsError state. */
export async function takeLock(path: string): Promise<Lock | undefined> {
  return guarded(path, async () => {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const mine = await create(path);
      if (mine !== undefined) return mine;
      const text = await textOf(path);
      if (text === undefined) continue;
      if (await isAlive(text)) return undefined;
      await setAside(path, text);
    }
    return undefined;
  });
}

/** The lock at `path`, or OpsError state that says which process holds it. */
export async function requireLock(path: string, what: string): Promise<Lock> {
  const lock = await takeLock(path);
  if (lock !== undefined) return lock;
  const holder = parse((await textOf(path)) ?? '');
  throw new OpsError('state', `${what} is in use by process ${holder?.pid ?? 'unknown'}`, {
    remedy: 'Wait until that process has ended.',
  });
}

/** The process that holds the lock at `path`; undefined when none that lives does. Rejects with OpsError state. */
export async function holderOf(path: string): Promise<number | undefined> {
  return guarded(path, async () => {
    const text = await textOf(path);
    return text !== undefined && (await isAlive(text)) ? parse(text)?.pid : undefined;
  });
}

async function create(path: string): Promise<Lock | undefined> {
  const token = `${JSON.stringify({ pid, started: await startOf(pid), nonce: randomBytes(8).toString('hex') })}\n`;
  // written beside its place and linked, so that nobody ever reads an empty lock
  const beside = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(beside, 'wx', 0o600);
  try {
    await file.writeFile(token);
  } finally {
    await file.close();
  }
  try {
    await link(beside, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  } finally {
    await rm(beside, { force: true });
  }
  return {
    release: async () => {
      if ((await textOf(path)) === token) await rm(path, { force: true });
    },
  };
}

// two processes may find the same stale lock: what is moved away is looked at again, and put back if it is another one
async function setAside(path: string, stale: string): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}.stale`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if ((await textOf(aside)) !== stale) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

async function isAlive(text: string): Promise<boolean> {
  const holder = parse(text);
  if (holder === undefined || !exists(holder.pid)) return false;
  const started = await startOf(holder.pid);
  return started === undefined || holder.started === undefined || started === holder.started;
}

function exists(id: number): boolean {
  try {
    kill(id, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

// field 22 of /proc/<pid>/stat; the command name before it may hold blanks and parentheses
async function startOf(id: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${id}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function parse(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('pid' in value) || typeof value.pid !== 'number')
      return undefined;
    const started = 'started' in value && typeof value.started === 'string' ? value.started : undefined;
    return { pid: value.pid, started };
  } catch {
    return undefined;
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
