/** What stands behind error(), or behind a loop that nothing leaves, was meant to run and does not. */
import { inScript } from '../findings.ts';
import type { Rule } from '../rule.ts';

/** LUA012: the first statement behind one that does not let the script go on. */
export const lua012: Rule = {
  code: 'LUA012',
  severity: 'warning',
  title: 'statements that can never run',
  check: (subject) => ({
    findings: subject.scripts.flatMap((script) =>
      script.facts.unreachable.map((place) =>
        inScript(script, place, {
          message: `this statement cannot run: ${place.name} never goes on`,
          why: 'error(), return and a loop without an end leave the block; whatever was meant here is not done.',
          fix: 'Remove it, or make what stands before it conditional.',
        }),
      ),
    ),
  }),
};
