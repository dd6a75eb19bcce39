/** The scripts of test/fixtures/lua: good ones, which no rule may object to, and bad ones, which say in their first lines what is found. */
import { readdirSync, readFileSync } from 'node:fs';

/** A script of the corpus. */
export interface CorpusScript {
  readonly name: string;
  readonly source: Buffer;
  /** `CODE line n` for each finding, in the order of the header; empty for a good script. */
  readonly expected: readonly string[];
}

/** The scripts of one folder, by name. */
export function luaCorpus(folder: 'good' | 'bad'): readonly CorpusScript[] {
  const root = new URL(`../fixtures/lua/${folder}/`, import.meta.url);
  return readdirSync(root)
    .sort()
    .map((name) => {
      const source = readFileSync(new URL(name, root));
      const headers = source.toString('latin1').matchAll(/^-- expect: (\w+ line \d+)$/gm);
      return { name, source, expected: [...headers].map(([, expected]) => expected!) };
    });
}
