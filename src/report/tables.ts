/** What the reading verbs answer: the keys of a find, facts per key of inspect and ttl get, TTL states of an audit. */
import { type Bytes, bytesId, printable } from '../base/bytes.ts';
import { formatCount, formatDuration, formatSize } from '../base/units.ts';
import type { CommandResult, Report, TtlGroup } from '../plan/report.ts';
import { literal, type ReplyValue } from '../plan/values.ts';
import { type Column, table, type ViewOptions } from './layout.ts';
import { replyWords } from './words.ts';

/** The keys found, one a line, whole (a clipped key is no key), each readable by the command line parser again. */
export function keysText(report: Report): string {
  return (report.found?.keys ?? []).map((key) => printable(key)).join('\n');
}

/** One row per key from the results of `keys inspect` and `ttl get`; "-" where the server had no answer. */
export function inspectText(report: Report, options: ViewOptions = {}): string {
  const rows = new Map<string, { readonly key: Bytes; readonly cells: Map<string, string> }>();
  for (const result of report.results) {
    const fact = factOf(result);
    if (fact === undefined) continue;
    const id = bytesId(fact.key);
    const row = rows.get(id) ?? { key: fact.key, cells: new Map() };
    rows.set(id, row);
    row.cells.set(fact.heading, fact.cell);
  }
  const headings = facts.map(({ heading }) => heading).filter((name, at, all) => all.indexOf(name) === at);
  const present = headings.filter((heading) => [...rows.values()].some(({ cells }) => cells.has(heading)));
  const columns: Column[] = [
    { heading: 'key', grow: true },
    ...present.map((heading): Column => ({ heading, align: words.has(heading) ? 'left' : 'right' })),
  ];
  const cells = [...rows.values()].map((row) => [
    printable(row.key),
    ...present.map((heading) => row.cells.get(heading) ?? '-'),
  ]);
  return table(columns, cells, options).join('\n');
}

/** TTL states per prefix, most keys without a TTL first. */
export function auditText(groups: readonly TtlGroup[], options: ViewOptions = {}): string {
  const columns: Column[] = [
    { heading: 'prefix', grow: true },
    { heading: 'keys', align: 'right' },
    { heading: 'without TTL', align: 'right' },
    { heading: 'part', align: 'right' },
    { heading: 'shortest', align: 'right' },
    { heading: 'longest', align: 'right' },
  ];
  const rows = [...groups]
    .sort((a, b) => b.without_ttl - a.without_ttl || b.keys - a.keys)
    .map((group) => [
      printable(group.prefix),
      formatCount(group.keys),
      formatCount(group.without_ttl),
      group.keys === 0 ? '-' : `${((100 * group.without_ttl) / group.keys).toFixed(0)}%`,
      group.shortest_ms === undefined ? '-' : formatDuration(group.shortest_ms),
      group.longest_ms === undefined ? '-' : formatDuration(group.longest_ms),
    ]);
  return table(columns, rows, options).join('\n');
}

interface Fact {
  readonly command: string;
  readonly heading: string;
  readonly cell: (reply: ReplyValue) => string;
}

const count = (reply: ReplyValue): string => (typeof reply === 'number' ? formatCount(reply) : replyWords(reply));
const word = (reply: ReplyValue): string => (typeof reply === 'string' ? printable(reply) : '-');
const facts: readonly Fact[] = [
  { command: 'type', heading: 'type', cell: word },
  { command: 'object encoding', heading: 'encoding', cell: word },
  ...['strlen', 'llen', 'scard', 'zcard', 'hlen', 'xlen'].map((command) => ({
    command,
    heading: 'elements',
    cell: (reply: ReplyValue) => (command === 'strlen' ? `${count(reply)} B` : count(reply)),
  })),
  {
    command: 'memory usage',
    heading: 'memory',
    cell: (reply) => (typeof reply === 'number' ? formatSize(reply) : '-'),
  },
  { command: 'pttl', heading: 'time to live', cell: timeToLive },
  {
    command: 'object idletime',
    heading: 'idle',
    cell: (reply) => (typeof reply === 'number' ? formatDuration(reply * 1000) : '-'),
  },
  { command: 'object freq', heading: 'frequency', cell: count },
];
const words = new Set(['type', 'encoding']);

function factOf(result: CommandResult): { key: Bytes; heading: string; cell: string } | undefined {
  const [first, second, third] = result.argv.map(literal);
  const name = String(first).toLowerCase();
  const two = `${name} ${String(second).toLowerCase()}`;
  const fact = facts.find(({ command }) => command === name || command === two);
  const key = fact?.command.includes(' ') ? third : second;
  if (fact === undefined || key === undefined) return undefined;
  return { key, heading: fact.heading, cell: result.outcome === 'ok' ? fact.cell(result.reply) : outcomeCell(result) };
}

function outcomeCell(result: CommandResult): string {
  return result.outcome === 'error' ? '-' : result.outcome;
}

function timeToLive(reply: ReplyValue): string {
  if (reply === -1) return 'none';
  if (reply === -2) return 'missing';
  return typeof reply === 'number' ? formatDuration(reply) : '-';
}
