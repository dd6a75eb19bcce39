/**
 * Judges a stream of commands that an application really sent: flat in memory, whatever its length. A command is looked up
 * by its name; only what a rule may speak of is handed to the rules, which are those that judge files. What one source
 * cannot know (which client, whether a key has a TTL from before) is not judged by it, and said.
 */
import { fromBuffer } from '../../base/bytes.ts';
import type { Severity, Unchecked } from '../../plan/diagnostic.ts';
import type { Convention, Target } from '../../plan/target.ts';
import { type Conventions, conventionsOf } from '../conventions.ts';
import { deadlineOf, isPast } from '../expiry.ts';
import type { Finding, LintCommand, Rule } from '../rule.ts';
import { rules as everyRule } from '../rules/index.ts';
import { ttl006 } from '../rules/ttl006-expired-at-once.ts';
import { ttl011 } from '../rules/ttl011-convention.ts';
import { scriptOfCommand } from '../subject.ts';
import { type AuditCommand, type AuditSource, argvOf } from './command.ts';
import { createExpiries } from './expiries.ts';
import type { Fold } from './fold.ts';
import { createRoles, role } from './roles.ts';
import { createTransactions } from './transactions.ts';

/** What an audit is told beside the commands. */
export interface AuditOptions {
  readonly source: AuditSource;
  /** The name of the file or server, for places. */
  readonly name: string;
  /** The capture is no file: a place is the number of the command. */
  readonly live?: boolean;
  /** What takes the findings; several audits may share it. */
  readonly fold: Fold;
  /** What a server says of itself; no facts of keys. */
  readonly target?: Target;
  /** What keys are meant to be, by redops.yaml. */
  readonly conventions?: readonly Convention[];
}

/** What an audit found. */
export interface AuditOutcome {
  readonly commands: number;
  /** Sentences on what was not judged. */
  readonly notes: readonly string[];
}

/** An audit in motion. */
export interface Audit {
  take(command: AuditCommand): void;
  /** The stream is at its end. */
  end(): AuditOutcome;
}

/** The rules that judge one command by itself; those that need facts of its keys find none in a stream. */
export const commandRules: readonly Rule[] = everyRule.filter(({ code }) =>
  /^(?:CLU001|CLU004|DEL003|KEY001|KEY002|LUA(?!004|015|016)\d+|OPS\d+|SEC001|TTL009|VAL001|VER001)$/.test(code),
);

/** Codes that a stream could only be judged by with the facts of all its keys. */
const keyFacts: readonly string[] = ['DEL001', 'DEL002', 'DEL004', 'KEY005', 'PIP003', 'TTL002', 'TTL008', 'TX009'];

/** Codes that a stream could only be judged by with the functions and scripts that there were when it was sent. */
const codeFacts: readonly string[] = ['LUA004', 'LUA015', 'LUA016'];

/** Starts an audit. */
export function createAudit(options: AuditOptions): Audit {
  const { source, target, fold, conventions = [] } = options;
  const place: Parameters<typeof createTransactions>[1] = (command, argv, within) =>
    placed(options, command, argv, within);
  const roles = createRoles(target?.server);
  const expiries = createExpiries(source, fold, place, conventions);
  const transactions = source === 'monitor' ? createTransactions(fold, place, target) : undefined;
  const look = createLook(options, place);
  let number = 0;
  let atMs: number | undefined;
  let database = 0;
  // by client; an append-only file has none, and transactions stand in it as a whole
  const inTransaction = new Set<string>();
  let untimed = 0;
  const meant = conventionsOf(conventions);
  const takeState = (command: AuditCommand): void => {
    const { client = '' } = command;
    const [name, argument] = command.argv;
    const word = String(name).toUpperCase();
    if (word === 'MULTI') {
      if (inTransaction.size >= mostTransactions) inTransaction.clear();
      inTransaction.add(client);
    } else if (word === 'EXEC' || word === 'DISCARD' || word === 'RESET') inTransaction.delete(client);
    else if (word === 'SELECT') database = Number(argument);
  };
  return {
    take: (given) => {
      number += 1;
      if (given.atMs !== undefined) atMs = given.atMs;
      const what = roles(given.argv[0]);
      transactions?.see(given, (what & role.state) !== 0);
      if (what === 0) return;
      const command = source === 'aof' && database !== 0 ? { ...given, database } : given;
      if (what & role.state) takeState(command);
      if (what & role.look) look(command);
      if (source !== 'slowlog' && what & stateful)
        expiries.see(command, what, number, inTransaction.has(given.client ?? ''));
      if (conventions.length > 0 && what & (role.deadline | role.expires | role.persists)) {
        untimed += judgeConvention(command, meant, conventions, fold, place);
      }
      if (source !== 'aof' && what & (role.deadline | role.expires)) judgePast(command, fold, place);
    },
    end: () => {
      const open = expiries.end(number, atMs);
      const notes = [
        ...(open > 0
          ? [
              `TTL001 did not judge what wrote ${open === 1 ? 'one temporary key' : `${open} temporary keys`} at the very end: what gives the TTL may come later`,
            ]
          : []),
        ...(untimed > 0
          ? [
              `TTL011 did not judge ${untimed === 1 ? 'one deadline' : `${untimed} deadlines`}: the file does not say when they were given (aof-timestamp-enabled)`,
            ]
          : []),
        ...sourceNotes[source],
      ];
      return { commands: number, notes };
    },
  };
}

/** Clients that are in a transaction at one time; one that is gone in the middle of it never ends it. */
const mostTransactions = 10_000;

const stateful = role.replaces | role.deadline | role.expires | role.removes | role.flushes;

const sourceNotes: Readonly<Record<AuditSource, readonly string[]>> = {
  aof: [
    'an append-only file holds what changed data, as the server rewrote it: no reads, no refused commands, no WATCH; the effects of scripts; deadlines as points in time',
  ],
  monitor: ['MONITOR shows no administrative commands and no AUTH'],
  slowlog: [
    'the slow log is no sequence: each command was judged by itself, and an argument that the server cut is not known',
  ],
};

/** The codes that no audit judges, or none without a server, each with its reason. */
export function unjudged(
  target: Target | undefined,
  severities: Readonly<Record<string, Severity | 'off'>> = {},
): readonly Unchecked[] {
  const facts = 'needs the live facts of each key, which a stream has too many of: lint the commands as a file';
  const needsServer = target ? [] : ['CLU001', 'CLU004', 'TTL009', 'TX005', 'VAL001', 'VER001'];
  return [
    ...keyFacts.map((code) => ({ code, reason: facts })),
    ...codeFacts.map((code) => ({ code, reason: 'needs the functions and scripts that there were when it was sent' })),
    ...needsServer.map((code) => ({ code, reason: 'needs to know the server: give --url or --target' })),
  ].filter(({ code }) => severities[code] !== 'off');
}

/** Judges commands one by one. A script that is sent a million times is judged once. */
function createLook(
  { target, fold }: AuditOptions,
  place: Parameters<typeof createTransactions>[1],
): (command: AuditCommand) => void {
  const scripts = new Map<string, readonly (readonly [Rule, Finding])[]>();
  return (command) => {
    const argv = argvOf(command);
    // judged without a place, so that what was found can be said of the next one, too
    const bare: LintCommand = { argv, at: '', within: 'line', block: '' };
    const found = scriptOfCommand(bare);
    const id = found.length === 0 ? undefined : JSON.stringify(argv.slice(0, 3));
    let findings = id === undefined ? undefined : scripts.get(id);
    if (!findings) {
      const subject = { commands: [bare], scripts: found, ...(target && { target }) };
      const judged = found.length === 0 ? withoutScripts : commandRules;
      findings = judged.flatMap((rule) => rule.check(subject).findings.map((finding) => [rule, finding] as const));
      if (id !== undefined) {
        if (scripts.size >= mostScripts) scripts.clear();
        scripts.set(id, findings);
      }
    }
    if (findings.length === 0) return;
    const { at, span, bytes } = place(command, argv, 'line');
    for (const [rule, finding] of findings)
      fold.add(rule, { ...finding, at: at + finding.at, ...(span && { span }), ...(bytes && { bytes }) });
  };
}

const mostScripts = 256;
const withoutScripts = commandRules.filter(({ code }) => !/^(?:LUA\d+|VAL001)$/.test(code));

/** TTL006, at the time when the command ran. */
function judgePast(command: AuditCommand, fold: Fold, place: Parameters<typeof createTransactions>[1]): void {
  const argv = argvOf(command);
  const deadline = deadlineOf(argv);
  if (!deadline || isPast(deadline, command.atMs) !== true) return;
  const subject = {
    commands: [place(command, argv, 'line')],
    scripts: [],
    ...(command.atMs !== undefined && { now: command.atMs }),
  };
  for (const finding of ttl006.check(subject).findings) fold.add(ttl006, finding);
}

/** TTL011 of what gives or takes a deadline. Gives how many deadlines could not be judged for want of a time. */
function judgeConvention(
  command: AuditCommand,
  meant: Conventions,
  conventions: readonly Convention[],
  fold: Fold,
  place: Parameters<typeof createTransactions>[1],
): number {
  const key = command.argv[1];
  if (key === undefined || meant.of(Buffer.isBuffer(key) ? fromBuffer(key) : key) === undefined) return 0;
  const argv = argvOf(command);
  if (deadlineOf(argv) === undefined && !/persist/i.test(String(argv[0]))) return 0;
  const { findings, unchecked } = ttl011.check({
    commands: [place(command, argv, 'line')],
    scripts: [],
    conventions,
    ...(command.atMs !== undefined && { now: command.atMs }),
  });
  for (const finding of findings) fold.add(ttl011, finding);
  return unchecked === undefined ? 0 : 1;
}

function placed(
  { source, name, live }: AuditOptions,
  command: AuditCommand,
  argv: LintCommand['argv'],
  within: LintCommand['within'],
): LintCommand {
  const { line, offset, microseconds } = command;
  switch (source) {
    case 'aof': {
      if (offset === undefined) return { argv, at: `${name}, command ${line}`, within, block: name };
      const bytes = { file: name, offset };
      return { argv, at: `${name}, command ${line} (byte ${offset})`, bytes, within, block: name };
    }
    case 'monitor': {
      if (live) return { argv, at: `${name}, command ${line}`, within, block: name };
      const span = { file: name, line, column: 1, length: 0 };
      return { argv, at: `${name}:${line}`, span, within, block: name };
    }
    case 'slowlog': {
      const ms = microseconds === undefined ? '' : ` (${(microseconds / 1000).toFixed(1)} ms)`;
      return { argv, at: `${name}, entry ${line}${ms}`, within, block: name };
    }
  }
}
