/**
 * What a plan is: atomic, idempotent, reversible, destructive, writing; what it needs (permissions, versions); its
 * commands. Judged from the steps alone, on the careful side; docs/decisions/0003-what-is-destructive.md says why so.
 */
import { bytesId } from '../base/bytes.ts';
import type { Argv, CommandInfo } from '../catalog/command.ts';
import { isIdempotent } from '../catalog/idempotency.ts';
import { keysOf } from '../catalog/keys.ts';
import { commandName } from '../catalog/lookup.ts';
import { deletesKeys, destroys, isAdministrative, isReadOnly, isWrite, onlyTells } from '../catalog/nature.ts';
import { isGuarded } from '../plan/guarded-command.ts';
import { type Draft, type PlannedCommand, type SampledCommand, sampledCommands } from '../plan/plan.ts';
import { commandsOf, type Step, type StreamStep } from '../plan/step.ts';
import type { Target } from '../plan/target.ts';
import { unlistedCommands } from '../plan/unlisted.ts';
import { argvOf } from './arguments.ts';
import { type MinVersion, minVersion } from './min-version.ts';
import { type Grants, grantsOf, permissionsOf } from './permissions.ts';
import { looksAgain, plannedCommands } from './planned-commands.ts';

/** The nature of a plan. */
export interface Nature {
  /** One step on the server: nothing of another client comes in between. */
  readonly atomic: boolean;
  /** Run twice in a row, it leaves what it leaves once. */
  readonly idempotent: boolean;
  /** What was there before can be put back from what the plan knows, with one command a key. */
  readonly reversible: boolean;
  /** Data may be lost, now or (a TTL over a match) later; or what other clients rely on is taken away. */
  readonly destructive: boolean;
  readonly writes: boolean;
  readonly permissions: string[];
  readonly min_version: { readonly redis: string; readonly valkey: string };
  readonly commands: PlannedCommand[];
}

/** Judges a draft on its target. */
export function natureOf(draft: Draft, target: Target): Nature {
  const { steps } = draft;
  const more = unlistedCommands(target);
  const sampled = sampledCommands(draft, target);
  const argvs = argvsOf(draft, sampled);
  // what a file holds behind its first commands is held to what those do when it runs, but it may be any of that
  const whole = steps.every((step) => step.kind !== 'stream' || isWhole(step, target));
  const writingScript = hasWritingScript(steps);
  const writes = writesAny(steps, argvs, more);
  const commands = plannedCommands(draft, target.server, sampled);
  const destructive =
    writingScript || steps.some((step) => expiresMatch(step)) || argvs.some((argv) => loses(argv, more));
  return {
    atomic: steps.length === 1 && isAtomic(steps[0]!),
    idempotent: whole && !writingScript && argvs.every((argv) => isIdempotent(argv)) && !feedsItself(argvs),
    reversible: !destructive && (!writes || (whole && reversible(steps, argvs, target, more))),
    destructive,
    writes,
    permissions: permissionsOf(grantsOfPlan(draft, argvs, writes, commands, more)),
    min_version: versionsOf(steps, conditionsByScript(draft) ? argvs.map(unconditional) : argvs),
    commands,
  };
}

/** What a user needs to run a draft. */
export function grantsOfDraft(draft: Draft, target: Target): Grants {
  const sampled = sampledCommands(draft, target);
  const argvs = argvsOf(draft, sampled);
  const commands = plannedCommands(draft, target.server, sampled);
  const more = unlistedCommands(target);
  return grantsOfPlan(draft, argvs, writesAny(draft.steps, argvs, more), commands, more);
}

function grantsOfPlan(
  { steps, request }: Draft,
  argvs: readonly Argv[],
  writes: boolean,
  commands: readonly PlannedCommand[],
  more: readonly CommandInfo[],
): Grants {
  const loading = 'scripts' in request && request.scripts ? [['SCRIPT', 'LOAD', '']] : [];
  const guarded = commands.some(({ argv }) => isGuarded(argv));
  return grantsOf(steps, [...argvs, ...loading], writes, guarded, more);
}

function argvsOf({ steps }: Draft, sampled: readonly SampledCommand[]): Argv[] {
  return [
    ...steps.flatMap((step) => commandsOf(step, '').map(({ argv }) => argvOf(argv))),
    ...sampled.map(({ argv }) => argv),
  ];
}

function writesAny(steps: readonly Step[], argvs: readonly Argv[], more: readonly CommandInfo[]): boolean {
  return hasWritingScript(steps) || argvs.some((argv) => changes(argv, more));
}

function hasWritingScript(steps: readonly Step[]): boolean {
  return steps.some((step) => step.kind === 'script' && !step.read_only);
}

/** Where redops words the command itself, a script stands in for the conditions that a server before 7.0 does not have. */
function conditionsByScript({ request, steps }: Draft): boolean {
  return looksAgain(request) && steps.every((step) => step.kind !== 'transaction');
}

function unconditional(argv: Argv): Argv {
  return commandName(argv) === 'pexpireat' ? argv.slice(0, 3) : argv;
}

function isWhole(step: StreamStep, target: Target): boolean {
  const facts = target.sources?.find(({ path }) => path === step.source.path);
  return facts !== undefined && facts.basis === 'counted' && facts.sampled === facts.commands;
}

function isAtomic(step: Step): boolean {
  switch (step.kind) {
    case 'command':
    case 'script':
    case 'transaction':
      return true;
    case 'pipeline':
      return step.steps.length === 1;
    case 'scan':
    case 'for_each':
    case 'stream':
      return false;
  }
}

/** Data or the server's own state: a read-only command of the data does neither. */
function changes(argv: Argv, more: readonly CommandInfo[]): boolean {
  return (
    isWrite(argv, more) ||
    takesAway(argv) ||
    (isAdministrative(argv, more) && !isReadOnly(argv, more) && !onlyTells(argv))
  );
}

function loses(argv: Argv, more: readonly CommandInfo[]): boolean {
  return destroys(argv, more) || deletesKeys(argv) || takesAway(argv);
}

/** Not data, but what other clients rely on, and gone for good: their running script, the script cache, their connections. */
function takesAway(argv: Argv): boolean {
  const taking = ['script|flush', 'script|kill', 'function|kill', 'client|kill', 'shutdown'];
  return taking.includes(commandName(argv));
}

const ttlSetters: ReadonlySet<string> = new Set(['expire', 'pexpire', 'expireat', 'pexpireat']);

/** A TTL over everything that matches is a delete with a delay: nobody has looked at the keys one by one. */
function expiresMatch(step: Step): boolean {
  return step.kind === 'for_each' && ttlSetters.has(commandName(argvOf(step.do.argv)));
}

/**
 * TTLs of named keys whose TTL the plan knows, renames and copies that overwrite nothing: one command puts the former
 * state back. A job does not record what was there, so it is not.
 */
function reversible(
  steps: readonly Step[],
  argvs: readonly Argv[],
  target: Target,
  more: readonly CommandInfo[],
): boolean {
  if (steps.some((step) => step.kind === 'for_each')) return false;
  const known = new Set(target.keys.map((facts) => bytesId(facts.key)));
  return argvs.every((argv) => !changes(argv, more) || canBePutBack(argv, known));
}

function canBePutBack(argv: Argv, known: ReadonlySet<string>): boolean {
  const name = commandName(argv);
  if (name === 'renamenx' || name === 'copy' || name === 'script|load') return true;
  if (!ttlSetters.has(name) && name !== 'persist') return false;
  return argv[1] !== undefined && known.has(bytesId(argv[1]));
}

/** True when a command reads one key into another (COPY, SUNIONSTORE) and a later one changes what it read: a second run reads something else. */
function feedsItself(argvs: readonly Argv[]): boolean {
  const fed = new Set<string>();
  for (const argv of argvs) {
    const uses = keysOf(argv) ?? [];
    const written = uses.filter((use) => use.access !== 'RO' && use.key !== undefined);
    if (written.some((use) => fed.has(bytesId(use.key!)))) return true;
    if (written.length === 0) continue;
    for (const use of uses) if (use.access === 'RO' && use.key !== undefined) fed.add(bytesId(use.key));
  }
  return false;
}

function versionsOf(steps: readonly Step[], argvs: readonly Argv[]): MinVersion {
  const scans = steps.some((step) => isScanning(step)) ? [['SCAN', '0']] : [];
  const native = steps.flatMap((step) =>
    step.kind === 'transaction' && step.native ? [argvOf(step.native.argv)] : [],
  );
  return minVersion([...argvs, ...scans, ...native]);
}

function isScanning(step: Step): boolean {
  return step.kind === 'scan' || (step.kind === 'for_each' && step.selection.keys_file === undefined);
}
