/** Redis protects Lua's globals: assigning one, or reading one that does not exist, is an error at run time. */
import { inScript } from '../findings.ts';
import type { Rule } from '../rule.ts';

/** LUA009: an assigned global, or one that does not exist. */
export const lua009: Rule = {
  code: 'LUA009',
  severity: 'error',
  title: 'a script assigns or reads a global variable that Redis does not have',
  check: (subject) => ({
    findings: subject.scripts.flatMap((script) => [
      ...script.facts.globals.map((global) =>
        inScript(script, global, {
          message: `${global.name} is assigned without local`,
          why: 'Scripts share one Lua state; the server refuses new globals when the line runs, after what was written before it.',
          fix: `Write: local ${global.name} = ...`,
        }),
      ),
      ...script.facts.missingGlobals.map((global) =>
        inScript(script, global, {
          message: `${global.name} does not exist in a Redis script`,
          why: 'Reading a global that is not there is an error when the line runs, after what was written before it.',
          fix: 'Declare it with local, or use what Redis provides: redis, KEYS, ARGV, string, table, math, cjson, cmsgpack, bit, struct.',
        }),
      ),
    ]),
  }),
};
