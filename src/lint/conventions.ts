/** The conventions of redops.yaml as rules ask for them: which one a key, or every key of a pattern, falls under. */
import { type Bytes, toBuffer } from '../base/bytes.ts';
import type { Convention } from '../plan/target.ts';
import { globTest, literalPrefix } from './glob.ts';

/** Looks conventions up; the first that matches counts. Made once for many keys. */
export interface Conventions {
  of(key: Bytes): Convention | undefined;
  /** The convention that every key of a MATCH pattern falls under; undefined where there is none or that cannot be told. */
  ofPattern(match: Bytes): Convention | undefined;
}

/** The conventions of a list. */
export function conventionsOf(list: readonly Convention[] = []): Conventions {
  const tests = list.map((convention) => ({
    convention,
    test: globTest(convention.match),
    prefix: prefixOf(convention.match),
  }));
  return {
    of: (key) => tests.find(({ test }) => test(key))?.convention,
    ofPattern: (match) => {
      const begins = literalPrefix(match);
      // an earlier one that may match some of the keys leaves it open which counts
      for (const { convention, prefix } of tests) {
        if (prefix === undefined) return undefined;
        if (begins.subarray(0, prefix.length).equals(prefix)) return convention;
        if (prefix.subarray(0, begins.length).equals(begins)) return undefined;
      }
      return undefined;
    },
  };
}

/** What a pattern of the form `prefix*` begins with; undefined for every other form. */
function prefixOf(match: string): Buffer | undefined {
  const prefix = literalPrefix(match);
  return toBuffer(match).equals(Buffer.concat([prefix, Buffer.from('*')])) ? prefix : undefined;
}
