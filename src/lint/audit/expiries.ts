/**
 * The TTL rules that need more than one command, over a stream: TTL001 (a temporary key that nothing gives a TTL) and
 * TTL003 (the TTL as a second command). What they remember is bounded: the keys of the last commands, in two generations.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { Convention } from '../../plan/target.ts';
import { conventionsOf } from '../conventions.ts';
import { dropsTtlOf } from '../expiry.ts';
import type { LintCommand } from '../rule.ts';
import { ttl001 } from '../rules/ttl001-write-without-ttl.ts';
import { ttl003 } from '../rules/ttl003-write-then-expire.ts';
import { ttl011 } from '../rules/ttl011-convention.ts';
import { temporaryKind } from '../temporary-keys.ts';
import { type AuditCommand, type AuditSource, argvOf, idOf, kept } from './command.ts';
import type { Fold } from './fold.ts';
import { recent } from './recent.ts';
import { role } from './roles.ts';

/** Follows keys from the write that leaves them without a TTL to the command that gives them one. */
export interface Expiries {
  /** A command with one of the roles replaces, deadline, removes, flushes. `number`: how many commands of the stream came before. */
  see(command: AuditCommand, roles: number, number: number, inTransaction: boolean): void;
  /** The stream is at its end. Gives how many writes were not judged because too little came after them. */
  end(number: number, atMs: number | undefined): number;
}

/** A key is followed for as many writes of temporary keys as this, at least. */
const mostPending = 32_768;
/** What follows a write within so many commands is meant to follow it; longer ago, it is another matter. */
const near = 100;
/** A write with fewer commands behind it, and less time, is not judged: what gives the TTL may be on its way. */
const settledCommands = 100;
const settledMs = 1_000;

interface Write {
  readonly command: AuditCommand;
  readonly number: number;
}

/** Makes the command of a finding. */
type Place = (command: AuditCommand, argv: LintCommand['argv'], within: LintCommand['within']) => LintCommand;

/** Starts to follow keys. */
export function createExpiries(
  source: AuditSource,
  fold: Fold,
  place: Place,
  conventions: readonly Convention[],
): Expiries {
  const meant = conventionsOf(conventions);
  const pending = recent<Write>(mostPending, report);
  const written = recent<Write>(near);
  let rotated = 0;

  function report({ command }: Write): void {
    const written = place(command, argvOf(command), 'line');
    for (const rule of [ttl001, ttl011]) {
      for (const finding of rule.check({ commands: [written], scripts: [], conventions }).findings)
        fold.add(rule, finding);
    }
  }

  function follow(command: AuditCommand, number: number, key: Bytes, argv: LintCommand['argv']): void {
    if (temporaryKind(key) === undefined && meant.of(key) === undefined) return;
    const id = kept(idOf(key));
    // the value is not looked at, and may be large
    const short = [argv[0], typeof key === 'string' ? id : key, undefined, ...optionsOf(argv)];
    pending.set(databaseOf(command) + id, { command: { ...command, argv: short }, number });
  }

  /** A key gets a TTL: with its value, or by a command of its own, which is `expire`. */
  function settle(key: string, scope: string, database: string, expire: Write | undefined): void {
    pending.delete(database + key);
    const write = written.get(scope + key);
    if (write === undefined) return;
    written.delete(scope + key);
    if (expire === undefined || !isSecond(source, write, expire)) return;
    const pair = [write, expire].map(({ command }) => place(command, argvOf(command), 'line'));
    for (const finding of ttl003.check({ commands: pair, scripts: [] }).findings) fold.add(ttl003, finding);
  }

  return {
    see: (command, roles, number, inTransaction) => {
      if (number - rotated > near) {
        written.rotate();
        rotated = number;
      }
      if (roles & role.flushes) {
        pending.clear();
        written.clear();
        return;
      }
      const { argv, client } = command;
      const database = databaseOf(command);
      const scope = client === undefined ? database : `${client} ${database}`;
      // a script runs as one, like a transaction
      const alone = !inTransaction && client !== 'lua';
      const [, key] = argv;
      if (key === undefined) return;
      if (roles & role.expires) return settle(idOf(key), scope, database, alone ? { command, number } : undefined);
      if (roles & role.removes) {
        for (let index = 1; index < argv.length; index += 1) pending.delete(database + idOf(argv[index] ?? ''));
        return;
      }
      if (roles & role.deadline && givesDeadline(argv, roles)) return settle(idOf(key), scope, database, undefined);
      const words = argvOf(command);
      for (const replaced of replacedBy(words)) {
        if (alone) written.set(scope + idOf(replaced), { command, number });
        else written.delete(scope + idOf(replaced));
        follow(command, number, replaced, words);
      }
    },
    end: (number, atMs) => {
      let open = 0;
      for (const write of pending.values()) {
        const { atMs: then = Number.POSITIVE_INFINITY } = write.command;
        const aged = (atMs ?? 0) - then >= settledMs;
        if (number - write.number > settledCommands || aged) report(write);
        else open += 1;
      }
      return open;
    },
  };
}

// an append-only file of 6.0 has SET with EX as SET and PEXPIREAT, one behind the other: that was one command
function isSecond(source: AuditSource, write: Write, expire: Write): boolean {
  const between = expire.number - write.number;
  if (source === 'aof') return between > 1 && between <= near;
  const ms = (expire.command.atMs ?? 0) - (write.command.atMs ?? 0);
  return between <= near && ms < settledMs;
}

/** Whether SETEX, PSETEX, SET or GETEX gives its key a deadline: the first two always do. */
function givesDeadline(argv: AuditCommand['argv'], roles: number): boolean {
  const first = roles & role.replaces ? 3 : 2;
  for (let index = first; index < argv.length; index += 1) {
    const word = argv[index];
    if (typeof word === 'string' && (word.length === 2 || word.length === 4) && expiryOptions.has(word.toUpperCase()))
      return true;
  }
  return argv.length === 4 && /setex/i.test(String(argv[0]));
}

const expiryOptions: ReadonlySet<string> = new Set(['EX', 'PX', 'EXAT', 'PXAT']);

/** The keys that have no TTL once the command has run and done something; it gives none itself. */
function replacedBy(argv: LintCommand['argv']): readonly Bytes[] {
  const [name, key] = argv;
  // most of a stream, and dropsTtlOf would nearly double what it costs
  if (argv.length === 3 && key !== undefined && (name === 'SET' || name === 'set')) return [key];
  const replaced = dropsTtlOf(argv);
  if (replaced.length > 0) return replaced;
  const text = String(name).toLowerCase();
  // SET NX and SETNX: where they do anything, they make a key
  return (text === 'setnx' || (text === 'set' && isNx(argv))) && key !== undefined ? [key] : [];
}

function isNx(argv: LintCommand['argv']): boolean {
  return argv.slice(3).some((word) => typeof word === 'string' && word.toUpperCase() === 'NX');
}

function optionsOf(argv: LintCommand['argv']): LintCommand['argv'] {
  return String(argv[0]).toLowerCase() === 'set' ? argv.slice(3) : [];
}

function databaseOf({ database }: AuditCommand): string {
  return database === undefined || database === 0 ? '' : `${database}\ud800`;
}
