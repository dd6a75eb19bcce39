/** Lints whatever it is given: command files and scripts as a whole, what an application really sent as a stream. */
import { createReadStream } from 'node:fs';
import { dirname } from 'node:path';
import { OpsError } from './base/ops-error.ts';
import type { Question } from './inspect/questions.ts';
import { unjudged } from './lint/audit/audit.ts';
import { createFold } from './lint/audit/fold.ts';
import {
  type AuditTerms,
  auditChunks,
  auditManifest,
  headBytes,
  type InputKind,
  kindOf,
  type LintInput,
  manifestOf,
} from './lint-audit.ts';
import { type LintedFile, type LintSettings, lintFiles } from './lint-files.ts';
import type { AuditedInput, LintResult } from './plan/lint-result.ts';
import type { Target } from './plan/target.ts';

/** The verdict, and the files that were read whole, for outputs that show their lines. */
export interface LintedInputs {
  readonly result: LintResult;
  readonly files: readonly LintedFile[];
}

/** Asks the server where one is named. */
export type AskFacts = (questions: readonly Question[]) => Promise<Target>;

/** Judges inputs, each by its kind. Rejects with OpsError usage for what cannot be read, and with what `facts` rejects with. */
export async function lintInputs(
  inputs: readonly LintInput[],
  settings?: LintSettings,
  facts?: AskFacts,
): Promise<LintedInputs> {
  const opened = [];
  for (const input of inputs) opened.push(await open(input));
  const files: LintedFile[] = [];
  for (const { name, kind, chunks } of opened)
    if (kind === 'commands') files.push({ name, source: await gathered(name, chunks()) });
  const judged: LintResult = files.length > 0 ? await lintFiles(files, settings, facts) : nothing;
  const streams = opened.filter(({ kind }) => kind !== 'commands');
  if (streams.length === 0) return { result: judged, files };
  const target = await facts?.([]);
  const terms: AuditTerms = { fold: createFold(settings?.severity), ...auditTerms(settings, target) };
  const audited: AuditedInput[] = [];
  for (const { name, kind, chunks, path = '', folder = '' } of streams) {
    if (kind === 'manifest') audited.push(...(await readable(name, auditManifest(path, folder, terms))));
    else if (kind !== 'commands') audited.push(await readable(name, auditChunks(kind, name, chunks(), terms)));
  }
  return { result: withAudit(judged, audited, terms, settings), files };
}

/** What audits are told beside their fold. */
export function auditTerms(
  settings: LintSettings | undefined,
  target: Target | undefined,
): Pick<AuditTerms, 'target' | 'conventions'> {
  return { ...(target && { target }), ...(settings?.conventions && { conventions: settings.conventions }) };
}

/** A verdict with that of audits that share a fold. */
export function withAudit(
  result: LintResult,
  audited: readonly AuditedInput[],
  { fold, target }: AuditTerms,
  settings?: LintSettings,
): LintResult {
  const known = new Set(result.unchecked.map(({ code }) => code));
  return {
    ...result,
    diagnostics: [...result.diagnostics, ...fold.diagnostics],
    unchecked: [...result.unchecked, ...unjudged(target, settings?.severity).filter(({ code }) => !known.has(code))],
    audited,
  };
}

const nothing: LintResult = { diagnostics: [], unchecked: [] };

interface Opened {
  readonly name: string;
  readonly kind: InputKind | 'manifest';
  readonly chunks: () => AsyncIterable<Uint8Array>;
  /** Of a manifest: where it lies, and how its directory is called. */
  readonly path?: string;
  readonly folder?: string;
}

async function open({ name, from, kind }: LintInput): Promise<Opened> {
  if ('path' in from) {
    const manifest = kind === undefined || kind === 'aof' ? await manifestOf(from.path) : undefined;
    if (manifest !== undefined) {
      const folder = manifest === from.path ? dirname(name) : name;
      return { name, kind: 'manifest', chunks: none, path: manifest, folder };
    }
    const chunks = () => createReadStream(from.path, { highWaterMark: 1 << 20 });
    if (kind !== undefined) return { name, kind, chunks };
    let head: Buffer = Buffer.alloc(0);
    for await (const part of cannotBeRead(name, createReadStream(from.path, { end: headBytes - 1 })))
      head = Buffer.from(part);
    return { name, kind: kindOf(name, head), chunks };
  }
  if (kind !== undefined) return { name, kind, chunks: () => from.chunks };
  // it comes only once: what tells the kind is put back before the rest
  const iterator = from.chunks[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    head = Buffer.concat([head, next.value]);
    if (head.length >= headBytes) break;
  }
  const rest = async function* () {
    yield head;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  };
  return { name, kind: kindOf(name, head), chunks: rest };
}

async function* none(): AsyncIterable<Uint8Array> {}

async function gathered(name: string, chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of cannotBeRead(name, chunks)) parts.push(part);
  return Buffer.concat(parts);
}

async function* cannotBeRead(name: string, chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* chunks;
  } catch (cause) {
    throw unreadable(name, cause);
  }
}

async function readable<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw cause instanceof OpsError ? cause : unreadable(name, cause);
  }
}

function unreadable(name: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || !('code' in cause)) return cause;
  return new OpsError('usage', `${name} cannot be read (${String(cause.code)})`, {
    remedy: 'Check the path and its permissions, or give - to read standard input.',
    cause,
  });
}
