/** In Lua 0 is true: `if redis.call('EXISTS', k)` always holds, and `not redis.call('EXISTS', k)` never does. */
import { inScript } from '../findings.ts';
import type { Rule } from '../rule.ts';

/** LUA002: an integer reply used as a condition. */
export const lua002: Rule = {
  code: 'LUA002',
  severity: 'error',
  title: 'an integer reply is used as a condition: 0 is true in Lua',
  check: (subject) => ({
    findings: subject.scripts.flatMap((script) =>
      script.facts.zeroTests.map((test) =>
        inScript(script, test, {
          message: `the reply of ${test.command.toUpperCase()} is used as a condition, and 0 is true in Lua`,
          why: 'The test has the same result whether the reply is 0 or 1, so one of the branches never runs.',
          fix: `Compare: redis.call('${test.command.toUpperCase()}', ...) == 1`,
        }),
      ),
    ),
  }),
};
