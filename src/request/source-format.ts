/** How a file of commands is written, where the request does not say it: by its name. */
import type { SourceFormat } from '../plan/request.ts';

/** The format that the request gives, else that of the file's name (.gz left out), else text. */
export function formatOf(file: string, given?: SourceFormat): SourceFormat {
  if (given !== undefined) return given;
  const extension = /\.([a-z]+)(?:\.gz)?$/i.exec(file)?.[1]?.toLowerCase() ?? '';
  return byExtension.get(extension) ?? 'text';
}

const byExtension: ReadonlyMap<string, SourceFormat> = new Map([
  ['resp', 'resp'],
  ['aof', 'resp'],
  ['csv', 'csv'],
  ['jsonl', 'jsonl'],
  ['ndjson', 'jsonl'],
]);
