/**
 * All keys with one hash tag lie in one slot, on one node: however many nodes there are, that one does the work and has to
 * hold the memory, and a slot cannot be split.
 */
import { type Bytes, bytesId, fromBuffer } from '../../base/bytes.ts';
import { formatCount } from '../../base/units.ts';
import { keysOf } from '../../catalog/keys.ts';
import { deletesKeys } from '../../catalog/nature.ts';
import { slotOf } from '../../catalog/slots.ts';
import { inCluster, isCluster } from '../clusters.ts';
import { selectionFacts } from '../facts.ts';
import { at, blocksOf } from '../findings.ts';
import { literalPrefix } from '../glob.ts';
import type { Finding, LintCommand, Rule, Subject } from '../rule.ts';
import { shown } from '../words.ts';

/** So many different keys are enough to tell; and this part of them in one of 16,384 slots is no chance. */
const fewest = 1_000;
const share = 0.2;

/** CLU002: a fifth and more of 1,000 and more keys in one slot of a cluster; of a selection, a fifth of all keys. */
export const clu002: Rule = {
  code: 'CLU002',
  severity: 'warning',
  title: 'many keys in one slot of a cluster',
  check(subject) {
    if (isCluster(subject) === false) return { findings: [] };
    return inCluster(subject, [...blocksOf(subject).flatMap(ofBlock), ...ofSelections(subject)]);
  },
};

function ofBlock(block: readonly LintCommand[]): readonly Finding[] {
  if (block.length < 2) return [];
  const keys = new Set<string>();
  const slots = new Map<number, Slot>();
  for (const command of block) {
    if (deletes(command)) continue; // what makes the slot cooler is no fault
    for (const { key } of keysOf(command.argv) ?? []) {
      if (key === undefined || keys.has(bytesId(key))) continue;
      keys.add(bytesId(key));
      const number = slotOf(key);
      const slot = slots.get(number);
      if (slot) slot.count += 1;
      else slots.set(number, { number, key, command, count: 1 });
    }
  }
  if (keys.size < fewest) return [];
  return [...slots.values()]
    .filter(({ count }) => count >= keys.size * share)
    .map(({ number, key, command, count }) =>
      at(command, say(number, `${formatCount(count)} of ${formatCount(keys.size)} keys, the first ${shown(key)}`)),
    );
}

interface Slot {
  readonly number: number;
  /** The first key in it, and the command that names it. */
  readonly key: Bytes;
  readonly command: LintCommand;
  count: number;
}

/** A pattern whose literal beginning has a whole hash tag: all its keys are in that slot. */
function ofSelections(subject: Subject): readonly Finding[] {
  const keys = subject.target?.server.keys ?? 0;
  return subject.commands.flatMap((command) => {
    const { selection } = command;
    if (selection === undefined || selection.keys_file !== undefined || deletes(command)) return [];
    const number = slotOfPattern(selection.match);
    const found = number === undefined ? undefined : selectionFacts(subject, selection)?.keys;
    if (number === undefined || found === undefined || found < fewest || found < keys * share) return [];
    return [
      at(command, say(number, `${formatCount(found)} of ${formatCount(keys)} keys, all of ${shown(selection.match)}`)),
    ];
  });
}

/** A deadline that redops fixes later lies ahead. */
function deletes({ argv, lasting }: LintCommand): boolean {
  return lasting === undefined && deletesKeys(argv);
}

function slotOfPattern(match: Bytes): number | undefined {
  const literal = literalPrefix(match);
  return /^[^{]*\{[^}]+\}/.test(literal.toString('latin1')) ? slotOf(fromBuffer(literal)) : undefined;
}

function say(slot: number, keys: string) {
  return {
    message: `slot ${slot} has ${keys}`,
    why: 'One slot lies on one node: it does this work alone and holds this memory alone. More nodes do not help, since a slot is moved whole.',
    fix: 'Put into the hash tag what differs, such as {user:1}, or leave it out where no command needs the keys together.',
  };
}
