/** In a cluster a transaction runs on one node, and all its keys must be in one slot, those of WATCH too. */
import { errorOf } from '../../catalog/errors.ts';
import { keysOf } from '../../catalog/keys.ts';
import { commandName } from '../../catalog/lookup.ts';
import { clusterUnknown, isCluster, severalSlots } from '../clusters.ts';
import { at } from '../findings.ts';
import type { Finding, LintCommand, Rule, Subject } from '../rule.ts';

/** TX005: a transaction over several slots, on a cluster. */
export const tx005: Rule = {
  code: 'TX005',
  severity: 'error',
  title: 'a transaction over several slots, in a cluster',
  error: errorOf('CROSSSLOT').code,
  check(subject) {
    if (isCluster(subject) === false) return { findings: [] };
    const findings = transactionsOf(subject).flatMap(judge);
    if (findings.length === 0 || isCluster(subject)) return { findings };
    return { findings: [], unchecked: clusterUnknown(subject) };
  },
};

/** The commands of each transaction; a WATCH of a file belongs to the MULTI that follows it. */
function transactionsOf(subject: Subject): readonly (readonly LintCommand[])[] {
  const transactions = new Map<string, LintCommand[]>();
  let watching: LintCommand[] = [];
  for (const command of subject.commands) {
    const name = commandName(command.argv);
    if (command.within === 'transaction' || command.within === 'read') {
      const commands = transactions.get(command.block);
      if (commands) commands.push(command);
      else transactions.set(command.block, [...watching, command]);
    } else if (name === 'watch') watching.push(command);
    else if (name === 'exec' || name === 'discard' || name === 'unwatch') watching = [];
  }
  return [...transactions.values()];
}

function judge(commands: readonly LintCommand[]): readonly Finding[] {
  const keys = commands.flatMap(({ argv }) =>
    (keysOf(argv) ?? []).flatMap(({ key }) => (key === undefined ? [] : [key])),
  );
  const slots = severalSlots(keys);
  if (slots === undefined) return [];
  return [
    at(commands[0]!, {
      message: `the transaction has keys of several slots: ${slots}`,
      why: 'A cluster runs a transaction on the node of one slot and refuses the rest with CROSSSLOT; nothing is applied.',
      fix: 'Give the keys one hash tag, such as {order:123}:status and {order:123}:items, or split the transaction.',
    }),
  ];
}
