/** What a key of this name is meant to live is written down in redops.yaml; a slip in one place is found by it everywhere. */
import type { Bytes } from '../../base/bytes.ts';
import { formatDuration } from '../../base/units.ts';
import { commandName } from '../../catalog/lookup.ts';
import type { Convention } from '../../plan/target.ts';
import { type Conventions, conventionsOf } from '../conventions.ts';
import { deadlineOf, isPast } from '../expiry.ts';
import { at, type Said } from '../findings.ts';
import type { Finding, LintCommand, Rule, Subject, Verdict } from '../rule.ts';
import { temporaryKind } from '../temporary-keys.ts';
import { withoutTtl } from '../without-ttl.ts';
import { listed, shown, spoken } from '../words.ts';

/** TTL011: a TTL outside what lint.conventions allows for the key, none, or one that is taken away. */
export const ttl011: Rule = {
  code: 'TTL011',
  severity: 'warning',
  title: 'a TTL that lint.conventions of redops.yaml does not allow for the key',
  check(subject) {
    if (subject.conventions === undefined || subject.conventions.length === 0) return { findings: [] };
    return judge(subject, conventionsOf(subject.conventions));
  },
};

function judge(subject: Subject, conventions: Conventions): Verdict {
  const unknown: string[] = [];
  const findings: Finding[] = [];
  for (const command of subject.commands) {
    const key = keyOf(command);
    const convention = key === undefined ? conventionOfJob(command, conventions) : conventions.of(key);
    if (convention === undefined) continue;
    const name = key === undefined ? `the keys of ${shown(command.selection?.match ?? '')}` : shown(key);
    if (commandName(command.argv) === 'persist') findings.push(at(command, taken(name, convention)));
    const lives = livesOf(command, subject.now);
    if (lives === 'unknown') unknown.push(command.at);
    else if (lives) findings.push(...outside(command, name, lives, convention));
  }
  // what has no TTL and a telling name is TTL001's
  const meant = (key: Bytes) => (temporaryKind(key) === undefined ? conventions.of(key) : undefined);
  const without = withoutTtl(subject, meant).map(({ command, key, meant: convention }) =>
    at(command, none(spoken(commandName(command.argv)), shown(key), convention)),
  );
  const found = { findings: [...findings, ...without] };
  if (unknown.length === 0) return found;
  return { ...found, unchecked: `needs the present time to judge the deadlines at ${listed(unknown)}` };
}

/** The key that gets or loses a deadline. */
function keyOf({ argv }: LintCommand): Bytes | undefined {
  return argv[1];
}

function conventionOfJob({ selection }: LintCommand, conventions: Conventions): Convention | undefined {
  if (selection === undefined || selection.keys_file !== undefined) return undefined;
  return conventions.ofPattern(selection.match);
}

/** The least and the most that the key lives, in milliseconds; undefined where no TTL is given, or one that deletes. */
function livesOf(
  { argv, lasting }: LintCommand,
  now: number | undefined,
): { readonly least: number; readonly most: number } | 'unknown' | undefined {
  if (lasting) return { least: lasting.after_ms, most: lasting.after_ms + lasting.jitter_ms };
  const deadline = deadlineOf(argv);
  if (deadline?.ms === undefined || isPast(deadline, now) === true) return undefined;
  if (deadline.kind === 'absolute' && now === undefined) return 'unknown';
  const ms = Number(deadline.ms) - (deadline.kind === 'absolute' ? (now ?? 0) : 0);
  return { least: ms, most: ms };
}

function outside(
  command: LintCommand,
  name: string,
  { least, most }: { readonly least: number; readonly most: number },
  convention: Convention,
): readonly Finding[] {
  const { match, ttl_min_ms = 0, ttl_max_ms = Number.POSITIVE_INFINITY } = convention;
  if (least >= ttl_min_ms && most <= ttl_max_ms) return [];
  const bound = most > ttl_max_ms ? `at most ${formatDuration(ttl_max_ms)}` : `at least ${formatDuration(ttl_min_ms)}`;
  const argument = deadlineOf(command.argv)?.argument;
  return [
    at(command, {
      ...(argument !== undefined && { argument }),
      message: `${name} ${command.argv[1] === undefined ? 'get' : 'gets'} a TTL of ${formatDuration(most > ttl_max_ms ? most : least)}; ${match} may have ${bound}`,
      why: 'lint.conventions of redops.yaml says what keys of this name are for; what lives longer fills memory, what lives shorter is missing when it is needed.',
      fix: `Give a TTL of ${bound}, or change the convention of ${match} in redops.yaml.`,
    }),
  ];
}

function taken(name: string, { match }: Convention): Said {
  return {
    message: `PERSIST takes the TTL of ${name} away; keys of ${match} are to have one`,
    why: 'The key stays until somebody deletes it.',
    fix: `Give it another TTL instead, or change the convention of ${match} in redops.yaml.`,
  };
}

function none(command: string, key: string, { match, ttl_max_ms, ttl_min_ms }: Convention): Said {
  const seconds = Math.max(1, Math.floor((ttl_max_ms ?? ttl_min_ms ?? 0) / 1000));
  return {
    message: `${command} ${key}: no TTL is given; keys of ${match} are to have one`,
    why: 'The key stays until somebody deletes it.',
    fix: `Give it one with the value (EX ${seconds}), or with EXPIRE in the same MULTI/EXEC.`,
  };
}
