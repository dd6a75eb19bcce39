/** The form of a command in a script is checked only when its line runs, after whatever the script wrote before it. */
import { checkCommand } from '../../catalog/grammar.ts';
import { findCommand } from '../../catalog/lookup.ts';
import { eachCall } from '../findings.ts';
import type { Rule } from '../rule.ts';

/** LUA010: an unknown command, a wrong number of arguments, options that do not exist or exclude each other. */
export const lua010: Rule = {
  code: 'LUA010',
  severity: 'error',
  title: 'a script calls a command that the server does not know or not in this form',
  check: (subject) => ({
    findings: eachCall(subject, (_name, argv, call) => {
      // unpack(...) and `...` stand for any number of arguments: only the name can be judged
      if (call.spread && findCommand(argv) !== undefined) return undefined;
      const problem = checkCommand(call.spread ? argv.slice(0, 1) : argv);
      if (problem === undefined) return undefined;
      return {
        message: problem.message,
        why: 'The call fails when its line runs; what the script wrote before it stays.',
        fix: problem.fix,
      };
    }),
  }),
};
