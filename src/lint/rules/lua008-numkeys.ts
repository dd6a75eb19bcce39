/** KEYS[n] beyond numkeys is nil: the command that gets it fails, after whatever the script has already written. */
import { inScript } from '../findings.ts';
import type { Rule } from '../rule.ts';

/** LUA008: the script uses more KEYS than the call gives. */
export const lua008: Rule = {
  code: 'LUA008',
  severity: 'error',
  title: 'a script uses more KEYS than its call gives',
  check: (subject) => ({
    findings: subject.scripts.flatMap((script) => {
      const { maxKey } = script.facts;
      if (script.keys === undefined || maxKey <= script.keys) return [];
      const given = `${script.keys} ${script.keys === 1 ? 'key' : 'keys'}`;
      return inScript(
        script,
        { line: 1, column: 1 },
        {
          message: `the script uses KEYS[${maxKey}], the call gives ${given}`,
          why: 'A missing element of KEYS is nil; the call that gets it fails, and what was written before stays.',
          fix: 'Give every key, and their number as numkeys, before the arguments.',
        },
      );
    }),
  }),
};
