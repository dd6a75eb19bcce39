/**
 * What a selection asks of each key beside its name and type: time to live, size, memory. SCAN does not tell these, so
 * they are read key by key; whoever acts on what was read looks again (guarded-command.ts).
 */
import { canonicalJson } from '../base/canonical.ts';
import { cardinalityCommands } from '../catalog/cardinality.ts';
import type { Selection } from './step.ts';

/** True when keys are asked for more than what named them: SCAN's pattern and type, or a file. */
export function isFiltered(selection: Selection): boolean {
  const { ttl, size, bytes } = selection;
  return ttl !== undefined || size !== undefined || bytes !== undefined || asksType(selection);
}

/** True when the type is asked of each key, since no SCAN TYPE gave it. */
export function asksType({ keys_file, type }: Omit<Selection, 'match'>): boolean {
  return keys_file !== undefined && type !== undefined;
}

/** What was read of a key, as far as the filters ask: PTTL (-1 without a TTL, -2 when it is gone), elements, MEMORY USAGE. */
export interface Measures {
  readonly ttlMs?: number;
  readonly type?: string;
  /** undefined: a type whose elements no command counts. */
  readonly size?: number;
  /** undefined: the key is gone. */
  readonly bytes?: number;
}

/** True when the key is one of the selection. What was not measured passes no filter. */
export function passes(selection: Selection, measures: Measures): boolean {
  const { ttl, size, bytes } = selection;
  const { ttlMs = -2 } = measures;
  if (asksType(selection) && measures.type !== selection.type) return false;
  if (ttl !== undefined && !passesTtl(ttl, ttlMs)) return false;
  if (size !== undefined && !within(measures.size, size)) return false;
  return bytes === undefined || within(measures.bytes, bytes);
}

/** The read commands that the filters need, by name, in the order in which they are asked. */
export function filterCommands(selection: Selection): readonly (readonly string[])[] {
  const { ttl, size, bytes, type } = selection;
  const sizes =
    type === undefined
      ? [['TYPE'], ...[...cardinalityCommands.values()].map((name) => [name])]
      : [[cardinalityCommands.get(type)!]];
  return [
    ...(ttl === undefined ? [] : [['PTTL']]),
    ...(bytes === undefined ? [] : [['MEMORY', 'USAGE']]),
    ...(asksType(selection) ? [['TYPE']] : []),
    ...(size === undefined ? [] : sizes),
  ];
}

/** How many reads a key costs. */
export function readsPerKey(selection: Selection): number {
  const { ttl, size, bytes, type } = selection;
  return (
    (asksType(selection) ? 1 : 0) +
    (ttl === undefined ? 0 : 1) +
    (bytes === undefined ? 0 : 1) +
    (size === undefined ? 0 : type === undefined ? 2 : 1)
  );
}

/** Two selections are the same when they select the same keys: one text for each. */
export function selectionId(selection: Selection): string {
  return canonicalJson(selection);
}

function passesTtl(ttl: NonNullable<Selection['ttl']>, ttlMs: number): boolean {
  if (ttl === 'none') return ttlMs === -1;
  if (ttlMs < 0) return false;
  return (
    ttl === 'any' ||
    within(ttlMs, {
      ...(ttl.min_ms === undefined ? {} : { min: ttl.min_ms }),
      ...(ttl.max_ms === undefined ? {} : { max: ttl.max_ms }),
    })
  );
}

function within(value: number | undefined, { min, max }: NonNullable<Selection['size']>): boolean {
  return value !== undefined && (min === undefined || value >= min) && (max === undefined || value <= max);
}
