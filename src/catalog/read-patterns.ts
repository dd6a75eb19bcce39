/**
 * The keys that SORT reads and does not name: BY and GET are patterns, in which each element takes the place of the star.
 * COMMAND GETKEYS does not have them (the server's own ACLs ask for the right to read every key instead, from 7.0 on).
 */
import { type Bytes, fromBuffer, toBuffer } from '../base/bytes.ts';
import type { Argv } from './command.ts';
import { wordOf } from './lookup.ts';

/** What every such key begins with, one for each pattern that reads keys; undefined where a pattern is not known before the run. Empty for every other command. */
export function readPrefixes(argv: Argv): readonly (Bytes | undefined)[] {
  const name = wordOf(argv[0]);
  if (name !== 'sort' && name !== 'sort_ro') return [];
  return argv.flatMap((pattern, index) => {
    if (index < 3 || !takesPattern.has(wordOf(argv[index - 1]))) return [];
    if (pattern === undefined) return [undefined];
    // without a star no key is read: BY nosort, GET #
    const bytes = toBuffer(pattern);
    const star = bytes.indexOf(0x2a);
    return star < 0 ? [] : [fromBuffer(bytes.subarray(0, star))];
  });
}

const takesPattern: ReadonlySet<string> = new Set(['by', 'get']);
