/**
 * The audit log: one JSON line for every plan that was applied or refused. Each line carries the SHA-256 of the line
 * before it, so that a line that is changed, removed or put in later is found. The chain has no secret: it shows
 * accidents and careless edits, not someone who rewrites the file from that line on.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { OpsError } from '../base/ops-error.ts';
import { appendDurably, codeOf, ensureDirectory, guarded } from './files.ts';
import { type Lock, takeLock } from './lock.ts';

/** The outcome of a verification: how many records hold, or the first line (1-based) that does not, and why. */
export type AuditVerdict =
  | { readonly ok: true; readonly records: number }
  | { readonly ok: false; readonly line: number; readonly reason: string };

const first = '0'.repeat(64);

/** Appends a record (its member `prev` is set here) to `<dir>/audit.jsonl`, on disk before it resolves. Rejects with OpsError state. */
export async function appendAudit(dir: string, record: Readonly<Record<string, unknown>>): Promise<void> {
  await ensureDirectory(dir);
  const path = join(dir, 'audit.jsonl');
  const lock = await waitForLock(`${path}.lock`);
  try {
    await guarded(path, async () => {
      const file = await open(path, 'a+', 0o600);
      try {
        const last = await lastLine(file);
        const prev = last === undefined ? first : hash(last);
        await appendDurably(file, `${JSON.stringify({ ...record, prev })}\n`);
      } finally {
        await file.close();
      }
    });
  } finally {
    await lock.release();
  }
}

/** Checks the chain of `<dir>/audit.jsonl` from its first line; no file is a chain of none. Rejects with OpsError state. */
export async function verifyAudit(dir: string): Promise<AuditVerdict> {
  const path = join(dir, 'audit.jsonl');
  const text = await guarded(path, async () => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return '';
      throw error;
    }
  });
  const lines = text.split('\n');
  const torn = lines.pop() ?? '';
  let prev = first;
  for (const [index, line] of lines.entries()) {
    const claimed = prevOf(line);
    if (claimed === undefined) return { ok: false, line: index + 1, reason: 'the line is not a record' };
    if (claimed !== prev)
      return { ok: false, line: index + 1, reason: 'a line before it was changed, removed or put in' };
    prev = hash(line);
  }
  if (torn !== '') return { ok: false, line: lines.length + 1, reason: 'the line is not complete' };
  return { ok: true, records: lines.length };
}

async function waitForLock(path: string): Promise<Lock> {
  const deadline = systemClock.monotonic() + 5_000;
  for (;;) {
    const lock = await takeLock(path);
    if (lock !== undefined) return lock;
    if (systemClock.monotonic() > deadline)
      throw new OpsError('state', `the audit log has been locked for 5 s (${path})`, {
        remedy: 'Another redops process holds it: wait until it has ended.',
      });
    await systemClock.sleep(5 + Math.random() * 20);
  }
}

// the tail is read in growing pieces; a last line without its end was never acknowledged (a crash cut it) and is removed
async function lastLine(file: FileHandle): Promise<string | undefined> {
  const { size } = await file.stat();
  for (let length = Math.min(size, 65_536); length > 0; length = Math.min(size, length * 8)) {
    const tail = Buffer.alloc(length);
    await file.read(tail, 0, length, size - length);
    const end = tail.lastIndexOf(0x0a);
    const start = end <= 0 ? -1 : tail.lastIndexOf(0x0a, end - 1);
    const whole = length === size;
    if (end >= 0 && (start >= 0 || whole)) {
      if (end < length - 1) await file.truncate(size - length + end + 1);
      return tail.subarray(start + 1, end).toString('utf8');
    }
    if (whole) {
      await file.truncate(0);
      return undefined;
    }
  }
  return undefined;
}

function hash(line: string): string {
  return createHash('sha256').update(line, 'utf8').digest('hex');
}

function prevOf(line: string): string | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'prev' in value && typeof value.prev === 'string'
      ? value.prev
      : undefined;
  } catch {
    return undefined;
  }
}
