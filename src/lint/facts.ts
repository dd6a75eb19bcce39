/**
 * The live facts of keys, and how a rule says which of them it lacked. Indexed once for each rule, since a plan may
 * name 100,000 keys.
 */
import { type Bytes, bytesId } from '../base/bytes.ts';
import { selectionId } from '../plan/filters.ts';
import type { Selection } from '../plan/step.ts';
import type { KeyFacts, SelectionFacts, Server } from '../plan/target.ts';
import type { Subject } from './rule.ts';
import { listed, shown } from './words.ts';

/** Looks up keys, and remembers the keys that had no facts. One for each check of a rule. */
export interface FactsReader {
  /** The facts of a key; undefined (and remembered as missing) when it was not inspected. */
  of(key: Bytes): KeyFacts | undefined;
  /** "needs the live ... of k1, k2 and 3 more: give --url", or undefined when nothing was missing. */
  missing(what: string): string | undefined;
}

/** A reader over the subject's target. */
export function factsReader(subject: Subject): FactsReader {
  const index = new Map((subject.target?.keys ?? []).map((facts) => [bytesId(facts.key), facts]));
  const missing = new Map<string, Bytes>();
  return {
    of(key) {
      const facts = index.get(bytesId(key));
      if (!facts) missing.set(bytesId(key), key);
      return facts;
    },
    missing(what) {
      if (missing.size === 0) return undefined;
      return `needs the live ${what} of ${listed([...missing.values()].map(shown))}: ${howToGive(subject)}`;
    },
  };
}

/** What the server knows of a selection, when it was asked. */
export function selectionFacts(subject: Subject, selection: Selection): SelectionFacts | undefined {
  const id = selectionId(selection);
  return subject.target?.selections.find((facts) => selectionId(facts.selection) === id);
}

/** The words for "how to make this known". */
export function howToGive(subject: Subject): string {
  if (subject.busy) return 'the server is busy with a script';
  return subject.target ? 'the server did not tell' : 'give --url';
}

/** True when the server speaks at least this version of Redis (Valkey and redict answer with the version they are compatible with). */
export function speaks(server: Server, version: string): boolean {
  const have = server.redis_version.split('.').map(Number);
  const want = version.split('.').map(Number);
  for (const [index, part] of want.entries()) {
    const mine = have[index] ?? 0;
    if (mine !== part) return mine > part;
  }
  return true;
}

/** True when an engine version is at least this major version. */
export function majorAtLeast(version: string, major: number): boolean {
  return Number(version.split('.')[0]) >= major;
}
