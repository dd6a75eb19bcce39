/**
 * Rewrites that are safe: the same meaning and the same reply, or one that blocks less. Two findings have one: DEL of a
 * large collection becomes UNLINK (DEL001), and a suppression that suppresses nothing goes (IGN001). Everything else that
 * lint finds needs somebody who knows what was meant. An edit changes single words or whole comments, byte for byte, and
 * one that would change any other command is no edit.
 */
import { bytesId } from '../base/bytes.ts';
import { luaLines } from '../formats/lua-comments.ts';
import { parseCommands, type TextCommand, wordPlaces } from '../formats/text.ts';
import type { Diagnostic } from '../plan/diagnostic.ts';
import { isScript } from './subject.ts';

/** The codes whose findings have a rewrite. */
export const fixable: readonly string[] = ['DEL001', 'IGN001'];

/** Some bytes of a file, and what stands in their place. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly code: string;
}

/** The edits of a file for these findings, in the order of the file, none overlapping; empty where none is safe. */
export function editsOf(source: Uint8Array, file: string, diagnostics: readonly Diagnostic[]): readonly Edit[] {
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  const own = diagnostics.filter(({ span, code }) => span?.file === file && fixable.includes(code));
  if (own.length === 0) return [];
  const script = isScript(source, file);
  const edits = [...(script ? [] : unlinks(bytes, file, own)), ...comments(bytes, own, script)];
  const sorted = edits.toSorted((a, b) => a.from - b.from);
  return keepsCommands(bytes, sorted, script) ? sorted : [];
}

/** The file with its edits. */
export function edited(source: Uint8Array, edits: readonly Edit[]): Buffer {
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  const parts: Buffer[] = [];
  let at = 0;
  for (const { from, to, text } of edits) {
    parts.push(bytes.subarray(at, from), Buffer.from(text, 'latin1'));
    at = to;
  }
  return Buffer.concat([...parts, bytes.subarray(at)]);
}

/** DEL of a command file whose finding is about DEL itself, written as a plain word. */
function unlinks(bytes: Buffer, file: string, found: readonly Diagnostic[]): readonly Edit[] {
  const places = new Set(found.filter(({ code }) => code === 'DEL001').map(({ at }) => at));
  if (places.size === 0) return [];
  return parseCommands(bytes, { file, places: true }).commands.flatMap((command) => {
    if (!places.has(`${file}:${command.span.line}:${command.span.column}`)) return [];
    const word = wordPlaces(bytes, command)[0];
    const written = word && bytes.toString('latin1', word.from, word.to);
    if (!word || !written || !/^del$/i.test(written)) return [];
    return [{ from: word.from, to: word.to, text: written === 'del' ? 'unlink' : 'UNLINK', code: 'DEL001' }];
  });
}

/** The codes that a suppression names in vain go; with the last one the comment, and the line where it stands alone. */
function comments(bytes: Buffer, found: readonly Diagnostic[], script: boolean): readonly Edit[] {
  const idle = new Map<number, string[]>();
  for (const { code, span, message } of found) {
    const named = code === 'IGN001' ? /^the suppression of ([A-Z]+\d+) /.exec(message)?.[1] : undefined;
    // whether DEL001 is found changes with the rewrites above: what suppresses it is left to a person
    if (named !== undefined && named !== 'DEL001' && span) idle.set(span.line, [...(idle.get(span.line) ?? []), named]);
  }
  if (idle.size === 0) return [];
  const starts = lineStarts(bytes);
  const ofScript = new Map(script ? luaLines(bytes).comments.map((comment) => [comment.line, comment]) : []);
  return [...idle].flatMap(([line, codes]) => {
    const start = starts[line - 1];
    if (start === undefined) return [];
    const text = bytes.toString('latin1', start, starts[line] ?? bytes.length);
    const whole = text.replace(/\r?\n$/, '');
    const comment = ofScript.get(line);
    const at = comment ? whole.length - comment.text.length - 2 : whole.search(/\S/);
    if (at < 0 || (script && !comment)) return [];
    return withoutCodes(text, start, at, codes);
  });
}

const suppression = /^((?:#|--)\s*redops-ignore\s+)([^:]*?)\s*:/;

/** `at`: where the comment begins on the line. */
function withoutCodes(line: string, start: number, at: number, codes: readonly string[]): readonly Edit[] {
  const [, mark, names] = suppression.exec(line.slice(at)) ?? [];
  if (mark === undefined || names === undefined) return [];
  const left = names.split(/[\s,]+/).filter((name) => name !== '' && !codes.includes(name));
  const from = start + at + mark.length;
  if (left.length > 0) return [{ from, to: from + names.length, text: left.join(', '), code: 'IGN001' }];
  const before = line.slice(0, at);
  if (before.trim() === '') return [{ from: start, to: start + line.length, text: '', code: 'IGN001' }];
  const end = start + line.replace(/\r?\n$/, '').length;
  return [{ from: start + before.trimEnd().length, to: end, text: '', code: 'IGN001' }];
}

/** The offsets of lines; a byte order mark belongs to none. */
function lineStarts(bytes: Buffer): readonly number[] {
  const marked = bytes.toString('hex', 0, 3) === 'efbbbf';
  const starts = [marked ? 3 : 0];
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) starts.push(at + 1);
  return starts;
}

/** Whether all commands, or all code, are as before but for the words that were meant to change. */
function keepsCommands(bytes: Buffer, edits: readonly Edit[], script: boolean): boolean {
  const after = edited(bytes, edits);
  if (script) return codeOf(bytes) === codeOf(after);
  const [old, now] = [bytes, after].map((text) => parseCommands(text));
  const renamed = edits.filter(({ code }) => code === 'DEL001').length;
  if (old!.commands.length !== now!.commands.length || old!.problems.length !== now!.problems.length) return false;
  let changed = 0;
  for (const [index, command] of old!.commands.entries()) {
    if (idsOf(command) === idsOf(now!.commands[index]!)) continue;
    changed += 1;
    const [name, ...rest] = command.argv;
    const unlink = { ...command, argv: [name === 'del' ? 'unlink' : 'UNLINK', ...rest] };
    if (idsOf(unlink) !== idsOf(now!.commands[index]!)) return false;
  }
  return changed === renamed;
}

function idsOf({ argv }: TextCommand): string {
  return argv.map((word) => (typeof word === 'object' && 'expr' in word ? '' : bytesId(word))).join('\0');
}

/** The script without its line comments and blanks at the ends of lines. */
function codeOf(source: Buffer): string {
  const lines = source.toString('latin1').split('\n');
  const found = new Map(luaLines(source).comments.map((comment) => [comment.line, comment.text.length + 2]));
  const code = lines.map((line, index) => {
    const whole = line.replace(/\r$/, '');
    return whole.slice(0, whole.length - (found.get(index + 1) ?? 0)).trimEnd();
  });
  return code.filter((line) => line !== '').join('\n');
}
