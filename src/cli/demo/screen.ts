/**
 * What the demo draws with: headings, the command a user could type, and sections of the real views. A view is never
 * retold: the demo picks which of its sections to show, by their labels.
 */
import { type Paint, plainPaint, wrap } from '../../report/layout.ts';

/** Where the demo writes, and how wide. */
export interface Screen {
  /** At most 80 columns; what views are given, less the indent. */
  readonly width: number;
  readonly paint: Paint;
  /** Starts a chapter: its number, its title, and one sentence of why. */
  chapter(title: string, why: string): void;
  /** A sentence of the demo's own, wrapped. */
  say(text: string): void;
  /** The command that a user would type for what follows. */
  command(...lines: readonly string[]): void;
  /** Output of a view, indented. */
  show(text: string): void;
}

const indent = '  ';

/** A screen over `write`, dark once `signal` is aborted. */
export function createScreen(
  write: (text: string) => void,
  options: { readonly width: number; readonly paint?: Paint; readonly chapters: number; readonly signal: AbortSignal },
): Screen {
  const paint = options.paint ?? plainPaint;
  const columns = Math.min(80, options.width);
  let chapter = 0;
  const line = (text: string): void => {
    if (!options.signal.aborted) write(`${text.trimEnd()}\n`);
  };
  return {
    width: columns - indent.length,
    paint,
    chapter(title, why) {
      chapter += 1;
      line('');
      line(paint.bold(`${chapter}/${options.chapters}  ${title}`));
      for (const text of wrap(why, columns)) line(text);
    },
    say: (text) => wrap(text, columns).forEach(line),
    command(...lines) {
      line('');
      lines.forEach((text, index) => {
        line(indent + paint.bold(`${index === 0 ? '$ ' : '    '}${text}${index < lines.length - 1 ? ' \\' : ''}`));
      });
    },
    show: (text) => {
      for (const one of text.split('\n')) line(indent + one);
    },
  };
}

/**
 * The sections of planText or reportText whose label is wanted, in the view's order. A section begins with its label at
 * the margin or two columns in; what stands further in continues it, and so does a wrapped line at the margin.
 */
export function sections(text: string, wanted: readonly string[]): string {
  let kept = false;
  let margin = false;
  const lines = text.split('\n').filter((line) => {
    const plain = line.replace(ansi, '');
    const [, gap, start] = /^( *)(.*)$/.exec(plain) ?? ['', '', ''];
    const label = wanted.some((one) => start?.startsWith(one));
    const atMargin = gap === '' && start !== '';
    if (atMargin) kept = label || (kept && margin);
    else if (gap?.length === 2) kept = label;
    margin = atMargin;
    return kept && start !== '';
  });
  return lines.join('\n');
}

/** A view without the sections of these labels (of a finding: why, fix, docs). */
export function without(text: string, unwanted: readonly string[]): string {
  let label = '';
  const kept = text.split('\n').filter((line) => {
    const plain = line.replace(ansi, '');
    // what continues a section stands under its text, further to the right than any label
    if (!/^ {7}/.test(plain)) label = /^ {2}(\w+) {1,3}\S/.exec(plain)?.[1] ?? '';
    return !unwanted.includes(label);
  });
  return kept.join('\n');
}

const ansi = /\u001b\[[\d;]*m/g;
