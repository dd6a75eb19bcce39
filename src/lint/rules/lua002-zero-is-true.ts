/** In Lua 0 is true, and a nil reply is false: `if redis.call('EXISTS', k)` always holds, and `not redis.call('EXISTS', k)` never does. */
import { inScript } from '../findings.ts';
import type { Finding, LintScript, Rule } from '../rule.ts';

/** LUA002: an integer reply used as a condition. */
export const lua002: Rule = {
  code: 'LUA002',
  severity: 'error',
  title: 'an integer reply is used as a condition: 0 is true in Lua',
  check: (subject) => ({
    findings: subject.scripts.flatMap((script) => [
      ...script.facts.zeroTests.map((test) =>
        inScript(script, test, {
          message: `the reply of ${test.command.toUpperCase()} is used as a condition, and 0 is true in Lua`,
          why: 'The test has the same result whether the reply is 0 or 1, so one of the branches never runs.',
          fix: `Compare: redis.call('${test.command.toUpperCase()}', ...) == 1`,
        }),
      ),
      ...nilTests(script),
    ]),
  }),
};

/** Under RESP3, which a script asks for with redis.setresp(3), a nil reply is nil. */
function nilTests(script: LintScript): readonly Finding[] {
  if (script.facts.uses.some(({ name }) => name === 'redis.setresp')) return [];
  return script.facts.nilTests.map((test) =>
    inScript(script, test, {
      message: `the reply of ${test.command.toUpperCase()} is compared with nil, and a nil reply is false in a script`,
      why: 'false is not nil: == nil never holds, ~= nil always does, so one of the branches never runs.',
      fix: 'Test for truth: if not reply then ... end',
    }),
  );
}
