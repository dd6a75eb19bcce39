/** Commands whose time or reply grows with all that the key holds: harmless on small keys, the outage on large ones. */
import type { Bytes } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import { keysOf } from '../catalog/keys.ts';
import { commandName } from '../catalog/lookup.ts';
import { hasOption, integer, word } from './words.ts';

const replies: ReadonlySet<string> = new Set(
  'hgetall hkeys hvals smembers sunion sdiff sinter zunion zinter zdiff sort_ro dump'.split(' '),
);
const stores: ReadonlySet<string> = new Set(
  'sunionstore sdiffstore sinterstore zunionstore zinterstore zdiffstore sort'.split(' '),
);
const ranges: ReadonlySet<string> = new Set(['lrange', 'zrange', 'zrevrange']);
const scored: ReadonlySet<string> = new Set('zrangebyscore zrevrangebyscore zrangebylex zrevrangebylex'.split(' '));

/** The keys that the command answers with as a whole: HGETALL, SMEMBERS, LRANGE 0 -1, XRANGE - +, GET ... Empty when the reply is bounded. */
export function answersWhole(argv: Argv): readonly Bytes[] {
  const name = commandName(argv);
  if (name === 'get' || name === 'mget' || replies.has(name) || readsAll(argv, name)) return keys(argv);
  return name === 'sort' && !hasOption(argv, 2, 'STORE', 'LIMIT') ? keys(argv) : [];
}

/** The keys that the command walks as a whole, whether it answers with them or stores the result. Strings are not walked. */
export function walksWhole(argv: Argv): readonly Bytes[] {
  const name = commandName(argv);
  return replies.has(name) || stores.has(name) || readsAll(argv, name) ? keys(argv) : [];
}

function readsAll(argv: Argv, name: string): boolean {
  if (hasOption(argv, 4, 'LIMIT', 'COUNT')) return false;
  if (ranges.has(name)) {
    const lex = word(argv, 2) === '-' || word(argv, 2) === '-INF';
    return lex || (integer(argv, 2) === 0n && integer(argv, 3) === -1n);
  }
  if (scored.has(name)) return ['-INF', '+INF', '-', '+'].includes(word(argv, 2) ?? '') && isOpenEnd(word(argv, 3));
  return (
    (name === 'xrange' || name === 'xrevrange') && ['-', '+'].includes(word(argv, 2) ?? '') && isOpenEnd(word(argv, 3))
  );
}

function isOpenEnd(end: string | undefined): boolean {
  return end !== undefined && ['-INF', '+INF', '-', '+', 'INF'].includes(end);
}

function keys(argv: Argv): readonly Bytes[] {
  return (keysOf(argv) ?? []).map((use) => use.key).filter((key) => key !== undefined);
}
