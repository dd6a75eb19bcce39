/**
 * The least ACL rule that lets a user run the plan: its commands, what redops itself asks of the server while it runs
 * them, and its keys. `%R~` and `%W~` are not used: they need 7.0.
 */
import { type Bytes, bytesId, toBuffer } from '../base/bytes.ts';
import type { Argv, CommandInfo } from '../catalog/command.ts';
import { keysOf } from '../catalog/keys.ts';
import { findCommand } from '../catalog/lookup.ts';
import { counterRead } from '../catalog/script-replies.ts';
import { filterCommands, isFiltered } from '../plan/filters.ts';
import type { CommandStep, Selection, Step } from '../plan/step.ts';
import { literal } from '../plan/values.ts';

/** Key patterns that are listed one by one; beyond, their common prefix stands for them. */
const mostPatterns = 100;

/** ACL rules such as "+unlink", "+object|freq", "~session:*", sorted within commands, keys, channels. `argvs`: every command of the steps; `guarded`: some go inside the script that looks again; `more`: commands that only the server knows. */
export function permissionsOf(
  steps: readonly Step[],
  argvs: readonly Argv[],
  writes: boolean,
  guarded = false,
  more: readonly CommandInfo[] = [],
): string[] {
  const commands = new Set(argvs.flatMap((argv) => commandRules(argv, more)));
  if (guarded) for (const rule of guarding) commands.add(rule);
  for (const rule of steps.flatMap((step) => stepRules(step))) commands.add(rule);
  for (const rule of ownRules(writes)) commands.add(rule);
  const all = commands.has('+@all');
  return [
    ...(all ? ['+@all'] : [...commands].sort()),
    ...keyRules(steps, argvs, more),
    ...[...new Set(argvs.flatMap((argv) => channelRules(argv)))].sort(),
  ];
}

/** What the run needs for itself. Connecting: HELLO, CLIENT SETNAME and ID; proof of the server: INFO, ROLE, TIME; before anything is resent: CLIENT KILL. */
function ownRules(writes: boolean): readonly string[] {
  const always = ['+hello', '+client|setname', '+client|id', '+info', '+role', '+time'];
  return writes ? [...always, '+client|kill'] : always;
}

function stepRules(step: Step): readonly string[] {
  switch (step.kind) {
    case 'scan':
      return [
        ...['+scan', ...filtering(step.selection)],
        ...(step.export ? exporting : []),
        ...(step.collect === 'ttl' ? ['+pttl'] : []),
      ];
    case 'for_each':
      return [...(step.selection.keys_file === undefined ? ['+scan'] : ['+exists']), ...filtering(step.selection)];
    case 'transaction':
      if (step.native) return commandRules(step.native.argv.map(literal));
      return [
        ...['+multi', '+exec', '+discard'],
        ...(step.watch.length > 0 || step.reads.length > 0 ? ['+watch', '+unwatch'] : []),
        ...(step.marker ? ['+get'] : []),
        ...(step.wait ? ['+wait'] : []),
        ...(step.script ? ['+evalsha', '+script|load', ...counting(step.steps)] : []),
      ];
    case 'script':
      return ['+evalsha', '+script|load', ...calledBy(step.source)];
    case 'command':
    case 'pipeline':
    case 'stream':
      return [];
  }
}

/** What the filters of a selection read, without making keys look used where the server can. */
function filtering(selection: Selection): readonly string[] {
  if (!isFiltered(selection)) return [];
  return ['+client|no-touch', ...filterCommands(selection).map((words) => `+${words.join('|').toLowerCase()}`)];
}

/** What the script of a transaction reads a counter with, whose reply may be beyond what Lua can hold. */
function counting(commands: readonly CommandStep[]): readonly string[] {
  return commands.flatMap(({ argv }) => {
    const read = counterRead(argv.map(literal));
    return read === undefined ? [] : [`+${read}`];
  });
}

/** What the script that looks again needs, whatever it looks at. */
const guarding = ['+evalsha', '+script|load', '+time', '+pttl'];

/** What reads the values of every type, and their deadlines. */
const exporting =
  '+type +pttl +pexpiretime +strlen +llen +scard +zcard +hlen +xlen +get +lrange +smembers +sscan +zrange +zscan +hgetall +hscan +hpexpiretime +xrange +xinfo'.split(
    ' ',
  );

/** A subcommand by its first argument (6.0 takes that form too); a command that nobody knows needs everything. */
function commandRules(argv: Argv, more?: readonly CommandInfo[]): readonly string[] {
  const info = findCommand(argv, more);
  return [info === undefined ? '+@all' : `+${info.name}`];
}

/** The commands that a script's text calls by a constant name. Where a call cannot be read off, nothing less than +@all is sure to do. */
function calledBy(source: Bytes): readonly string[] {
  const text = toBuffer(source)
    .toString('latin1')
    .replace(/--\[\[[\s\S]*?\]\]|--[^\n]*/g, '');
  const mentions = text.match(/\b(call|pcall)\b/g)?.length ?? 0;
  const named = [...text.matchAll(/\bredis\s*\.\s*p?call\s*\(\s*(["'])([\w.-]+)\1\s*(?:,\s*(["'])([\w-]+)\3)?/g)];
  if (named.length < mentions) return ['+@all'];
  return named.flatMap(([, , name, , sub]) => commandRules(sub === undefined ? [name] : [name, sub]));
}

function keyRules(steps: readonly Step[], argvs: readonly Argv[], more: readonly CommandInfo[]): readonly string[] {
  const keys = new Map<string, Bytes>();
  const add = (key: Bytes | undefined) => key !== undefined && keys.set(bytesId(key), key);
  const selecting = steps.filter((step) => step.kind === 'scan' || step.kind === 'for_each');
  for (const step of steps) {
    if (step.kind === 'script') step.keys.forEach(add);
    if (step.kind === 'transaction') step.watch.forEach(add);
  }
  // a job's command has the key of the selection, which the pattern covers
  if (selecting.length === 0) for (const argv of argvs) for (const use of keysOf(argv, more) ?? []) add(use.key);
  const named = keyPatterns([...keys.values()]);
  const matched = selecting.map((step) => `~${patternText(step.selection.match)}`);
  return [...new Set([...matched, ...named])].sort();
}

function keyPatterns(keys: readonly Bytes[]): readonly string[] {
  const texts = keys.map((key) => patternText(escaped(key)));
  if (texts.length <= mostPatterns) return texts.map((text) => `~${text}`);
  let prefix = texts[0]!;
  for (const text of texts) while (!text.startsWith(prefix)) prefix = prefix.slice(0, -1);
  // not inside an escape: `a\` would escape the star
  return [`~${prefix.replace(/\\$/, '')}*`];
}

/** A key as a glob that matches only itself. */
function escaped(key: Bytes): Bytes {
  return typeof key === 'string' ? key.replace(/[\\*?[\]]/g, '\\$&') : key;
}

/** Bytes that are not text stand as ?, which matches any one byte: ACL SETUSER takes the rule in a text. */
function patternText(pattern: Bytes): string {
  const text =
    typeof pattern === 'string'
      ? pattern
      : toBuffer(pattern)
          .toString('latin1')
          .replace(/[^\x21-\x7e]/g, '?');
  return text.replace(/[\s\u0000-\u001f]/g, '?');
}

function channelRules(argv: Argv): readonly string[] {
  const name = findCommand(argv)?.name;
  return (name === 'publish' || name === 'spublish') && argv[1] !== undefined
    ? [`&${patternText(escaped(argv[1]))}`]
    : [];
}
