/** Applies the safe rewrites of lint to files: each is written as a whole or not at all, and keeps its mode and its line ends. */
import { randomBytes } from 'node:crypto';
import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { OpsError } from './base/ops-error.ts';
import { type Edit, edited, editsOf } from './lint/fixes.ts';
import type { LintedFile } from './lint-files.ts';
import type { Diagnostic } from './plan/diagnostic.ts';

/** A file that has rewrites. */
export interface FixedFile {
  readonly name: string;
  /** How many rewrites. */
  readonly fixes: number;
  /** What changes, as a unified diff without context. */
  readonly diff: string;
}

/** What would change, or has changed with `write`: files are read again before they are written, and one that is no longer what was judged is refused (OpsError usage). */
export async function fixFiles(
  files: readonly (LintedFile & { readonly path: string })[],
  diagnostics: readonly Diagnostic[],
  write: boolean,
): Promise<readonly FixedFile[]> {
  const fixed: FixedFile[] = [];
  for (const { name, source, path } of files) {
    const edits = editsOf(source, name, diagnostics);
    if (edits.length === 0) continue;
    if (write) await replace(name, path, Buffer.from(source), edited(source, edits));
    fixed.push({ name, fixes: edits.length, diff: diffOf(name, Buffer.from(source), edits) });
  }
  return fixed;
}

/** Written beside, flushed and renamed into its place; a link stays a link. */
async function replace(name: string, path: string, before: Buffer, after: Buffer): Promise<void> {
  try {
    const target = await realpath(path);
    const { mode, uid, gid } = await stat(target);
    if (!(await readFile(target)).equals(before))
      throw new OpsError('usage', `${name} was changed while it was judged: it is left as it is`, {
        remedy: 'Run lint --fix again.',
      });
    const beside = `${target}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      const file = await open(beside, 'wx', mode & 0o7777);
      try {
        await file.writeFile(after);
        const made = await file.stat();
        // another's file stays another's where that is allowed
        if (made.uid !== uid || made.gid !== gid) await file.chown(uid, gid);
        await file.chmod(mode & 0o7777);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(beside, target);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
  } catch (cause) {
    if (cause instanceof OpsError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown fault';
    throw new OpsError('usage', `${name} cannot be written (${code}): it is left as it is`, {
      remedy: 'Check its permissions and those of its directory.',
      cause,
    });
  }
}

function diffOf(name: string, before: Buffer, edits: readonly Edit[]): string {
  const hunks: string[] = [];
  let shift = 0;
  for (let index = 0; index < edits.length; ) {
    const start = before.lastIndexOf(0x0a, edits[index]!.from - 1) + 1;
    const from = edits[index]!.from === 0 ? 0 : start;
    let end = lineEnd(before, Math.max(edits[index]!.from, edits[index]!.to - 1));
    let next = index + 1;
    while (next < edits.length && edits[next]!.from < end) {
      end = Math.max(end, lineEnd(before, Math.max(edits[next]!.from, edits[next]!.to - 1)));
      next += 1;
    }
    const inside = edits.slice(index, next).map((edit) => ({ ...edit, from: edit.from - from, to: edit.to - from }));
    const old = linesOf(before.subarray(from, end));
    const now = linesOf(edited(before.subarray(from, end), inside));
    const line = linesOf(before.subarray(0, from)).length + 1;
    hunks.push(`@@ -${range(line, old.length)} +${range(line + shift, now.length)} @@`);
    hunks.push(...old.map((text) => `-${text}`), ...now.map((text) => `+${text}`));
    shift += now.length - old.length;
    index = next;
  }
  return [`--- ${name}`, `+++ ${name}`, ...hunks].join('\n');
}

function lineEnd(bytes: Buffer, at: number): number {
  const end = bytes.indexOf(0x0a, at);
  return end === -1 ? bytes.length : end + 1;
}

function linesOf(bytes: Buffer): string[] {
  if (bytes.length === 0) return [];
  return bytes.toString('utf8').replace(/\n$/, '').split('\n');
}

/** As diff has it: a hunk without lines stands behind the line before it. */
function range(line: number, count: number): string {
  return count === 1 ? String(line) : `${count === 0 ? line - 1 : line},${count}`;
}
