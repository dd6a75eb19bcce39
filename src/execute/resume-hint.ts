/** How to send the rest of a file after a stream that ended early: a command line, as far as the form of the file has one. */
import type { StreamSource } from '../plan/step.ts';

/** Commands before the place to go on from that were not sent; `path`: the file that holds them. */
export interface LeftBehind {
  readonly commands: number;
  readonly path?: string;
}

/** A sentence with the command line; before it, where commands were left behind, one on those. `line`: from it on nothing was sent. */
export function howToGoOn(source: StreamSource, line: number, left: LeftBehind): string {
  const rest = restOf(source, line);
  return left.commands === 0 ? rest : `${leftBehind(source, line, left)} Then the rest: ${rest}`;
}

/** They come first: what follows may write to their keys. */
function leftBehind({ format }: StreamSource, line: number, { commands, path }: LeftBehind): string {
  const which = `${commands} command${commands === 1 ? '' : 's'} before ${format === 'resp' ? 'command' : 'line'} ${line}`;
  const were = `${which} ${commands === 1 ? 'was' : 'were'} not sent`;
  return path === undefined
    ? `${were}: send what the results call not_sent first (with failures_file a run keeps it ready to be sent).`
    : `${were}: first give what was kept: redops pipe ${shellWord(path)}.`;
}

function restOf(source: StreamSource, line: number): string {
  const { path, format, each, gzip } = source;
  if (path === '-') return `Give the input again from line ${line} on.`;
  const name = shellWord(path);
  const whole = gzip ? `gzip -dc ${name}` : `cat ${name}`;
  const options = `${format === 'text' ? '' : ` --format ${format}`}${each === undefined ? '' : ` --each ${shellWord(each)}`}`;
  switch (format) {
    case 'resp':
      return `The protocol's form has no lines: cut the file before command ${line}.`;
    case 'csv':
      return `${whole}${line > 2 ? ` | sed '2,${line - 1}d'` : ''} | redops pipe -${options}`;
    case 'text':
    case 'jsonl':
      return `${whole} | tail -n +${line} | redops pipe -${options}`;
  }
}

function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
