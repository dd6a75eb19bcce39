/** A library is run once, while it is loaded, with next to nothing at hand: what it needs belongs into its functions. */
import { inScript } from '../findings.ts';
import type { Rule } from '../rule.ts';

/** LUA017: what a library of functions uses and does not have. */
export const lua017: Rule = {
  code: 'LUA017',
  severity: 'error',
  title: 'a library of functions uses what libraries do not have',
  check: (subject) => ({
    findings: subject.scripts.flatMap((script) => {
      if (script.facts.shebang?.name === undefined) return [];
      return script.facts.notInLibrary.map((used) =>
        inScript(
          script,
          used,
          used.name === 'KEYS' || used.name === 'ARGV'
            ? {
                message: `${used.name} does not exist in a library of functions`,
                why: 'A function gets its keys and arguments as parameters; the global is an error when the line runs, after what was written before it.',
                fix: 'Write function(keys, args), and use these.',
              }
            : {
                message: `${used.name} is used outside of a function`,
                why: 'While a library is loaded there is only redis.register_function and redis.log: the server refuses to load it.',
                fix: 'Move it into the function that needs it.',
              },
        ),
      );
    }),
  }),
};
