/**
 * Files named in a request. A script becomes part of it before planning: afterwards `file` is gone and the digest covers
 * the text. A file of commands stays a file, since it may be of any size: the digest covers its SHA-256 instead.
 */
import { fromBuffer } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import type { Diagnostic } from '../plan/diagnostic.ts';
import type { Request } from '../plan/request.ts';
import type { StreamSource } from '../plan/step.ts';
import { problem } from './problem.ts';
import { formatOf } from './source-format.ts';

/** The request with its script's text in place. `read` may throw; that is REQ003. */
export function inlineFiles(
  request: Request,
  read: (path: string) => Uint8Array,
): { readonly request?: Request; readonly diagnostics: readonly Diagnostic[] } {
  if ('scripts' in request && request.scripts !== undefined) return withScripts(request, request.scripts, read);
  if (request.operation_type !== 'lua_script' || !('file' in request) || request.file === undefined)
    return { request, diagnostics: [] };
  const content = contentOf(request.file, read);
  if (!(content instanceof Uint8Array)) return { diagnostics: [content] };
  const { file: _, ...rest } = request;
  const text = fromBuffer(content);
  if (rest.action === 'function_restore') return { request: { ...rest, payload: text }, diagnostics: [] };
  return { request: { ...rest, script: text }, diagnostics: [] };
}

type Scripted = Extract<Request, { operation_type: 'pipelining' | 'transaction' }>;

function withScripts(
  request: Scripted,
  scripts: NonNullable<Scripted['scripts']>,
  read: (path: string) => Uint8Array,
): ReturnType<typeof inlineFiles> {
  const diagnostics: Diagnostic[] = [];
  const texts = scripts.map((one, index) => {
    if (one.file === undefined) return one;
    const content = contentOf(one.file, read, `scripts[${index}].file`);
    if (content instanceof Uint8Array) return { script: fromBuffer(content) };
    diagnostics.push(content);
    return one;
  });
  return diagnostics.length > 0 ? { diagnostics } : { request: { ...request, scripts: texts }, diagnostics };
}

/** A file of commands as a request names it. */
export type StreamedFile = Pick<StreamSource, 'path' | 'format'> & { readonly each?: string };

/** The file that a request streams; undefined when it streams none. */
export function streamedFile(request: Request): StreamedFile | undefined {
  if (request.operation_type !== 'pipelining' || request.file === undefined) return undefined;
  const { file, format, each } = request;
  return { path: file, format: formatOf(file, format), ...(each === undefined ? {} : { each }) };
}

/** The file that names the keys of a request, and where the request says so; undefined when none does. */
export function keysFileOf(request: Request): { readonly path: string; readonly at: string } | undefined {
  const inside = request.operation_type === 'batch';
  const path = inside ? request.select.keys_file : 'keys_file' in request ? request.keys_file : undefined;
  return path === undefined ? undefined : { path, at: inside ? 'select.keys_file' : 'keys_file' };
}

/** The diagnostic of a file that cannot be read. */
export function unreadableFile(cause: unknown, at = 'file'): Diagnostic {
  if (cause instanceof OpsError)
    return problem('REQ003', at, cause.message, cause.remedy ?? 'Check the path and its permissions.');
  const detail = cause instanceof Error ? cause.message : String(cause);
  return problem('REQ003', at, `the file cannot be read: ${detail}`, 'Check the path and its permissions.');
}

/** The diagnostic of a file without a command. */
export function noCommand(): Diagnostic {
  return problem('REQ003', 'file', 'the file holds no command', 'Write one command a line.');
}

/** The diagnostic of a file without a key. */
export function noKey(at: string): Diagnostic {
  return problem('REQ003', at, 'the file holds no key', 'Write one key a line.');
}

/** The diagnostic of the first place of a file that cannot be read as a command. */
export function unreadablePlace(
  found: { readonly message: string; readonly fix: string; readonly line: number; readonly column: number },
  at: string,
  source: Pick<StreamSource, 'path' | 'format'>,
): Diagnostic {
  const { message, fix, line, column } = found;
  const told = problem('TXT001', at, message, fix);
  return source.format === 'resp' ? told : { ...told, span: { file: source.path, line, column, length: 0 } };
}

function contentOf(path: string, read: (path: string) => Uint8Array, at = 'file'): Uint8Array | Diagnostic {
  try {
    return read(path);
  } catch (cause) {
    return unreadableFile(cause, at);
  }
}
