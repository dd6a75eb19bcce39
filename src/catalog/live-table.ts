/**
 * The command table of a running server, as COMMAND tells it: names with their subcommands (7.0 and later) and flags.
 * What a server lists wins over what the generated table remembers of other versions; before 7.0 a subcommand has the
 * flags of its container.
 */
import { type Decoded, ReplyError } from '../formats/resp.ts';

/** Flags by name: lower case, a subcommand as `config|get`. */
export type LiveTable = ReadonlyMap<string, ReadonlySet<string>>;

/** The table in a reply to COMMAND; undefined when the server did not tell it. */
export function liveTable(reply: Decoded): LiveTable | undefined {
  if (!Array.isArray(reply)) return undefined;
  const table = new Map<string, ReadonlySet<string>>();
  for (const entry of reply) add(table, entry);
  return table.size > 0 ? table : undefined;
}

/** The flags of a command; of the container where its subcommands are not listed. undefined: the server has no such command. */
export function liveFlags(table: LiveTable, name: string): ReadonlySet<string> | undefined {
  const container = name.split('|')[0] ?? name;
  if (table.has(name) || container === name) return table.get(name);
  const listsSubcommands = [...table.keys()].some((one) => one.startsWith(`${container}|`));
  return listsSubcommands ? undefined : table.get(container);
}

// name, arity, flags, first, last, step; from 7.0 categories, tips, key specifications, subcommands
function add(table: Map<string, ReadonlySet<string>>, entry: Decoded): void {
  if (!Array.isArray(entry)) return;
  const [name, , flags] = entry;
  const text = wordOf(name);
  if (text === undefined) return;
  table.set(text, new Set(items(flags).flatMap((flag) => wordOf(flag) ?? [])));
  for (const subcommand of items(entry[9])) add(table, subcommand);
}

/** An array, or a RESP3 set, which is decoded as one. */
function items(value: Decoded | undefined): readonly Decoded[] {
  return Array.isArray(value) ? value : [];
}

function wordOf(value: Decoded | undefined): string | undefined {
  if (value instanceof ReplyError) return undefined;
  if (Buffer.isBuffer(value)) return value.toString('latin1').toLowerCase();
  return typeof value === 'string' ? value.toLowerCase() : undefined;
}
