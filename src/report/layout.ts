/**
 * Lines for a terminal of a known width: wrapping, clipping, tables. Text that comes from a server or a file is cleaned
 * here, so that no view can be made to repaint the screen. Colour is what the caller passes in; the default is none.
 */

/** How emphasis is drawn. Each member takes and returns one line's text. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly green: (text: string) => string;
}

/** What every view takes: columns, and colours. */
export interface ViewOptions {
  readonly width?: number;
  readonly paint?: Paint;
}

/** No colour: text passes through. */
export const plainPaint: Paint = { bold: same, dim: same, red: same, yellow: same, green: same };

/** Columns and paint with the defaults filled in: 80 columns (at least 60), no colour. */
export function viewOf(options: ViewOptions): { readonly width: number; readonly paint: Paint } {
  return { width: Math.max(60, options.width ?? 80), paint: options.paint ?? plainPaint };
}

// the characters that base/bytes.ts escapes in keys: controls, bidirectional marks, zero-width characters, lone surrogates
const unsafe =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]$/u;

/** Foreign text with every character that could act on a terminal replaced by "?"; a tab becomes a space. */
export function clean(text: string): string {
  return text.replaceAll('\t', ' ').replace(unsafe, '?');
}

/** Columns that a text takes on a terminal: 2 for East Asian wide characters, 0 for combining marks. */
export function columnsOf(text: string): number {
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += /^\p{M}$/u.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return columns;
}

/** At most `columns` columns of a text; what is cut is shown as "...". */
export function clip(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  const { head } = cutAt(text, Math.max(0, columns - 3));
  return `${head}${'...'.slice(0, Math.max(0, columns))}`;
}

/** A text padded with blanks to `columns` columns. */
export function pad(text: string, columns: number, side: 'left' | 'right' = 'right'): string {
  const blanks = ' '.repeat(Math.max(0, columns - columnsOf(text)));
  return side === 'right' ? text + blanks : blanks + text;
}

/** A text as lines of at most `width` columns, broken at blanks; a longer word is broken where it must be. Never empty. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of clean(text).split(' ')) {
    if (line !== '' && columnsOf(line) + 1 + columnsOf(word) <= width) {
      line = `${line} ${word}`;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    while (columnsOf(line) > width) {
      const { head, tail } = cutAt(line, width);
      lines.push(head);
      line = tail;
    }
  }
  lines.push(line);
  return lines;
}

/** `label` in the first `labelColumns` columns, the text wrapped beside it. */
export function labelled(label: string, text: string, labelColumns: number, width: number): string[] {
  return wrap(text, width - labelColumns).map((line, index) =>
    `${pad(index === 0 ? label : '', labelColumns)}${line}`.trimEnd(),
  );
}

/** A column of a table: its heading, and where its numbers or words line up. `grow`: takes what room is left. */
export interface Column {
  readonly heading: string;
  readonly align?: 'left' | 'right';
  readonly grow?: boolean;
}

/** A table with a heading line; cells of a `grow` column are clipped so that no line is wider than `width`. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  options: ViewOptions & { readonly indent?: number } = {},
): string[] {
  const { width, paint } = viewOf(options);
  const indent = ' '.repeat(options.indent ?? 0);
  const natural = columns.map((column, at) =>
    Math.max(columnsOf(column.heading), ...rows.map((row) => columnsOf(row[at] ?? ''))),
  );
  const room = width - indent.length - 2 * (columns.length - 1);
  const excess = natural.reduce((sum, one) => sum + one, 0) - room;
  const widths = natural.map((one, at) => (columns[at]?.grow && excess > 0 ? Math.max(8, one - excess) : one));
  const lineOf = (cells: readonly string[]): string =>
    (
      indent +
      columns
        .map((column, at) =>
          pad(clip(cells[at] ?? '', widths[at] ?? 0), widths[at] ?? 0, column.align === 'right' ? 'left' : 'right'),
        )
        .join('  ')
    ).trimEnd();
  return [paint.dim(lineOf(columns.map((column) => column.heading))), ...rows.map(lineOf)];
}

/** "1 key", "2 keys": the number with thousands separated. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? noun : plural}`;
}

function cutAt(text: string, columns: number): { head: string; tail: string } {
  let head = '';
  let used = 0;
  for (const character of text) {
    const next = columnsOf(character);
    if (used + next > columns && head !== '') break;
    if (used + next > columns && columns <= 0) break;
    head += character;
    used += next;
  }
  return { head, tail: text.slice(head.length) };
}

function same(text: string): string {
  return text;
}
