/** How to send the rest of a file after a stream that ended early: a command line, as far as the form of the file has one. */
import type { StreamSource } from '../plan/step.ts';

/** One sentence with the command line. `line`: the first that was not sent. */
export function howToGoOn(source: StreamSource, line: number): string {
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
