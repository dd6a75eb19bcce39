/**
 * One JSON object (RFC 8259) as a row: the members that a template reads, found by name, everything else checked and
 * skipped. Written by hand because JSON.parse makes a double of every number and takes the last of two members of the
 * same name.
 */
import { canonicalInteger } from './expr-evaluate.ts';
import { ReadProblem } from './reader.ts';
import type { RowValue, Template } from './template.ts';

/** The columns of a template, prepared: their names, and those of the objects around nested ones. */
export interface WantedColumns {
  readonly names: ReadonlySet<string>;
  /** `a.` and `a.b.` for the column `a.b.c`. */
  readonly prefixes: ReadonlySet<string>;
  /** Columns whose integers are to be bigints. */
  readonly computed: ReadonlySet<string>;
}

/** Prepares the columns of a template; a dot leads into an object. */
export function wantedColumns({ columns, computed }: Pick<Template, 'columns' | 'computed'>): WantedColumns {
  const prefixes = new Set<string>();
  for (const name of columns) {
    for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1))
      prefixes.add(name.slice(0, dot + 1));
  }
  return { names: new Set(columns), prefixes, computed };
}

/** The wanted members of an object; numbers are their digits, or bigints where they are computed with and within int64. Throws ReadProblem. */
export function readJsonRow(text: string, wanted: WantedColumns, line: number): Map<string, RowValue> {
  const scan: Scan = { text, at: 0, line, wanted, row: new Map() };
  if (next(scan) !== OPEN_BRACE) {
    throw fault(scan, 'the line is no JSON object', 'write one object a line: {"id": 1, "name": "a"}');
  }
  readObject(scan, '', 1);
  if (!Number.isNaN(next(scan))) {
    throw fault(scan, 'something stands behind the object', 'write each object on a line of its own');
  }
  return scan.row;
}

interface Scan {
  readonly text: string;
  at: number;
  readonly line: number;
  readonly wanted: WantedColumns;
  readonly row: Map<string, RowValue>;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const MAX_DEPTH = 512;

/** Reads an object from its brace. `prefix`: what its members' names begin with; undefined: no member of it is wanted. */
function readObject(scan: Scan, prefix: string | undefined, depth: number): void {
  if (depth > MAX_DEPTH) throw fault(scan, `the object is nested over ${MAX_DEPTH} deep`, 'write flatter objects');
  scan.at += 1;
  if (next(scan) === CLOSE_BRACE) {
    scan.at += 1;
    return;
  }
  for (;;) {
    if (next(scan) !== QUOTE) throw syntax(scan, "a member's name in double quotes");
    const key = readString(scan);
    if (next(scan) !== COLON) throw syntax(scan, '":"');
    scan.at += 1;
    readMember(scan, prefix === undefined ? undefined : prefix + key, depth);
    const code = next(scan);
    scan.at += 1;
    if (code === CLOSE_BRACE) return;
    if (code !== COMMA) {
      scan.at -= 1;
      throw syntax(scan, '"," or "}"');
    }
  }
}

function readMember(scan: Scan, name: string | undefined, depth: number): void {
  const wanted = name !== undefined && scan.wanted.names.has(name);
  if (!wanted) {
    const inside = name !== undefined && scan.wanted.prefixes.has(`${name}.`) ? `${name}.` : undefined;
    skipValue(scan, inside, depth);
    return;
  }
  const code = next(scan);
  if (code === OPEN_BRACE || code === OPEN_BRACKET) {
    const kind = code === OPEN_BRACE ? 'an object' : 'an array';
    throw fault(
      scan,
      `${name} is ${kind}, not a value`,
      `name a member of it ({{${name}.member}}), or write it as a string`,
    );
  }
  if (scan.row.has(name)) throw fault(scan, `${name} stands twice in the object`, 'leave one of them out');
  scan.row.set(name, code === QUOTE ? readString(scan) : readBare(scan, scan.wanted.computed.has(name)));
}

function skipValue(scan: Scan, prefix: string | undefined, depth: number): void {
  const code = next(scan);
  if (code === OPEN_BRACE) readObject(scan, prefix, depth + 1);
  else if (code === OPEN_BRACKET) skipArray(scan, depth + 1);
  else if (code === QUOTE) readString(scan);
  else readBare(scan, false);
}

function skipArray(scan: Scan, depth: number): void {
  if (depth > MAX_DEPTH) throw fault(scan, `the object is nested over ${MAX_DEPTH} deep`, 'write flatter objects');
  scan.at += 1;
  if (next(scan) === CLOSE_BRACKET) {
    scan.at += 1;
    return;
  }
  for (;;) {
    skipValue(scan, undefined, depth);
    const code = next(scan);
    if (code !== COMMA && code !== CLOSE_BRACKET) throw syntax(scan, '"," or "]"');
    scan.at += 1;
    if (code === CLOSE_BRACKET) return;
  }
}

/** Reads a string from its quote. */
function readString(scan: Scan): string {
  const { text } = scan;
  const start = scan.at;
  let escaped = false;
  for (let at = start + 1; ; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      scan.at = at + 1;
      return escaped ? unescaped(scan, start) : text.substring(start + 1, at);
    }
    if (code === BACKSLASH) {
      escaped = true;
      at += 1;
    } else if (!(code >= 0x20)) {
      scan.at = Math.min(at, text.length);
      if (Number.isNaN(code)) throw syntax(scan, 'the closing quote of a string');
      const name = code === 0 ? 'a NUL byte' : 'a control character';
      throw fault(scan, `${name} stands in a string`, `write it as \\u${code.toString(16).padStart(4, '0')}`);
    }
  }
}

function unescaped(scan: Scan, start: number): string {
  let value: unknown;
  try {
    value = JSON.parse(scan.text.slice(start, scan.at));
  } catch {
    scan.at = start;
    throw fault(scan, 'a string has an escape that JSON does not know', 'write \\\\ for a backslash');
  }
  if (typeof value === 'string' && value.isWellFormed()) return value;
  scan.at = start;
  throw fault(scan, 'a string has half of a surrogate pair', 'write the character itself, or bytes in base64');
}

const bareWord = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

/** Reads true, false, null or a number. */
function readBare(scan: Scan, compute: boolean): RowValue {
  let end = scan.at;
  while (isBare(scan.text.charCodeAt(end))) end += 1;
  const word = scan.text.slice(scan.at, end);
  if (!bareWord.test(word)) throw syntax(scan, 'a value');
  scan.at = end;
  if (word === 'null') return null;
  if (word === 'true' || word === 'false') return word === 'true';
  return compute ? (canonicalInteger(word) ?? word) : word;
}

/** Letters, digits, and + - . */
function isBare(code: number): boolean {
  const letter = code | 0x20;
  return (
    (code >= 0x30 && code <= 0x39) ||
    (letter >= 0x61 && letter <= 0x7a) ||
    (code >= 0x2b && code <= 0x2e && code !== COMMA)
  );
}

/** The code of the next character that is no blank; NaN at the end. */
function next(scan: Scan): number {
  for (;;) {
    const code = scan.text.charCodeAt(scan.at);
    if (code !== 0x20 && code !== 0x09 && code !== 0x0d) return code;
    scan.at += 1;
  }
}

function syntax(scan: Scan, expected: string): ReadProblem {
  const found =
    scan.at < scan.text.length ? JSON.stringify(scan.text.slice(scan.at, scan.at + 20)) : 'the end of the line';
  return fault(
    scan,
    `${expected} should stand here, but there is ${found}`,
    'write one JSON object a line, as JSON.stringify does',
  );
}

function fault(scan: Scan, message: string, fix: string): ReadProblem {
  return new ReadProblem(message, fix, { line: scan.line, column: [...scan.text.slice(0, scan.at)].length + 1 });
}
