/** FLUSHALL, FLUSHDB and SWAPDB act on whole databases, whatever prefix or cap was meant. */
import { eachCall, eachCommand, type Said } from '../findings.ts';
import type { Rule } from '../rule.ts';

/** DEL003: a command that empties or exchanges a whole database. */
export const del003: Rule = {
  code: 'DEL003',
  severity: 'error',
  title: 'FLUSHALL, FLUSHDB or SWAPDB empties or exchanges whole databases',
  check: (subject) => ({ findings: [...eachCommand(subject, judge), ...eachCall(subject, judge)] }),
};

function judge(name: string): Said | undefined {
  if (name === 'swapdb') {
    return {
      message: 'SWAPDB exchanges two whole databases for every client at once',
      why: 'Every connected client goes on with the other data set, without an error.',
      fix: 'Move the keys by a job over their prefix.',
    };
  }
  if (name !== 'flushall' && name !== 'flushdb') return undefined;
  return {
    message: `${name.toUpperCase()} deletes every key of ${name === 'flushall' ? 'every database' : 'the database'}`,
    why: 'There is no undo, no cap and no prefix; without ASYNC the server is blocked while it frees everything.',
    fix: "Delete by prefix: redops batch unlink --match '<prefix>*'. If everything is meant, use ASYNC and accept DEL003.",
  };
}
