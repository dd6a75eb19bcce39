/** EVALSHA names a script that the server must have: a restart, a failover or SCRIPT FLUSH takes it, and inside EXEC that fails half of a block. */
import { calledSha1, scriptSha1, sourcesBySha1 } from '../../plan/script-sources.ts';
import { howToGive } from '../facts.ts';
import { at } from '../findings.ts';
import type { Finding, LintCommand, Rule, Subject } from '../rule.ts';

/** LUA004: EVALSHA without the text of its script. */
export const lua004: Rule = {
  code: 'LUA004',
  severity: 'error',
  title: 'EVALSHA of a script that is not given',
  check(subject) {
    const given = sourcesGiven(subject);
    const calls = subject.commands.flatMap((command) => {
      const sha1 = calledSha1(command.argv);
      return sha1 === undefined || given.has(sha1) ? [] : [{ command, sha1 }];
    });
    if (calls.length === 0) return { findings: [] };
    const { target } = subject;
    if (target === undefined)
      return { findings: [], unchecked: `needs to know which scripts the server has: ${howToGive(subject)}` };
    return {
      findings: calls.map(({ command, sha1 }) =>
        judge(command, sha1, target.scripts.includes(sha1), subject.draft !== undefined),
      ),
    };
  },
};

/** SHA1s of the request's scripts, and of those that the commands themselves load. */
function sourcesGiven({ draft, scripts }: Subject): ReadonlySet<string> {
  const request = draft?.request;
  const own = request && 'scripts' in request ? [...sourcesBySha1(request.scripts).keys()] : [];
  return new Set([...own, ...scripts.map(({ source }) => scriptSha1(source))]);
}

function judge(command: LintCommand, sha1: string, known: boolean, planned: boolean): Finding {
  const within = command.within === 'transaction' ? 'a transaction' : 'a pipeline or file';
  return at(command, {
    severity: known ? 'warning' : 'error',
    message: known ? `only the server has the script ${sha1}` : `the server does not have the script ${sha1}`,
    why: known
      ? `A restart, a failover or SCRIPT FLUSH takes it, and ${within} has no way to load it again: the call would answer NOSCRIPT.`
      : 'The call would answer NOSCRIPT, in a transaction only when the other commands are applied.',
    fix: planned
      ? 'Give its text: "scripts": [{ "file": "script.lua" }]. It is loaded right before the commands, on the nodes that run them.'
      : 'Put SCRIPT LOAD with its text before it.',
  });
}
