/**
 * The user who may run a plan and nothing else: the rules of ACL SETUSER. From 7.0 on what redops needs for itself is apart
 * from what the plan does with keys (a selector), and a key that is only read is only to be read; earlier versions know
 * commands and keys, and any of the ones for any of the others.
 */
import { findCommand } from '../catalog/lookup.ts';
import type { Draft } from '../plan/plan.ts';
import type { Target } from '../plan/target.ts';
import { grantsOfDraft } from './nature.ts';

/** The rules of a user, in the order in which ACL SETUSER takes them, and what they do not keep away. */
export interface AclUser {
  readonly rules: readonly string[];
  readonly notes: readonly string[];
}

/** Rules for the plan on a server of that version of Redis (or compatible with it). `password`: its text, or a stand-in for it. */
export function aclUserOf(draft: Draft, target: Target, password: string): AclUser {
  const { own, keys, channels, ...grants } = grantsOfDraft(draft, target);
  const [major = 0, minor = 0] = target.server.redis_version.split('.').map(Number);
  const from = (wanted: number, also = 0) => major > wanted || (major === wanted && minor >= also);
  const planned = grants.planned.filter((rule) => !own.includes(rule) && isThere(rule, from));
  const fresh = ['reset', 'on', `>${password}`];
  // before 6.2 there are no rules for channels
  const heard = from(6, 2) ? channels : [];
  const all = planned.includes('+@all');
  const notes = [
    ...(planned.some((rule) => keyspace.has(rule)) ? [seesNames] : []),
    ...(all ? ['A command or a script of the plan cannot be read: every command is allowed, on these keys.'] : []),
    ...(!from(6, 2) && channels.length > 0 ? ['This version has no rules for channels: every one is open.'] : []),
  ];
  if (!from(7)) {
    const commands = all ? ['+@all'] : [...new Set([...own, ...planned])].sort();
    return { rules: [...fresh, ...commands, ...keys.map(({ pattern }) => `~${pattern}`), ...heard], notes };
  }
  const keyless = planned.filter((rule) => keyspace.has(rule));
  const selected = planned.filter((rule) => !keyspace.has(rule));
  const selector = [
    ...(all ? ['+@all'] : selected),
    ...keys.map(({ pattern, reads, writes }) => `${reads === writes ? '' : reads ? '%R' : '%W'}~${pattern}`),
    ...heard,
  ];
  return {
    rules: [...fresh, ...[...own, ...keyless].sort(), ...(selector.length === 0 ? [] : [`(${selector.join(' ')})`])],
    notes,
  };
}

/** From 7.0 on a rule of a subcommand that the server does not have is refused; what redops can do without, it leaves out there. */
function isThere(rule: string, from: (major: number, minor: number) => boolean): boolean {
  const since = findCommand(rule.slice(1).split('|'))?.since ?? '';
  const [major = 0, minor = 0] = since.split('.').map(Number);
  return since === '' || !from(7, 0) || from(major, minor);
}

/** Commands that no key pattern holds back. */
const keyspace: ReadonlySet<string> = new Set(['+scan', '+keys', '+randomkey', '+dbsize']);

const seesNames =
  'SCAN, KEYS and RANDOMKEY show the names of all keys, whatever the patterns: only their values are kept away.';
