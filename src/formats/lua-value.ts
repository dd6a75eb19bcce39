/**
 * What is known of a Lua value without running the script: where it comes from. Joining two possible values keeps only
 * what holds for both; the taints (ARGV, KEYS, a reply had a part in it) are kept from either.
 */
import type { LuaArgument } from './lua-facts.ts';
import { utf8Of } from './lua-syntax.ts';

/** What a value is. `table` is KEYS or ARGV itself, `element` one of its members, `text` the source of what built it,
 * `count` a number that the script and the length of KEYS and ARGV decide, `fraction` the result of a division;
 * `converted` a reply that went through tonumber or tostring. */
export type LuaShape =
  | { readonly kind: 'nil' | 'unknown' | 'count' | 'fraction' }
  | { readonly kind: 'constant'; readonly value: string }
  | { readonly kind: 'library'; readonly name: string }
  | { readonly kind: 'call'; readonly protected: boolean }
  | { readonly kind: 'table'; readonly name: 'KEYS' | 'ARGV' }
  | { readonly kind: 'element'; readonly of: 'KEYS' | 'ARGV'; readonly index: number | undefined }
  | { readonly kind: 'built'; readonly text: string }
  | { readonly kind: 'reply'; readonly command: string | undefined; readonly converted?: true };

/** What had a part in a value. */
export interface LuaTaint {
  readonly argv: boolean;
  readonly keys: boolean;
  readonly reply: boolean;
}

/** A value: its shape and its taint. */
export interface LuaValue {
  readonly shape: LuaShape;
  readonly taint: LuaTaint;
}

const clean: LuaTaint = { argv: false, keys: false, reply: false };

/** A value of which nothing is known. */
export const unknown: LuaValue = { shape: { kind: 'unknown' }, taint: clean };

/** nil, or a variable that is declared without a value. */
export const nil: LuaValue = { shape: { kind: 'nil' }, taint: clean };

/** A value that owes nothing to data. */
export function plain(shape: LuaShape): LuaValue {
  return { shape, taint: clean };
}

/** KEYS or ARGV itself: how many there are is for the caller to say, so the table is no taint. */
export function tableOf(name: 'KEYS' | 'ARGV'): LuaValue {
  return plain({ kind: 'table', name });
}

/** A member of KEYS or ARGV. */
export function elementOf(of: 'KEYS' | 'ARGV', index: number | undefined): LuaValue {
  return { shape: { kind: 'element', of, index }, taint: { ...clean, argv: of === 'ARGV', keys: of === 'KEYS' } };
}

/** The reply of a command, or a part of one (command undefined). */
export function replyOf(command: string | undefined): LuaValue {
  return { shape: { kind: 'reply', command }, taint: { ...clean, reply: true } };
}

/** A value of which only its parts are known. */
export function derived(parts: readonly LuaValue[]): LuaValue {
  return { shape: { kind: 'unknown' }, taint: taintOf(parts) };
}

/** The result of a division: a number that may have decimals. */
export function fraction(parts: readonly LuaValue[]): LuaValue {
  return { shape: { kind: 'fraction' }, taint: taintOf(parts) };
}

/** What tonumber or tostring makes of a value: tonumber(false) is nil, so a nil reply may be tested for nil then. */
export function converted(value: LuaValue): LuaValue {
  const { shape, taint } = value;
  return shape.kind === 'reply' ? { shape: { ...shape, converted: true }, taint } : value;
}

/** Text that was put together of parts. */
export function built(text: string, parts: readonly LuaValue[]): LuaValue {
  return { shape: { kind: 'built', text }, taint: taintOf(parts) };
}

/** The taint of all parts together; a table passed as a whole passes its members. */
export function taintOf(parts: readonly LuaValue[]): LuaTaint {
  return {
    argv: parts.some(({ shape, taint }) => taint.argv || (shape.kind === 'table' && shape.name === 'ARGV')),
    keys: parts.some(({ shape, taint }) => taint.keys || (shape.kind === 'table' && shape.name === 'KEYS')),
    reply: parts.some(({ taint }) => taint.reply),
  };
}

/** A value that may be either: what both have in common. */
export function join(a: LuaValue, b: LuaValue): LuaValue {
  const taint = {
    argv: a.taint.argv || b.taint.argv,
    keys: a.taint.keys || b.taint.keys,
    reply: a.taint.reply || b.taint.reply,
  };
  return { shape: joinShapes(a.shape, b.shape), taint };
}

function joinShapes(a: LuaShape, b: LuaShape): LuaShape {
  if (a.kind === 'nil') return b;
  if (b.kind === 'nil') return a;
  if (a.kind === 'element' && b.kind === 'element' && a.of === b.of) {
    return { kind: 'element', of: a.of, index: a.index === b.index ? a.index : undefined };
  }
  if (a.kind === 'reply' && b.kind === 'reply') {
    const command = a.command === b.command ? a.command : undefined;
    return a.converted || b.converted ? { kind: 'reply', command, converted: true } : { kind: 'reply', command };
  }
  if (a.kind === 'constant' && b.kind === 'constant' && a.value === b.value) return a;
  if (a.kind === 'call' && b.kind === 'call') return { kind: 'call', protected: a.protected && b.protected };
  if (a.kind === 'call' || b.kind === 'call') return a.kind === 'call' ? a : b;
  if (a.kind === 'count' && b.kind === 'count') return a;
  if (a.kind === 'table' && b.kind === 'table' && a.name === b.name) return a;
  if (a.kind === 'library' && b.kind === 'library' && a.name === b.name) return a;
  if (a.kind === 'built') return a;
  return b.kind === 'built' ? b : { kind: 'unknown' };
}

/** A value as an argument of a call; `text` is its source, for what was computed from data. */
export function argumentOf({ shape, taint }: LuaValue, text: string): LuaArgument {
  switch (shape.kind) {
    case 'constant': {
      const value = utf8Of(shape.value);
      return value === undefined ? { from: 'unknown' } : { from: 'constant', value };
    }
    case 'element':
      return { from: shape.of, index: shape.index };
    case 'reply':
      return { from: 'reply' };
    case 'built':
      return builtArgument(shape.text, taint);
    default:
      if (taint.argv || taint.keys) return builtArgument(text, taint);
      return { from: taint.reply ? 'reply' : 'unknown' };
  }
}

function builtArgument(text: string, taint: LuaTaint): LuaArgument {
  return { from: 'built', text, usesArgv: taint.argv, usesKeys: taint.keys, usesReply: taint.reply };
}
