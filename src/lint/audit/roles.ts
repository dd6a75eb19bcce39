/**
 * What a command is to an audit, by its name alone: nearly all commands of a stream need no more than one look-up. Where
 * in doubt a command is looked at; a test holds these roles against the rules for every command of the catalog.
 */
import { keysOf } from '../../catalog/keys.ts';
import { findCommand, wordOf } from '../../catalog/lookup.ts';
import type { Server } from '../../plan/target.ts';
import { speaks } from '../facts.ts';
import { type AuditCommand, kept } from './command.ts';

/** Bits: what may be said of a command, or must be remembered of it. */
export const role = {
  /** A rule that judges one command by itself may have something to say. */
  look: 1,
  /** Replaces a value, and with it the key's TTL: SET, GETSET, MSET, SETNX. */
  replaces: 2,
  /** Gives a deadline with the value, or may: SETEX, PSETEX, SET and GETEX with EX. */
  deadline: 4,
  /** Removes keys: DEL, UNLINK, GETDEL, RENAME. */
  removes: 8,
  /** Belongs to a transaction or changes the database: MULTI, EXEC, WATCH, SELECT. */
  state: 16,
  /** Takes a key's TTL away: PERSIST. */
  persists: 32,
  /** Removes every key. */
  flushes: 64,
  /** Gives a key that is there a deadline: EXPIRE and its kin. */
  expires: 128,
} as const;

/** The roles by a command's first word. Made for one audit. */
export function createRoles(server: Server | undefined): (name: AuditCommand['argv'][0]) => number {
  const known = new Map<string, number>();
  return (name) => {
    if (typeof name !== 'string') return name === undefined ? 0 : rolesOf(wordOf(bytesOf(name)), server);
    let roles = known.get(name);
    if (roles === undefined) {
      roles = rolesOf(wordOf(name), server);
      if (known.size < mostNames) known.set(kept(name), roles);
    }
    return roles;
  };
}

// in every spelling there are not so many; a stream of garbage must not fill the memory
const mostNames = 4096;

function bytesOf(name: NonNullable<AuditCommand['argv'][0]>) {
  return Buffer.isBuffer(name) ? name.toString('latin1') : name;
}

const replaces: ReadonlySet<string> = new Set(['set', 'getset', 'mset', 'msetnx', 'setnx']);
const deadlines: ReadonlySet<string> = new Set(['set', 'setex', 'psetex', 'getex']);
const expires: ReadonlySet<string> = new Set(['expire', 'pexpire', 'expireat', 'pexpireat']);
const removes: ReadonlySet<string> = new Set('del unlink getdel rename renamenx move migrate'.split(' '));
/** To another database, which a cluster may not have. */
const databases: ReadonlySet<string> = new Set(['select', 'move', 'copy', 'swapdb']);
const states: ReadonlySet<string> = new Set('multi exec discard watch unwatch select reset'.split(' '));
/** Data commands that a rule may speak of whatever the server; of the other groups every command is looked at. */
const looked: ReadonlySet<string> = new Set('keys scan hscan sscan zscan migrate sort'.split(' '));
const data: ReadonlySet<string> = new Set(
  'string bitmap list sorted-set generic transactions geo hash hyperloglog pubsub set stream module connection'.split(
    ' ',
  ),
);
const quiet: ReadonlySet<string> = new Set([
  'info',
  'dbsize',
  'command',
  'time',
  'evalsha',
  'fcall',
  'evalsha_ro',
  'fcall_ro',
]);

function rolesOf(name: string, server: Server | undefined): number {
  const info = findCommand([name]);
  const forms = [info, ...(info?.subcommands ?? []).map((sub) => findCommand([name, sub]))];
  const tooNew = server !== undefined && forms.some((form) => form !== undefined && !speaks(server, form.since));
  const inCluster = server?.cluster === true && (takesSeveralKeys(name) || databases.has(name));
  const byGroup = info !== undefined && !data.has(info.group) && !quiet.has(name);
  const conditional = server !== undefined && !speaks(server, '7.0') && name.includes('expire');
  const look = looked.has(name) || tooNew || inCluster || byGroup || conditional;
  return (
    (look ? role.look : 0) |
    (replaces.has(name) ? role.replaces : 0) |
    (deadlines.has(name) ? role.deadline : 0) |
    (expires.has(name) ? role.expires : 0) |
    (removes.has(name) ? role.removes : 0) |
    (states.has(name) ? role.state : 0) |
    (name === 'persist' ? role.persists : 0) |
    (name === 'flushall' || name === 'flushdb' ? role.flushes : 0)
  );
}

function takesSeveralKeys(name: string): boolean {
  const info = findCommand([name]);
  if (info === undefined) return false;
  return info.keySpecs.length > 1 || (keysOf([name, ...'abcd'])?.length ?? 2) > 1;
}
