/** The answer of FUNCTION LIST as a table: a row for each function, under its library. */
import { printable } from '../base/bytes.ts';
import type { Report } from '../plan/report.ts';
import type { ReplyValue } from '../plan/values.ts';
import { type Column, table, type ViewOptions } from './layout.ts';

/** Library, function and flags; one sentence where there is none. undefined where the report has no such answer. */
export function functionsText(report: Report, options: ViewOptions = {}): string | undefined {
  const [result] = report.results;
  if (result?.outcome !== 'ok' || !isList(result.reply)) return undefined;
  if (result.reply.length === 0) return 'The server has no functions.';
  const columns: Column[] = [{ heading: 'library', grow: true }, { heading: 'function' }, { heading: 'flags' }];
  const rows = result.reply.flatMap((library) => {
    const name = field(library, 'library_name');
    return list(field(library, 'functions')).map((one, index) => [
      index === 0 ? words(name) : '',
      words(field(one, 'name')),
      list(field(one, 'flags')).map(words).join(' ') || '-',
    ]);
  });
  return table(columns, rows, options).join('\n');
}

/** A named field of an entry, in which names and values alternate. */
function field(entry: ReplyValue, name: string): ReplyValue {
  const items = list(entry);
  const at = items.findIndex((item, index) => index % 2 === 0 && item === name);
  return at === -1 ? null : (items[at + 1] ?? null);
}

function list(value: ReplyValue): readonly ReplyValue[] {
  return isList(value) ? value : [];
}

function isList(value: ReplyValue): value is ReplyValue[] {
  return Array.isArray(value);
}

function words(value: ReplyValue): string {
  return typeof value === 'string' ? printable(value) : '-';
}
