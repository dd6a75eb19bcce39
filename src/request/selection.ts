/** What a request selects: its filters as the plan has them, where they contradict each other, and what they mean for the run. */
import { invariant } from '../base/assert.ts';
import { parseDuration } from '../base/units.ts';
import { commandName } from '../catalog/lookup.ts';
import type { Diagnostic } from '../plan/diagnostic.ts';
import { asksType, isFiltered } from '../plan/filters.ts';
import { guardedCommand, isGuarded } from '../plan/guarded-command.ts';
import type { RequestOf } from '../plan/request.ts';
import type { CommandStep, KeysFile, Selection } from '../plan/step.ts';
import type { Target } from '../plan/target.ts';
import { literal } from '../plan/values.ts';
import { problem } from './problem.ts';

/** What of a request says which keys. */
export type Select = Partial<RequestOf<'batch'>['select']>;

/** The selection as the plan has it: durations in milliseconds, `*` where there is no pattern. `file`: the file of keys, as it was found to be. */
export function selectionOf({ match, keys_file, type, ttl, size, bytes }: Select, file?: KeysFile): Selection {
  invariant(keys_file === undefined || file !== undefined, 'a file of keys was looked at before');
  return {
    match: match ?? '*',
    ...(type === undefined ? {} : { type }),
    ...(ttl === undefined ? {} : { ttl: ttlOf(ttl) }),
    ...(size === undefined ? {} : { size }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(keys_file === undefined ? {} : { keys_file: file! }),
  };
}

/** Ranges that hold nothing (REQ002). `place`: the JSON path before the fields (`select.` or empty). */
export function selectionProblems({ ttl, size, bytes }: Select, place: '' | 'select.'): readonly Diagnostic[] {
  const left = ttl === undefined ? undefined : ttlOf(ttl);
  const range = typeof left === 'object' ? { min: left.min_ms, max: left.max_ms } : undefined;
  return Object.entries({ ttl: range, size, bytes }).flatMap(([name, bounds]) =>
    rangeProblem(`${place}${name}`, bounds),
  );
}

/** A condition of PEXPIREAT that never holds for the keys that are selected (REQ002). */
export function conditionProblems(
  { ttl }: Select,
  condition: 'nx' | 'xx' | 'gt' | 'lt' | undefined,
): readonly Diagnostic[] {
  if (ttl === undefined || condition === undefined) return [];
  const without = ttl === 'none';
  if (without ? condition === 'nx' || condition === 'lt' : condition !== 'nx') return [];
  const message = without
    ? `select.ttl takes keys without a TTL, and the condition ${condition} acts only on keys that have one`
    : 'select.ttl takes keys that have a TTL, and the condition nx acts only on keys without one';
  return [problem('REQ002', 'do.condition', message, 'Remove the condition, or change select.ttl.')];
}

/** What the filters cost, and how a change in between is met. */
export function filterReasons(
  selection: Selection,
  step: CommandStep | undefined,
  target: Target | undefined,
): readonly string[] {
  if (!isFiltered(selection)) return [];
  const read = [
    ...(asksType(selection) ? ['its type'] : []),
    ...(selection.ttl === undefined ? [] : ['PTTL']),
    ...(selection.size === undefined ? [] : ['the number of elements']),
    ...(selection.bytes === undefined ? [] : ['MEMORY USAGE']),
  ];
  const listed = selection.keys_file !== undefined;
  const which = listed ? 'Each key of the file' : 'SCAN does not tell this, so each key that matches';
  const reads = `${which} is asked for ${read.join(', ')}, a page in one packet.`;
  if (step === undefined) return [reads];
  const server = target?.server ?? { redis_version: '7.0' };
  if (isGuarded(guardedCommand(step.argv, selection, server)))
    return [
      reads,
      'A script looks at each key again and acts in one go: a key that another client changed in between is left alone.',
    ];
  const name = commandName(step.argv.map(literal));
  if (name === 'touch')
    return [reads, 'A key that another client changes in between is touched all the same: that changes no data.'];
  return [reads, `${name.toUpperCase()} itself acts only on keys for which this still holds.`];
}

/** How the condition of PEXPIREAT comes about on a server that does not know it. */
export function conditionReasons(step: CommandStep, target: Target | undefined): readonly string[] {
  if (target === undefined || !isGuarded(guardedCommand(step.argv, undefined, target.server))) return [];
  return [
    `Redis ${target.server.redis_version} has no conditions of PEXPIREAT (7.0 and later have): a script tests and sets the TTL of each key in one go.`,
  ];
}

function ttlOf(ttl: NonNullable<Select['ttl']>): NonNullable<Selection['ttl']> {
  if (typeof ttl === 'string') return ttl;
  const ms = (duration: string | number): number =>
    Math.min(Number.MAX_SAFE_INTEGER, parseDuration(String(duration)) ?? 0);
  return {
    ...(ttl.min === undefined ? {} : { min_ms: ms(ttl.min) }),
    ...(ttl.max === undefined ? {} : { max_ms: ms(ttl.max) }),
  };
}

function rangeProblem(
  at: string,
  bounds: { readonly min?: number | undefined; readonly max?: number | undefined } | undefined,
): readonly Diagnostic[] {
  if (bounds === undefined) return [];
  const { min, max } = bounds;
  if (min === undefined && max === undefined)
    return [problem('REQ002', at, `${at} has neither min nor max`, 'Give min, max or both, or remove it.')];
  if (min === undefined || max === undefined || min <= max) return [];
  return [problem('REQ002', at, `${at}: min is greater than max, so no key can match`, 'Correct the bounds.')];
}
