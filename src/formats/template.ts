/**
 * What each row of a file becomes: one command, written as redis-cli text with `{{ }}` where the row's values go, such as
 * `HSET user:{{id}} name {{name}}`. A value never changes how the command is split: it is put into its word as it is,
 * whatever blanks or quotes it has.
 */
import { invariant } from '../base/assert.ts';
import { toBuffer } from '../base/bytes.ts';
import { type Expression, type ExprValue, fromExprValue, parseExpression } from './expr.ts';
import { ReadProblem, wordOf } from './reader.ts';
import type { WireArgument } from './resp.ts';
import { parseCommands, type TextSpan } from './text.ts';

/** A value of a row. Integers within int64 are bigints where the row's format tells them from text. */
export type RowValue = string | Buffer | bigint | boolean | null;

/** A compiled template. */
export interface Template {
  /** The columns it reads, each once. */
  readonly columns: readonly string[];
  /** Those that an expression computes with: there, text that is an integer's should be one. */
  readonly computed: ReadonlySet<string>;
  /** The row's command. Throws ReadProblem, with `line`, for a column that is missing or null and for an expression without a result. */
  fill(row: ReadonlyMap<string, RowValue>, line?: number): readonly WireArgument[];
}

/** Why a template cannot be used; `offset` is 0-based, in UTF-16 units. */
export interface TemplateProblem {
  readonly message: string;
  readonly offset: number;
  readonly fix: string;
}

/**
 * Compiles a template, or says what is wrong. In `{{ }}` stands a column's name (nested members of JSON: `a.b`; a name
 * with other characters in backticks) or an expression over columns, in quotes as well as outside. `\{{` is a literal `{{`.
 */
export function compileTemplate(each: string): { readonly template: Template } | { readonly problem: TemplateProblem } {
  const pieces = splitHoles(each);
  if ('message' in pieces) return { problem: pieces };
  const marker = freeMarker(each);
  if (marker === undefined) {
    const fix = 'write fewer of them: values come from the rows';
    return { problem: { message: 'there are too many kinds of control characters', offset: 0, fix } };
  }
  const parsed = parseCommands(textOf(pieces, marker));
  const [problem] = parsed.problems;
  if (problem) {
    return { problem: { message: problem.message, fix: problem.fix, offset: offsetOf(pieces, problem.span) } };
  }
  const [command, more] = parsed.commands;
  if (!command || more) {
    const message = command ? 'there is more than one command' : 'there is no command';
    return { problem: { message, offset: 0, fix: 'write one command on one line: HSET user:{{id}} name {{name}}' } };
  }
  const holes = pieces.flatMap((piece) => (piece.kind === 'hole' ? [piece.hole] : [])).values();
  const words = command.argv.map((word) => {
    invariant(typeof word === 'string' || 'base64' in word, 'expressions are off in the parser');
    return partsOf(toBuffer(word), marker.charCodeAt(0), holes);
  });
  return { template: templateOf(words) };
}

/** A part of a word. */
type Part = string | Buffer | Hole;

/** `{{ }}`: a column as it is, or an expression whose names stand for columns. */
type Hole =
  | { readonly kind: 'column'; readonly name: string }
  | { readonly kind: 'expression'; readonly expression: Expression; readonly columns: ReadonlyMap<string, string> };

/** `offset`: of its first character in the template; `text` may leave out a backslash before `{{`, so a piece ends there. */
type Piece =
  | { readonly kind: 'text'; readonly offset: number; readonly text: string }
  | { readonly kind: 'hole'; readonly offset: number; readonly hole: Hole };

function splitHoles(each: string): Piece[] | TemplateProblem {
  const pieces: Piece[] = [];
  let from = 0;
  for (;;) {
    const open = each.indexOf('{{', from);
    if (open === -1) break;
    if (each[open - 1] === '\\' && open > from) {
      pieces.push({ kind: 'text', offset: from, text: each.slice(from, open - 1) });
      pieces.push({ kind: 'text', offset: open, text: '{{' });
      from = open + 2;
      continue;
    }
    const close = closingBraces(each, open + 2);
    if (close === -1) {
      return {
        message: '{{ is not closed by }}',
        offset: open,
        fix: 'close it with }}, or write \\{{ for a literal {{',
      };
    }
    const hole = holeOf(each.slice(open + 2, close), open + 2);
    if ('message' in hole) return hole;
    pieces.push({ kind: 'text', offset: from, text: each.slice(from, open) }, { kind: 'hole', offset: open, hole });
    from = close + 2;
  }
  pieces.push({ kind: 'text', offset: from, text: each.slice(from) });
  return pieces;
}

/** The offset of the `}}` that ends a hole, outside of the string literals and backticks in it; -1 when there is none. */
function closingBraces(each: string, from: number): number {
  let quote = '';
  for (let at = from; at < each.length; at += 1) {
    const char = each[at]!;
    if (quote !== '') {
      if (char === '\\' && quote !== '`') at += 1;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'" || char === '`') quote = char;
    else if (char === '}' && each[at + 1] === '}') return at;
  }
  return -1;
}

const columnName = /^[\p{L}_][\p{L}\p{N}_]*(?:\.[\p{L}\p{N}_]+)*$/u;
const quotedName = /^`([^`]+)`$/;
const reserved: ReadonlySet<string> = new Set(['true', 'false', 'null', 'in']);

function holeOf(source: string, offset: number): Hole | TemplateProblem {
  const text = source.trim();
  const at = offset + source.length - source.trimStart().length;
  if (text === '') return { message: '{{ }} is empty', offset, fix: "write a column's name in it" };
  const name = quotedName.exec(text)?.[1];
  if (name !== undefined) return { kind: 'column', name };
  if (columnName.test(text) && !reserved.has(text)) return { kind: 'column', name: text };
  const { source: plain, columns } = withPlainNames(text);
  const parsed = parseExpression(plain);
  if ('problem' in parsed) {
    return {
      message: parsed.problem.message,
      offset: at + parsed.problem.offset,
      fix: "write a column's name, in backticks when it has other characters than letters, digits and _, or an expression",
    };
  }
  const { expression } = parsed;
  return {
    kind: 'expression',
    expression,
    columns: new Map(expression.names.map((each) => [each, columns.get(each) ?? each])),
  };
}

/** Names that expressions do not know (`a.b`, backticks) as names that they know; of the same length, so that offsets stay. */
function withPlainNames(text: string): { readonly source: string; readonly columns: ReadonlyMap<string, string> } {
  const columns = new Map<string, string>();
  const plain = new Set(text.match(/[A-Za-z_]\w*/g));
  const token =
    /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`([^`]+)`|[\p{L}_][\p{L}\p{N}_]*(?:\.[\p{L}\p{N}_]+)*(?!\.|\s*\()/gu;
  const source = text.replace(token, (found: string, backticked: string | undefined) => {
    if (/^["']|^\w+$/.test(found)) return found;
    const column = backticked ?? found;
    let alias = found.replace(/\W/g, '_');
    while (plain.has(alias) || (columns.get(alias) ?? column) !== column) alias += '_';
    columns.set(alias, column);
    return alias;
  });
  return { source, columns };
}

/** A byte that neither stands in the template nor is written there as an escape: it holds a hole's place while words are split. */
function freeMarker(each: string): string | undefined {
  for (let code = 0x0e; code < 0x20; code += 1) {
    const written = `\\x${code.toString(16).padStart(2, '0')}`;
    const marker = String.fromCharCode(code);
    if (!each.includes(marker) && !each.toLowerCase().includes(written)) return marker;
  }
  return undefined;
}

/** The place in the template of a place in the text that was split. */
function offsetOf(pieces: readonly Piece[], span: TextSpan): number {
  const text = textOf(pieces, '.');
  let at = 0;
  for (let line = 1; line < span.line; line += 1) at = text.indexOf('\n', at) + 1;
  at += [...text.slice(at)].slice(0, span.column - 1).join('').length;
  for (const piece of pieces) {
    const length = piece.kind === 'hole' ? 1 : piece.text.length;
    if (at < length) return piece.offset + (piece.kind === 'hole' ? 0 : at);
    at -= length;
  }
  return pieces.at(-1)?.offset ?? 0;
}

function textOf(pieces: readonly Piece[], marker: string): string {
  return pieces.map((piece) => (piece.kind === 'text' ? piece.text : marker)).join('');
}

/** A word in its parts: what stands in the template, and the holes between. */
function partsOf(word: Buffer, marker: number, holes: Iterator<Hole>): Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (let at = word.indexOf(marker); at !== -1; at = word.indexOf(marker, from)) {
    const hole = holes.next();
    invariant(hole.done !== true, 'a marker for each hole');
    if (at > from) parts.push(wordOf(word.subarray(from, at)));
    parts.push(hole.value);
    from = at + 1;
  }
  if (from < word.length || parts.length === 0) parts.push(wordOf(word.subarray(from)));
  return parts;
}

function templateOf(words: readonly (readonly Part[])[]): Template {
  const holes = words.flat().filter((part): part is Hole => typeof part === 'object' && 'kind' in part);
  const computed = new Set(holes.flatMap((hole) => (hole.kind === 'expression' ? [...hole.columns.values()] : [])));
  const plain = holes.flatMap((hole) => (hole.kind === 'column' ? [hole.name] : []));
  const fillers = words.map(fillerOf);
  return {
    columns: [...new Set([...plain, ...computed])],
    computed,
    fill: (row, line = 1) => fillers.map((fill) => fill(row, line)),
  };
}

type Filler = (row: ReadonlyMap<string, RowValue>, line: number) => WireArgument;

function fillerOf(parts: readonly Part[]): Filler {
  const fillers = parts.map((part): Filler => {
    if (typeof part === 'string' || Buffer.isBuffer(part)) return () => part;
    const hole = part as Hole;
    return hole.kind === 'column'
      ? (row, line) => plainValue(row, hole.name, line)
      : (row, line) => computedValue(row, hole, line);
  });
  const [only] = fillers;
  if (fillers.length === 1 && only) return only;
  return (row, line) => {
    let text: WireArgument = '';
    for (const fill of fillers) text = join(text, fill(row, line));
    return text;
  };
}

/** What is joined may be UTF-8 where its parts are not. */
function join(left: WireArgument, right: WireArgument): WireArgument {
  if (typeof left === 'string' && typeof right === 'string') return left + right;
  return wordOf(Buffer.concat([Buffer.from(left as string), Buffer.from(right as string)]));
}

function plainValue(row: ReadonlyMap<string, RowValue>, name: string, line: number): WireArgument {
  const value = row.get(name);
  if (typeof value === 'string') return value;
  if (value === undefined) throw missing(name, line);
  if (value === null) {
    throw new ReadProblem(
      `${name} is null, which no command can hold`,
      `say what stands for it: {{${name} == null ? "" : ${name}}}`,
      {
        line,
        column: 1,
      },
    );
  }
  return typeof value === 'object' ? value : String(value);
}

function computedValue(
  row: ReadonlyMap<string, RowValue>,
  { expression, columns }: Extract<Hole, { kind: 'expression' }>,
  line: number,
): WireArgument {
  const values: Record<string, ExprValue> = {};
  for (const [name, column] of columns) {
    const value = row.get(column);
    if (value === undefined) throw missing(column, line);
    values[name] = value;
  }
  const result = expression.evaluate(values);
  const place = { line, column: 1 };
  if ('problem' in result) {
    let why = result.problem;
    for (const [name, column] of columns) if (name !== column) why = why.replaceAll(name, column);
    throw new ReadProblem(why, 'change the expression in the template, or the value in the file', place);
  }
  const word = fromExprValue(result.value);
  if (word === undefined) {
    const kind = result.value === null ? 'null' : 'true or false';
    throw new ReadProblem(
      `the result of an expression is ${kind}, which no command can hold`,
      'make it text with string(), or choose with ?:',
      place,
    );
  }
  return typeof word === 'string' ? word : toBuffer(word);
}

function missing(name: string, line: number): ReadProblem {
  const message = `there is no column ${JSON.stringify(name)}`;
  return new ReadProblem(message, 'correct the name in the template, or give the row a value for it', {
    line,
    column: 1,
  });
}
