/**
 * From ttl, at or strategy to the one argument of PEXPIREAT. A relative TTL stays relative in the plan: its deadline is
 * fixed by the executor when a chunk is first sent, because a deadline fixed here would be in the past, and delete, when
 * the plan is applied late.
 */

import { formatDuration, parseDuration } from '../base/units.ts';
import { ttlStrategies } from '../catalog/ttl-strategies.ts';
import type { RequestOf } from '../plan/request.ts';
import type { CommandStep } from '../plan/step.ts';
import type { Argument } from '../plan/values.ts';
import { problem, type Result, refused } from './problem.ts';

type Expiry = Pick<
  Extract<RequestOf<'expiration'>, { action: 'set' }>,
  'ttl' | 'at' | 'strategy' | 'jitter' | 'condition'
>;

/** What the deadline is for: `place` is the JSON path before its fields (`do.` or empty), `bulk` that keys come from a match. */
export interface DeadlineContext {
  readonly place: '' | 'do.';
  readonly bulk: boolean;
}

/** The template of PEXPIREAT after its key, and why. */
export interface Deadline {
  readonly arguments: readonly Argument[];
  readonly reasons: readonly string[];
}

/** The arguments of PEXPIREAT after its key (REQ001: a TTL that would delete or overflow). */
export function deadlineOf(expiry: Expiry, context: DeadlineContext): Result<Deadline> {
  const { condition } = expiry;
  const deadline = expiry.at === undefined ? relative(expiry, context) : absolute(expiry.at, context);
  if (!('value' in deadline) || condition === undefined) return deadline;
  return {
    value: {
      arguments: [...deadline.value.arguments, condition.toUpperCase()],
      reasons: [...deadline.value.reasons, conditionReasons[condition]],
    },
  };
}

/** PEXPIREAT with these arguments, for one key or for the key of a job. */
export function pexpireat(key: Argument, deadline: Deadline): CommandStep {
  return { kind: 'command', argv: ['PEXPIREAT', key, ...deadline.arguments] };
}

// A deadline is a sum of server time, TTL and jitter; below this none of them can leave the exact integers (2^53).
const longestMs = 2 ** 52;
// The executor never sends a deadline that is not later than server time + 1 s: it would delete, or nearly.
const shortestMs = 1000;

function absolute(at: string | number, context: DeadlineContext): Result<Deadline> {
  const ms = typeof at === 'number' ? at * 1000 : Date.parse(at);
  if (!Number.isSafeInteger(ms) || ms <= 0 || ms > longestMs)
    return refused(
      problem(
        'REQ001',
        `${context.place}at`,
        `${at} is not an instant that Redis can hold as Unix milliseconds`,
        'Give ISO 8601 with an offset after 1970, or Unix seconds (not milliseconds).',
      ),
    );
  return {
    value: {
      arguments: [String(ms)],
      reasons: [`Every key expires at ${new Date(ms).toISOString()}: at names an instant, so there is no jitter.`],
    },
  };
}

function relative(expiry: Expiry, context: DeadlineContext): Result<Deadline> {
  const ttl = timeToLive(expiry, context);
  if (!('value' in ttl)) return ttl;
  const { ms } = ttl.value;
  const jitter = jitterOf(expiry.jitter, ms, context.bulk);
  if (jitter.ms > longestMs) return refused(tooLong(`${context.place}jitter`));
  return {
    value: {
      arguments: [{ deadline: { after_ms: ms, jitter_ms: jitter.ms } }],
      reasons: [
        ...ttl.value.reasons,
        'PEXPIREAT with a deadline fixed from server time when the command is first sent: a retry or a late apply does not shift it.',
        ...jitter.reasons,
      ],
    },
  };
}

function timeToLive(
  expiry: Expiry,
  context: DeadlineContext,
): Result<{ readonly ms: number; readonly reasons: readonly string[] }> {
  const given = expiry.ttl === undefined ? undefined : parseDuration(String(expiry.ttl));
  const guide = expiry.strategy === undefined ? undefined : ttlStrategies[expiry.strategy];
  const ms = given === undefined ? guide?.default_ms : given * (guide?.factor ?? 1);
  const place = `${context.place}ttl`;
  if (ms === undefined) return refused(problem('REQ002', place, 'nothing says when the keys expire', 'Give ttl.'));
  if (ms > longestMs) return refused(tooLong(place));
  if (ms <= shortestMs) return refused(tooShort(place, ms));
  const reasons = [ttlReason(expiry, given, ms)];
  if (guide?.range !== undefined && (ms < guide.range.shortest_ms || ms > guide.range.longest_ms))
    reasons.push(
      `${formatDuration(ms)} is outside what strategy ${expiry.strategy} recommends (${formatDuration(guide.range.shortest_ms)} to ${formatDuration(guide.range.longest_ms)}); the given ttl wins.`,
    );
  return { value: { ms, reasons } };
}

function ttlReason(expiry: Expiry, given: number | undefined, ms: number): string {
  const { strategy } = expiry;
  if (strategy === undefined) return `TTL ${formatDuration(ms)}, as given.`;
  const { follows, factor } = ttlStrategies[strategy];
  if (given === undefined)
    return `TTL ${formatDuration(ms)}: strategy ${strategy} follows ${follows}; its longest, so that nothing is deleted early.`;
  if (factor === 1) return `TTL ${formatDuration(ms)}, as given; strategy ${strategy} follows ${follows}.`;
  return `TTL ${formatDuration(ms)}: ${factor} x the given ${formatDuration(given)}; strategy ${strategy} follows ${follows}.`;
}

function jitterOf(
  jitter: Expiry['jitter'],
  ttlMs: number,
  bulk: boolean,
): { readonly ms: number; readonly reasons: readonly string[] } {
  const written = jitter ?? (bulk ? '10%' : '0%');
  const text = String(written);
  const ms = text.endsWith('%') ? Math.round((ttlMs * Number.parseFloat(text)) / 100) : (parseDuration(text) ?? 0);
  if (ms === 0) return { ms, reasons: [] };
  const origin = jitter === undefined ? 'the default for a match' : 'as asked';
  return {
    ms,
    reasons: [
      `Jitter of up to ${formatDuration(ms)} (${text}, ${origin}) is added per key, never subtracted: keys with one deadline would all expire together.`,
    ],
  };
}

function tooLong(place: string) {
  return problem(
    'REQ001',
    place,
    `${place} is too long: a deadline is Unix milliseconds, and this one is beyond 2^52 ms (about 140,000 years)`,
    'Give a shorter time, or persist the keys.',
  );
}

function tooShort(place: string, ms: number) {
  const message =
    ms === 0
      ? `${place} is 0, which deletes the keys instead of giving them a time to live`
      : `${place} comes to ${formatDuration(ms)}; it must be longer than 1 s`;
  return problem(
    'REQ001',
    place,
    message,
    'Give a time longer than 1 s; to delete keys, use key_management delete or batch unlink.',
    'A deadline not later than server time + 1 s is never sent: after a slow round trip or a retry it is in the past, and a past deadline deletes.',
  );
}

const conditionReasons: Readonly<Record<NonNullable<Expiry['condition']>, string>> = {
  nx: 'NX: only keys without a TTL get one.',
  xx: 'XX: only keys that have a TTL get the new one.',
  gt: 'GT: a TTL is only made longer; a key without one counts as infinite and keeps none.',
  lt: 'LT: a TTL is only made shorter; a key without one counts as infinite and gets it.',
};
