/**
 * The user who can read and do nothing else: what an agent's own account may be given, so that whatever runs there can change
 * nothing, redops or not. Made of the server's own command table, like the judgement of reads.
 */
import { type LiveTable, liveFlags } from './catalog/live-table.ts';
import { onlyTells } from './catalog/nature.ts';
import { commandTable } from './catalog/table.ts';
import type { AclUser } from './explain/acl-rule.ts';
import { ownRules } from './explain/permissions.ts';
import { neverARead } from './read-admission.ts';

/** Rules for a server that lists these commands and is compatible with that version of Redis. `password`: its text, or a stand-in for it. */
export function readingUserOf(table: LiveTable, redisVersion: string, password: string): AclUser {
  const major = Number(redisVersion.split('.')[0]);
  const isRead = (name: string) => liveFlags(table, name)?.has('readonly') === true;
  const isHarmless = (name: string) =>
    neverARead(name.split('|'), table) === undefined && (isRead(name) || onlyTells(name.split('|')));
  const named = commandTable()
    .commands.map(({ name }) => name)
    .filter((name) => liveFlags(table, name) !== undefined && isHarmless(name))
    // what is listed as a read comes with the category; before 7.0 that is the container, and not what is in it
    .filter((name) => !(table.has(name) && isRead(name)) && !name.endsWith('|help') && !tellsSecrets.has(name));
  // a rule for a subcommand beside one for the whole command is refused by 6.0
  const whole = named.filter((name) => !name.includes('|') || !named.includes(name.replace(/\|.*/, '')));
  const refused = [...table.keys()].filter((name) => isRead(name) && neverARead(name.split('|'), table) !== undefined);
  const allowed = [...new Set([...ownRules(false), ...whole.map((name) => `+${name}`)])].sort();
  const reading = ['+@read', ...refused.sort().map((name) => `-${name}`)];
  const user = ['reset', 'on', `>${password}`];
  return {
    rules:
      major >= 7
        ? [...user, ...allowed, '+scan', '+dbsize', `(${[...reading, '%R~*'].join(' ')})`]
        : [...user, ...reading, ...allowed, '~*'],
    notes: [
      'This user reads every key, and writes none. SLOWLOG GET and CONFIG GET are left out: they show arguments and passwords.',
    ],
  };
}

// with arguments of other clients, or passwords, that no rule can tell apart
const tellsSecrets: ReadonlySet<string> = new Set(['config|get', 'slowlog|get', 'commandlog|get']);
