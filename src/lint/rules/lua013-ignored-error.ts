/** redis.pcall turns an error into a value; where nobody takes the value, the script goes on as if the command had worked. */
import { inScript } from '../findings.ts';
import type { Rule } from '../rule.ts';

/** LUA013: redis.pcall, or pcall(redis.call, ...), as a statement. */
export const lua013: Rule = {
  code: 'LUA013',
  severity: 'warning',
  title: 'the error of a protected call is dropped',
  check: (subject) => ({
    findings: subject.scripts.flatMap((script) =>
      script.facts.ignored.map((call) =>
        inScript(script, call, {
          message: `nobody looks at the result of this ${call.name}`,
          why: 'Its error (WRONGTYPE, OOM, NOPERM) is a value: the script goes on as if the command had worked.',
          fix: 'Use redis.call, or look at it: local reply = redis.pcall(...) if reply.err then return reply end',
        }),
      ),
    ),
  }),
};
