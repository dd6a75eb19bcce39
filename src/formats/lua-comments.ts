/**
 * The line comments of a Lua text, found without parsing it: a script that does not compile has them too. What looks like
 * a comment inside a string or a long comment is none.
 */

/** A comment that ends with its line. Line and column are 1-based, the column in characters of the UTF-8 text. */
export interface LuaComment {
  readonly line: number;
  readonly column: number;
  /** What stands behind the two dashes, as Latin-1: one character a byte. */
  readonly text: string;
  /** True when nothing but blanks stands before it on its line. */
  readonly alone: boolean;
}

/** The comments in order, and for each line whether it holds code: index 0 is line 1. */
export interface LuaLines {
  readonly comments: readonly LuaComment[];
  readonly hasCode: readonly boolean[];
}

/** Reads a script; time linear in its length. */
export function luaLines(source: Uint8Array): LuaLines {
  const text = Buffer.from(source.buffer, source.byteOffset, source.byteLength).toString('latin1');
  const comments: LuaComment[] = [];
  const hasCode: boolean[] = [false];
  let at = text.startsWith('#') ? lineEnd(text, 0) : 0;
  let lineStart = 0;
  const advance = (to: number, code: boolean): void => {
    for (; at < to; at += 1) {
      if (text[at] === '\n') {
        hasCode.push(false);
        lineStart = at + 1;
      } else if (code && !/\s/.test(text[at]!)) hasCode[hasCode.length - 1] = true;
    }
  };
  while (at < text.length) {
    if (text.startsWith('--', at)) {
      const long = longBracket(text, at + 2);
      if (long !== undefined) advance(long, false);
      else {
        const end = lineEnd(text, at);
        const alone = hasCode[hasCode.length - 1] === false;
        const column = characters(text.slice(lineStart, at)) + 1;
        comments.push({ line: hasCode.length, column, text: text.slice(at + 2, end).replace(/\r$/, ''), alone });
        at = end;
      }
    } else advance(wordEnd(text, at), true);
  }
  return { comments, hasCode };
}

/** The end of what starts here and is no comment: a string, or one character. */
function wordEnd(text: string, at: number): number {
  const character = text[at];
  if (character === '[') return longBracket(text, at) ?? at + 1;
  if (character !== '"' && character !== "'") return at + 1;
  for (let end = at + 1; end < text.length; end += 1) {
    if (text[end] === '\\') end += 1;
    else if (text[end] === character) return end + 1;
    else if (text[end] === '\n') return end; // not closed: it does not compile
  }
  return text.length;
}

/** The offset behind a long bracket that opens here; undefined when none does. One that is not closed runs to the end. */
function longBracket(text: string, at: number): number | undefined {
  const opening = /\[(=*)\[/y;
  opening.lastIndex = at;
  const level = opening.exec(text)?.[1];
  if (level === undefined) return undefined;
  const closing = `]${level}]`;
  const end = text.indexOf(closing, at);
  return end === -1 ? text.length : end + closing.length;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
}

/** Characters of UTF-8 that is decoded as Latin-1. */
function characters(text: string): number {
  return text.replace(/[\x80-\xbf]/g, '').length;
}
