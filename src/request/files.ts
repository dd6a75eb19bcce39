/**
 * Files named in a request become part of it before planning: afterwards `file` is gone, the digest covers the content,
 * and what is applied is what was planned, whatever happens to the file in between.
 */
import { fromBuffer } from '../base/bytes.ts';
import { parseCommands } from '../formats/text.ts';
import type { Diagnostic } from '../plan/diagnostic.ts';
import type { Request, RequestOf } from '../plan/request.ts';
import { commandProblems } from './commands.ts';
import { capped, problem } from './problem.ts';

const mostCommands = 100_000;

/** The request with its file's content in place: commands, or the script's text. `read` may throw; that is REQ003. */
export function inlineFiles(
  request: Request,
  read: (path: string) => Uint8Array,
): { readonly request?: Request; readonly diagnostics: readonly Diagnostic[] } {
  if (!('file' in request) || request.file === undefined) return { request, diagnostics: [] };
  const content = contentOf(request.file, read);
  if (!(content instanceof Uint8Array)) return { diagnostics: [content] };
  const { file, ...rest } = request;
  if (rest.operation_type === 'pipelining') return withCommands(rest, content, file);
  return { request: { ...rest, script: fromBuffer(content) }, diagnostics: [] };
}

function contentOf(path: string, read: (path: string) => Uint8Array): Uint8Array | Diagnostic {
  try {
    return read(path);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    return problem('REQ003', 'file', `the file cannot be read: ${detail}`, 'Check the path and its permissions.');
  }
}

function withCommands(
  request: Omit<RequestOf<'pipelining'>, 'file'>,
  content: Uint8Array,
  file: string,
): { readonly request?: Request; readonly diagnostics: readonly Diagnostic[] } {
  const { commands, problems } = parseCommands(content, { file });
  if (problems.length > 0)
    return {
      diagnostics: capped(
        problems.map(({ message, fix, span }) => ({
          ...problem('TXT001', `${file}:${span.line}:${span.column}`, message, fix),
          span: { ...span },
        })),
      ),
    };
  if (commands.length === 0 || commands.length > mostCommands) {
    const message =
      commands.length === 0
        ? 'the file holds no command'
        : `the file holds ${commands.length} commands, and ${mostCommands} is the most`;
    const fix = commands.length === 0 ? 'Write one command a line.' : 'Split the file.';
    return { diagnostics: [problem('REQ003', 'file', message, fix)] };
  }
  // compile checks again, but only here is the line known
  const wrong = commands.flatMap(({ argv, span }) => {
    const at = `${file}:${span.line}:${span.column}`;
    return commandProblems({ argv, at, line: true }).map((found) => ({ ...found, span: { ...span } }));
  });
  if (wrong.length > 0) return { diagnostics: capped(wrong) };
  return { request: { ...request, commands: commands.map((command) => [...command.argv]) }, diagnostics: [] };
}
