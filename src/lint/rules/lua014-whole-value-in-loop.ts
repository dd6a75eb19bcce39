/** One walk over a value may be bounded by its size; in a loop it is that size times the turns, while nobody else is served. */
import { eachCall } from '../findings.ts';
import type { Rule } from '../rule.ts';
import { walksWhole } from '../whole-reads.ts';
import { spoken } from '../words.ts';

/** LUA014: HGETALL, SMEMBERS, LRANGE 0 -1, SORT, ZUNIONSTORE and their like inside a loop. */
export const lua014: Rule = {
  code: 'LUA014',
  severity: 'warning',
  title: 'a command that walks a whole value, inside a loop',
  check: (subject) => ({
    findings: eachCall(subject, (name, argv, call) => {
      // which key it is does not matter here: a name that is not known is some name
      if (!call.inLoop || walksWhole(argv.map((argument) => argument ?? 'a key')).length === 0) return undefined;
      return {
        message: `${spoken(name)} walks a whole value in every turn of a loop`,
        why: 'Its work is the size of the values times the number of turns, and the whole server waits.',
        fix: 'Read what is needed (HMGET, SMISMEMBER, a bounded range), or read once before the loop.',
      };
    }),
  }),
};
