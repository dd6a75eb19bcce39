/**
 * Lints what an application really sent: append-only files, captures of MONITOR, slow logs. They are read as they come, and
 * one fold takes the findings of all of them, so that a file of any length needs the same memory.
 */
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OpsError } from './base/ops-error.ts';
import { formatCount, formatSize } from './base/units.ts';
import { readManifest } from './formats/aof-manifest.ts';
import { monitorReader } from './formats/monitor-reader.ts';
import { isRdb, rdbEnd } from './formats/rdb-end.ts';
import { type ReadCommand, ReadProblem } from './formats/reader.ts';
import { respReader } from './formats/resp-reader.ts';
import { readSlowlog, type SlowCommand } from './formats/slowlog-reader.ts';
import { type Audit, createAudit } from './lint/audit/audit.ts';
import type { AuditSource } from './lint/audit/command.ts';
import type { Fold } from './lint/audit/fold.ts';
import type { AuditedInput } from './plan/lint-result.ts';
import type { Convention, Target } from './plan/target.ts';

/** What an input is: `commands` are linted as a file, everything else is audited. */
export type InputKind = 'commands' | 'aof' | 'monitor' | 'slowlog';

/** An input of lint: a path, or bytes that come. `kind`: what it is said to be; else its first bytes and its name say. */
export interface LintInput {
  readonly name: string;
  readonly from: { readonly path: string } | { readonly chunks: AsyncIterable<Uint8Array> };
  readonly kind?: InputKind;
}

/** What every audit of one call shares. */
export interface AuditTerms {
  readonly fold: Fold;
  readonly target?: Target;
  readonly conventions?: readonly Convention[];
}

/** The kind of an input by its first bytes, and by its name where they say nothing. Throws OpsError usage for a snapshot. */
export function kindOf(name: string, head: Buffer): InputKind {
  const text = head.toString('latin1');
  if (/^\*\d{1,7}\r\n\$\d/.test(text) || /^#TS:\d+\r\n/.test(text)) return 'aof';
  if (isRdb(head)) {
    if (!/\.rdb$/i.test(name)) return 'aof';
    throw new OpsError('usage', `${name} is a snapshot: it holds data, and no commands`, {
      remedy: 'Give the append-only file or its manifest; redops ttl audit and keys inspect look at a running server.',
    });
  }
  if (/^(?:\+?OK\r?\n)?\+?\d{9,}\.\d{6} \[\d+ /.test(text)) return 'monitor';
  if (/^\s*1\) 1\) \(integer\) \d/.test(text) || /^\s*\[\s*\[\s*\d+\s*,\s*\d/.test(text)) return 'slowlog';
  return /\.aof$/i.test(name) ? 'aof' : 'commands';
}

/** How many first bytes tell the kind. */
export const headBytes = 256;

/** Whether a path is an append-only file of several parts: its manifest, or the directory that holds just one. Gives the manifest's path. */
export async function manifestOf(path: string): Promise<string | undefined> {
  if (/\.manifest$/i.test(path)) return path;
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) return undefined;
  const manifests = (await readdir(path)).filter((name) => /\.manifest$/i.test(name));
  const [only, another] = manifests;
  if (only !== undefined && another === undefined) return join(path, only);
  throw new OpsError('usage', `${path} is a directory with ${manifests.length} manifests`, {
    remedy: 'Name a file, or the *.manifest of an append-only file.',
  });
}

/** Audits the parts that a manifest names, in their order. `folder`: how their directory is called in places. Rejects with OpsError usage. */
export async function auditManifest(path: string, folder: string, terms: AuditTerms): Promise<readonly AuditedInput[]> {
  const parts = readManifest(await readFile(path));
  if ('problem' in parts)
    throw new OpsError('usage', `${path} is no manifest: ${parts.problem}`, {
      remedy: 'A line of it is: file NAME seq N type b, i or h.',
    });
  const audited: AuditedInput[] = [];
  for (const { name: part, type } of parts) {
    const file = join(dirname(path), part);
    const name = join(folder, part);
    if (type === 'history') continue; // superseded by the base, and about to be deleted
    const size = await stat(file).then(
      (found) => found.size,
      () => undefined,
    );
    if (size === undefined) {
      audited.push(unread(name, 'the manifest names this file, and it is not there'));
    } else if (type === 'base' && /\.rdb$/i.test(part)) {
      audited.push(unread(name, `the base is a snapshot of ${formatSize(size)}: it holds data, and was not read`));
    } else audited.push(await auditChunks('aof', name, createReadStream(file, { highWaterMark: 1 << 20 }), terms));
  }
  return audited;
}

/** Audits bytes as they come. Rejects with OpsError usage where they are nothing of that kind at all. */
export async function auditChunks(
  kind: AuditSource,
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  terms: AuditTerms,
): Promise<AuditedInput> {
  const audit = createAudit({ source: kind, name, ...terms });
  const read = { aof: auditAof, monitor: auditMonitor, slowlog: auditSlowlog }[kind];
  const notes = await read(name, chunks, audit);
  const { commands, notes: unjudged } = audit.end();
  return { name, input: kind, commands, notes: [...notes, ...unjudged] };
}

function unread(name: string, note: string): AuditedInput {
  return { name, input: 'aof', commands: 0, notes: [note] };
}

async function auditAof(name: string, chunks: AsyncIterable<Uint8Array>, audit: Audit): Promise<string[]> {
  const reader = respReader();
  const notes: string[] = [];
  let preamble: ReturnType<typeof rdbEnd> | undefined;
  let skipped = 0;
  let begun = false;
  let taken = 0;
  const take = (commands: readonly ReadCommand[]): void => {
    for (const command of commands) {
      audit.take(skipped === 0 ? command : { ...command, offset: (command.offset ?? 0) + skipped });
    }
    taken += commands.length;
  };
  try {
    for await (const bytes of chunks) {
      let chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (!begun && chunk.length > 0) {
        begun = true;
        if (isRdb(chunk)) preamble = rdbEnd();
      }
      if (preamble) {
        const end = preamble.push(chunk);
        skipped += end ?? chunk.length;
        if (end === undefined) continue;
        preamble = undefined;
        notes.push(`the file begins with a snapshot of ${formatSize(skipped)}, which was not read`);
        chunk = chunk.subarray(end);
      }
      take(reader.push(chunk));
    }
    if (preamble)
      notes.push(
        preamble.whole
          ? `the file is a snapshot of ${formatSize(skipped)} and nothing behind it: it was not read`
          : 'the file begins with a snapshot whose end is not in it: nothing was read',
      );
    else take(reader.end());
  } catch (error) {
    if (!(error instanceof ReadProblem)) throw error;
    take(error.before);
    if (taken === 0 && !/^the file ends/.test(error.message))
      throw new OpsError('usage', `${name} is no append-only file: ${error.message}`, { remedy: error.fix });
    notes.push(`${error.message}: nothing from there on was judged`);
  }
  return notes;
}

async function auditMonitor(name: string, chunks: AsyncIterable<Uint8Array>, audit: Audit): Promise<string[]> {
  const reader = monitorReader();
  for await (const bytes of chunks) {
    for (const command of reader.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)))
      audit.take(command);
  }
  for (const command of reader.end()) audit.take(command);
  const { count, first } = reader.strange;
  if (count > 0 && reader.read === 0)
    throw new OpsError('usage', `${name} is no capture of MONITOR: none of its lines is one`, {
      remedy: 'Make one: redis-cli MONITOR > capture.txt, ended after some seconds. --input says what an input is.',
    });
  if (count === 0) return [];
  return [`${formatCount(count)} lines are none of MONITOR's and were left out, the first of them line ${first}`];
}

async function auditSlowlog(name: string, chunks: AsyncIterable<Uint8Array>, audit: Audit): Promise<string[]> {
  const parts: Uint8Array[] = [];
  for await (const bytes of chunks) parts.push(bytes);
  const log = readSlowlog(Buffer.concat(parts));
  if ('problem' in log)
    throw new OpsError('usage', `${name}:${log.line}: no slow log: ${log.problem}`, {
      remedy: 'Print it with redis-cli --json SLOWLOG GET 1000, or redis-cli --no-raw SLOWLOG GET 1000.',
    });
  for (const entry of log) audit.take(commandOf(entry));
  return cutNotes(log);
}

/** An entry of the slow log as a command of an audit. */
export function commandOf({ argv, id, atMs, microseconds, client }: SlowCommand) {
  return { argv, line: id, atMs, microseconds, client };
}

/** What a slow log hides, in words; empty when it hides nothing. */
export function cutNotes(log: readonly SlowCommand[]): string[] {
  const cut = log.filter(({ argv }) => argv.includes(undefined)).length;
  if (cut === 0) return [];
  return [
    `${formatCount(cut)} of ${formatCount(log.length)} entries are cut: the server keeps 32 arguments of a command and 128 bytes of each, and the rest is not known`,
  ];
}
