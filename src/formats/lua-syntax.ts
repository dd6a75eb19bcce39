/**
 * Lua 5.1 text to a syntax tree, as Redis' own compiler reads it. The source is handled as Latin-1, one character a
 * byte, so that strings of any bytes survive; places are given in characters of the UTF-8 text.
 */
import luaparse, { type CallExpression, type Chunk, type Expression, type Node } from 'luaparse';
import type { LuaPlace, LuaShebang } from './lua-facts.ts';
import { overLimit } from './lua-limits.ts';

/** A parsed script: its tree, and the text and places behind its nodes. */
export interface LuaSyntax {
  readonly chunk: Chunk;
  /** The source text of a node, at most 120 characters. */
  text(node: Node): string;
  place(node: Node): LuaPlace;
}

/** A syntax error with its place. */
export interface LuaProblem extends LuaPlace {
  readonly message: string;
}

/** Parses Latin-1 decoded Lua 5.1; throws only RangeError, when the nesting is too deep. */
export function parseLua(source: string): LuaSyntax | { readonly problem: LuaProblem } {
  const place = placer(source);
  if (source.startsWith('#')) return { problem: { message: "unexpected symbol near '#'", line: 1, column: 1 } };
  const numbers: Node[] = [];
  const calls: CallExpression[] = [];
  try {
    const chunk = luaparse.parse(hideTokens(source), {
      luaVersion: '5.1',
      comments: false,
      locations: true,
      ranges: true,
      encodingMode: 'pseudo-latin1',
      onCreateNode: (node) => {
        if (node.type === 'NumericLiteral') numbers.push(node);
        if (node.type === 'CallExpression') calls.push(node);
        if (node.type === 'StringLiteral') node.value = hiddenText(source, rangeOf(node)) ?? node.value;
      },
    });
    const refused = malformedNumber(source, numbers) ?? emptyArgument(source, calls) ?? tooMuch(chunk);
    if (refused) return { problem: { message: refused.message, ...place(refused.range, refused.node) } };
    return { chunk, text: (node) => shorten(source, rangeOf(node)), place: (node) => place(rangeOf(node), node) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { problem: syntaxProblem(error.message.replace(/ near '\x01[^']*'/, ''), source) };
  }
}

interface Refused {
  readonly message: string;
  readonly range: readonly [number, number];
  readonly node: Node;
}

/** Letters that follow the digits belong to a number, `1is` is one malformed word; luaparse reads two. */
function malformedNumber(source: string, numbers: readonly Node[]): Refused | undefined {
  for (const node of numbers) {
    const [from, to] = rangeOf(node);
    const number = /[0-9.]+(?:[Ee][+-]?)?\w*/y;
    number.lastIndex = from;
    const word = number.exec(source)?.[0] ?? '';
    if (word.length !== to - from)
      return { message: `malformed number near '${word}'`, range: [from, from + word.length], node };
  }
  return undefined;
}

/** luaparse takes `f(, 1)` for `f(1)`. */
function emptyArgument(source: string, calls: readonly CallExpression[]): Refused | undefined {
  for (const node of calls) {
    const [first] = node.arguments;
    if (first === undefined) continue;
    const before = source.slice(rangeOf(node.base)[1], rangeOf(first)[0]).replace(comments, '');
    if (before.includes(',')) return { message: "unexpected symbol near ','", range: rangeOf(node), node };
  }
  return undefined;
}

function tooMuch(chunk: Chunk): Refused | undefined {
  const over = overLimit(chunk);
  return over && { message: over.message, range: rangeOf(over.node), node: over.node };
}

const comments = /--(?:\[(=*)\[[\s\S]*?\]\1\]|[^\r\n]*)/g;

/** Comments and strings, in the order in which the lexer meets them. */
const quotedText =
  /--\[(=*)\[[\s\S]*?\]\1\]|--[^\r\n]*|\[(=*)\[([\s\S]*?)\]\2\]|"((?:\\[\s\S]|[^"\\\r\n])*)"|'((?:\\[\s\S]|[^'\\\r\n])*)'/g;

const tokens: ReadonlySet<string> = new Set(
  (
    'and break do else elseif end false for function if in local nil not or repeat return then true until while ' +
    '+ - * / % ^ # == ~= <= >= < > = ( ) { } [ ] ; : , . .. ...'
  ).split(' '),
);

/** luaparse compares tokens by their text, so that `return 'end'` ends a block: the first byte of such strings is hidden from it. */
function hideTokens(source: string): string {
  return source.replace(quotedText, (whole, _comment, _level, ...texts: (string | undefined)[]) => {
    const text = texts.slice(0, 3).find((one) => one !== undefined);
    return text !== undefined && tokens.has(text) ? whole.replace(text, `\x01${text.slice(1)}`) : whole;
  });
}

/** The text of a string that hideTokens changed; undefined for any other. */
function hiddenText(source: string, [from, to]: readonly [number, number]): string | undefined {
  const text = source.slice(from, to).replace(/^(?:\[=*\[|["'])|(?:\]=*\]|["'])$/g, '');
  return tokens.has(text) ? text : undefined;
}

/**
 * Takes the `#!` line off (blanked, so that places stay). Redis 7.0 and later read it before the compiler; the line
 * must end in a newline.
 */
export function readShebang(source: string): { shebang?: LuaShebang; body: string; problem?: string } {
  if (!source.startsWith('#!')) return { body: source };
  const end = source.indexOf('\n');
  if (end < 0) return { body: '', problem: 'the #! line does not end in a newline' };
  const [engine = '', ...options] = source
    .slice(2, end)
    .split(' ')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  const flags = options
    .filter((option) => option.startsWith('flags='))
    .flatMap((option) => option.slice('flags='.length).split(','))
    .filter((flag) => flag !== '');
  const name = options.find((option) => option.startsWith('name='))?.slice('name='.length);
  const shebang = { engine, flags, ...(name === undefined ? {} : { name }) };
  return { shebang, body: ' '.repeat(end) + source.slice(end) };
}

/** The arguments of a call in any of its three spellings. */
export function argumentsOf(call: Expression): readonly Expression[] {
  switch (call.type) {
    case 'CallExpression':
      return call.arguments;
    case 'StringCallExpression':
      return [call.argument];
    case 'TableCallExpression':
      return [call.arguments];
    default:
      return [];
  }
}

/** Latin-1 decoded bytes as UTF-8 text, undefined when they are none. */
export function utf8Of(latin1: string): string | undefined {
  const bytes = Buffer.from(latin1, 'latin1');
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined;
}

/** luaparse adds the range that its type declarations leave out. */
function rangeOf(node: Node): readonly [number, number] {
  return (node as { readonly range?: readonly [number, number] }).range ?? [0, 0];
}

function shorten(source: string, [from, to]: readonly [number, number]): string {
  const text = Buffer.from(source.slice(from, Math.min(to, from + 120)), 'latin1').toString('utf8');
  return to - from > 120 ? `${text}...` : text;
}

/** Places in characters: bytes up to each offset that are not UTF-8 continuation bytes, counted once. */
function placer(source: string): (range: readonly [number, number], node: Node) => LuaPlace {
  const counts = isAscii(source) ? undefined : characterCounts(source);
  return ([offset, end], node) => {
    const bytes = node.loc?.start.column ?? 0;
    const column = counts ? (counts[offset] ?? 0) - (counts[offset - bytes] ?? 0) : bytes;
    const [onLine = ''] = source.slice(offset, end).split(/[\r\n]/, 1);
    const length = counts ? (counts[offset + onLine.length] ?? 0) - (counts[offset] ?? 0) : onLine.length;
    return { line: node.loc?.start.line ?? 1, column: column + 1, length: Math.max(1, length) };
  };
}

function isAscii(source: string): boolean {
  for (let at = 0; at < source.length; at += 1) if (source.charCodeAt(at) > 0x7f) return false;
  return true;
}

function characterCounts(source: string): Uint32Array {
  const counts = new Uint32Array(source.length + 1);
  for (let at = 0; at < source.length; at += 1) {
    counts[at + 1] = counts[at]! + ((source.charCodeAt(at) & 0xc0) === 0x80 ? 0 : 1);
  }
  return counts;
}

/** luaparse says `[line:column] what`, its columns from 0 and in bytes; at an open long bracket it may point past the end. */
function syntaxProblem(message: string, source: string): LuaProblem {
  const match = /^\[(\d+):(\d+)\] ([\s\S]*)$/.exec(message);
  if (!match) return { message, line: 1, column: 1 };
  const lines = source.split(/\r\n|\n\r|\n|\r/);
  const line = Math.min(Number(match[1]), lines.length);
  const text = lines[line - 1] ?? '';
  const before = Number(match[1]) === line ? text.slice(0, Number(match[2])) : text;
  return { message: match[3]!, line, column: before.replace(/[\x80-\xbf]/g, '').length + 1 };
}
