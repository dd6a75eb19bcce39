/** SET followed by EXPIRE leaves a moment in which the key has no TTL; what is cut off there stays for ever. */
import { bytesId } from '../../base/bytes.ts';
import { commandName } from '../../catalog/lookup.ts';
import { deadlineOf, dropsTtlOf } from '../expiry.ts';
import { at, blocksOf } from '../findings.ts';
import type { Finding, LintCommand, Rule } from '../rule.ts';
import { hasOption, shown, spoken } from '../words.ts';

/** TTL003: SET or SETNX, then EXPIRE of the same key, outside a transaction. */
export const ttl003: Rule = {
  code: 'TTL003',
  severity: 'warning',
  title: 'SET and EXPIRE as two commands',
  check: (subject) => ({ findings: blocksOf(subject).flatMap(judge) }),
};

function judge(block: readonly LintCommand[]): readonly Finding[] {
  const written = new Map<string, LintCommand>();
  const findings: Finding[] = [];
  for (const command of block) {
    if (command.within === 'transaction') continue;
    const deadline = deadlineOf(command.argv);
    const key = deadline?.by === 'expire' ? deadline.key : undefined;
    const write = key === undefined ? undefined : written.get(bytesId(key));
    if (key !== undefined && write) {
      written.delete(bytesId(key));
      findings.push(
        at(command, {
          message: `${spoken(commandName(write.argv))} ${shown(key)} and its TTL are two commands`,
          why: 'If the client stops between them, the key has no TTL and stays for ever.',
          fix: `Give the TTL with the value: SET ${shown(key)} <value> EX <seconds>${nx(write)}`,
        }),
      );
    }
    for (const set of setKeys(command)) written.set(bytesId(set), command);
  }
  return findings;
}

function setKeys({ argv }: LintCommand) {
  const name = commandName(argv);
  if (name === 'set' && !hasOption(argv, 3, 'KEEPTTL') && deadlineOf(argv) === undefined && argv[1] !== undefined)
    return [argv[1]];
  if (name === 'setnx' && argv[1] !== undefined) return [argv[1]];
  return name === 'getset' ? dropsTtlOf(argv) : [];
}

function nx({ argv }: LintCommand): string {
  return commandName(argv) === 'setnx' || hasOption(argv, 3, 'NX') ? ' NX' : '';
}
