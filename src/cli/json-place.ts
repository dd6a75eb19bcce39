/**
 * JSON with the place of its first mistake: line and column, which JSON.parse gives in no version of Node alike. A
 * member that stands twice is a mistake too: JSON.parse would drop one of them silently.
 */

/** The value, or what is wrong and where (1-based, in characters). */
export type ParsedJson =
  | { readonly value: unknown }
  | { readonly problem: { readonly message: string; readonly line: number; readonly column: number } };

/** Parses JSON; a byte order mark before it is skipped. */
export function parseJson(source: string): ParsedJson {
  const text = source.startsWith('\ufeff') ? source.slice(1) : source;
  try {
    scan(text);
    return { value: JSON.parse(text) };
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    const before = text.slice(0, error.offset).split('\n');
    return { problem: { message: error.message, line: before.length, column: [...(before.at(-1) ?? '')].length + 1 } };
  }
}

class Mistake extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const deepest = 500;

function scan(text: string): void {
  const end = afterBlanks(text, scanValue(text, afterBlanks(text, 0), 0));
  if (end < text.length) throw new Mistake('there is more text after the end of the value', end);
}

// each scan function takes the offset of its first character and gives the offset after its last
function scanValue(text: string, at: number, depth: number): number {
  if (depth > deepest) throw new Mistake(`nested deeper than ${deepest}`, at);
  const first = text[at];
  if (first === undefined) throw new Mistake('the text ends where a value should be', at);
  if (first === '{') return scanObject(text, at, depth);
  if (first === '[') return scanArray(text, at, depth);
  if (first === '"') return scanString(text, at);
  const word = matchAt(/(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y, text, at);
  if (word !== undefined) return at + word.length;
  if (first === "'") throw new Mistake("strings stand in double quotes, not '", at);
  throw new Mistake(`${JSON.stringify(first)} cannot begin a value`, at);
}

function scanObject(text: string, open: number, depth: number): number {
  const names = new Set<unknown>();
  let at = afterBlanks(text, open + 1);
  if (text[at] === '}') return at + 1;
  for (;;) {
    if (text[at] !== '"') throw new Mistake('expected the name of a member in double quotes', at);
    const nameEnd = scanString(text, at);
    const name: unknown = JSON.parse(text.slice(at, nameEnd));
    if (names.has(name)) throw new Mistake(`the member ${JSON.stringify(name)} stands twice`, at);
    names.add(name);
    at = afterBlanks(text, nameEnd);
    if (text[at] !== ':') throw new Mistake("expected ':' after the name of a member", at);
    at = afterBlanks(text, scanValue(text, afterBlanks(text, at + 1), depth + 1));
    if (text[at] === '}') return at + 1;
    if (text[at] !== ',') throw new Mistake("expected ',' or '}' in an object", at);
    at = afterBlanks(text, at + 1);
    if (text[at] === '}') throw new Mistake("a ',' before '}' is not JSON", at);
  }
}

function scanArray(text: string, open: number, depth: number): number {
  let at = afterBlanks(text, open + 1);
  if (text[at] === ']') return at + 1;
  for (;;) {
    at = afterBlanks(text, scanValue(text, at, depth + 1));
    if (text[at] === ']') return at + 1;
    if (text[at] !== ',') throw new Mistake("expected ',' or ']' in an array", at);
    at = afterBlanks(text, at + 1);
    if (text[at] === ']') throw new Mistake("a ',' before ']' is not JSON", at);
  }
}

function scanString(text: string, open: number): number {
  const body = matchAt(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y, text, open) ?? '"';
  const at = open + body.length;
  if (text[at] === '"') return at + 1;
  if (text[at] === '\\') throw new Mistake('JSON knows no such escape in a string', at);
  throw new Mistake('the string does not end on its line', at);
}

function afterBlanks(text: string, at: number): number {
  return at + (matchAt(/[ \t\r\n]*/y, text, at) ?? '').length;
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
