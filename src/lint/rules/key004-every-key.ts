/** A job that destroys and whose pattern leaves nothing out is the bulk form of FLUSHDB. */
import { type Bytes, toBuffer } from '../../base/bytes.ts';
import { deletesKeys, destroys } from '../../catalog/nature.ts';
import { isFiltered } from '../../plan/filters.ts';
import { deadlineOf, isPast } from '../expiry.ts';
import { at } from '../findings.ts';
import { literalPrefix } from '../glob.ts';
import type { Finding, LintCommand, Rule } from '../rule.ts';
import { shown } from '../words.ts';

/** KEY004: a destructive job over `*`, or over a pattern without a literal beginning. */
export const key004: Rule = {
  code: 'KEY004',
  severity: 'error',
  title: 'a destructive job over every key of the database',
  check: (subject) => ({ findings: subject.commands.flatMap(judge) }),
};

function judge(command: LintCommand): readonly Finding[] {
  if (command.selection === undefined || command.selection.keys_file !== undefined) return [];
  if (literalPrefix(command.selection.match).length > 0) return [];
  const deadline = deadlineOf(command.argv);
  const removes = deadline ? isPast(deadline, undefined) === true : deletesKeys(command.argv) || destroys(command.argv);
  if (!removes && !deadline) return [];
  const { match, type } = command.selection;
  const everything = matchesAll(match);
  const which = type === undefined ? 'key' : `${type} key`;
  return [
    at(command, {
      message:
        everything && !isFiltered(command.selection)
          ? `the pattern ${shown(match)} selects every ${which} of the database`
          : `the pattern ${shown(match)} has no literal beginning: every ${which} of the database is a candidate`,
      why: removes
        ? 'The job deletes or overwrites what it selects; a pattern this wide is more often a slip than an intention.'
        : 'Every selected key gets a deadline and is deleted when it runs out.',
      fix: 'Name the prefix, such as session:*; if every key is meant, accept KEY004.',
      severity: removes && everything ? 'error' : 'warning',
    }),
  ];
}

function matchesAll(match: Bytes): boolean {
  return /^[*?]*$/.test(toBuffer(match).toString('latin1'));
}
