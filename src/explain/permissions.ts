/**
 * The least ACL rule that lets a user run the plan: its commands, what redops itself asks of the server while it runs
 * them, and its keys. The rules as such are those of every version; acl-rule.ts makes the narrower ones of 7.0.
 */
import { type Bytes, bytesId, toBuffer } from '../base/bytes.ts';
import type { Argv, CommandInfo } from '../catalog/command.ts';
import { type KeyUse, keysOf } from '../catalog/keys.ts';
import { findCommand } from '../catalog/lookup.ts';
import { counterRead } from '../catalog/script-replies.ts';
import { filterCommands, isFiltered } from '../plan/filters.ts';
import type { CommandStep, Selection, Step } from '../plan/step.ts';
import { literal } from '../plan/values.ts';

/** Key patterns that are listed one by one; beyond, their common prefix stands for them. */
const mostPatterns = 100;

/** ACL rules such as "+unlink", "+object|freq", "~session:*", sorted within commands, keys, channels. */
export function permissionsOf({ own, planned, keys, channels }: Grants): string[] {
  const commands = new Set([...own, ...planned]);
  return [
    ...(commands.has('+@all') ? ['+@all'] : [...commands].sort()),
    ...keys.map(({ pattern }) => `~${pattern}`),
    ...channels,
  ];
}

/** What a user needs for the plan, taken apart. */
export interface Grants {
  /** Commands that redops sends for itself; none of them has keys. */
  readonly own: readonly string[];
  /** Commands of the plan. */
  readonly planned: readonly string[];
  /** Key patterns, without the ~, and whether keys of them are read and written. */
  readonly keys: readonly { readonly pattern: string; readonly reads: boolean; readonly writes: boolean }[];
  /** `&channel`. */
  readonly channels: readonly string[];
}

/** What the steps need. `argvs`: every command of theirs; `guarded`: some go inside the script that looks again; `more`: commands that only the server knows. */
export function grantsOf(
  steps: readonly Step[],
  argvs: readonly Argv[],
  writes: boolean,
  guarded: boolean,
  more: readonly CommandInfo[],
): Grants {
  const planned = new Set(argvs.flatMap((argv) => commandRules(argv, more)));
  if (guarded) for (const rule of guarding) planned.add(rule);
  for (const rule of steps.flatMap((step) => stepRules(step))) planned.add(rule);
  return {
    own: ownRules(writes),
    planned: [...planned].sort(),
    keys: keyRules(steps, argvs, more),
    channels: [...new Set(argvs.flatMap((argv) => channelRules(argv)))].sort(),
  };
}

/** What the run needs for itself. Connecting: HELLO, CLIENT SETNAME and ID; proof of the server: INFO, ROLE, TIME; before anything is resent: CLIENT KILL. */
export function ownRules(writes: boolean): readonly string[] {
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

function keyRules(steps: readonly Step[], argvs: readonly Argv[], more: readonly CommandInfo[]): Grants['keys'] {
  const keys = new Map<string, Access>();
  const add = (key: Bytes | undefined, reads: boolean, writes: boolean) => {
    if (key === undefined) return;
    const known = keys.get(bytesId(key));
    keys.set(bytesId(key), { key, reads: reads || known?.reads === true, writes: writes || known?.writes === true });
  };
  const selecting = steps.filter((step) => step.kind === 'scan' || step.kind === 'for_each');
  for (const step of steps) {
    // what a script does with its keys is not known
    if (step.kind === 'script') for (const key of step.keys) add(key, true, true);
    if (step.kind === 'transaction') for (const key of step.watch) add(key, true, false);
  }
  // a job's command has the key of the selection, which the pattern covers
  if (selecting.length === 0)
    for (const argv of argvs) for (const use of keysOf(argv, more) ?? []) add(use.key, readsKey(use), writesKey(use));
  const jobs = selecting.map((step) => ({
    pattern: patternText(step.selection.match),
    reads: true,
    writes: step.kind === 'for_each',
  }));
  const patterns = new Map([...jobs, ...keyPatterns([...keys.values()])].map((one) => [one.pattern, one]));
  return [...patterns.values()].sort((a, b) => (a.pattern < b.pattern ? -1 : 1));
}

interface Access {
  readonly key: Bytes;
  readonly reads: boolean;
  readonly writes: boolean;
}

/** As the server checks it: what gives out what a key holds, and what puts in, changes or takes away. A key that is only named needs either. */
function readsKey({ access, flags }: KeyUse): boolean {
  return flags.includes('access') || access === 'RO';
}

function writesKey({ flags }: KeyUse): boolean {
  return ['insert', 'update', 'delete'].some((flag) => flags.includes(flag));
}

function keyPatterns(keys: readonly Access[]): Grants['keys'] {
  const named = keys.map((one) => ({ ...one, pattern: patternText(escaped(one.key)) }));
  if (named.length <= mostPatterns)
    return named.map(({ pattern, ...one }) => ({ pattern, reads: one.reads, writes: one.writes }));
  let prefix = named[0]!.pattern;
  for (const { pattern } of named) while (!pattern.startsWith(prefix)) prefix = prefix.slice(0, -1);
  // not inside an escape: `a\` would escape the star
  const pattern = `${prefix.replace(/\\$/, '')}*`;
  return [{ pattern, reads: named.some((one) => one.reads), writes: named.some((one) => one.writes) }];
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
