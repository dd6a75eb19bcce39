/**
 * A stream holds more than its entries: who has read how far, and what was handed out and is not done yet. Deleting the key
 * deletes that too, and consumers that go on get NOGROUP, or begin anew and leave out what was pending.
 */
import { formatCount } from '../../base/units.ts';
import type { KeyFacts } from '../../plan/target.ts';
import { factsReader, howToGive, selectionFacts } from '../facts.ts';
import { at } from '../findings.ts';
import { removalsOf } from '../removals.ts';
import type { Finding, LintCommand, Rule, Subject } from '../rule.ts';
import { shown } from '../words.ts';

/** DEL004: a stream with consumer groups is deleted or overwritten. */
export const del004: Rule = {
  code: 'DEL004',
  severity: 'warning',
  title: 'deleting or overwriting a stream that has consumer groups',
  check(subject) {
    const facts = factsReader(subject);
    const refused = new Set<string>();
    const findings = subject.commands.flatMap((command): readonly Finding[] => {
      const removed = command.selection ? ofSelection(subject, command) : ofKeys(subject, command, facts.of);
      const streams = removed.filter(({ exists, type }) => exists && type === 'stream');
      for (const { key, groups } of streams) if (groups === undefined) refused.add(shown(key));
      const used = streams.filter(({ groups = 0 }) => groups > 0);
      return used.length === 0 ? [] : [at(command, say(used))];
    });
    const missing = facts.missing('type and size');
    if (refused.size === 0) return missing === undefined ? { findings } : { findings, unchecked: missing };
    return { findings, unchecked: `needs XINFO GROUPS of ${[...refused][0]}: ${howToGive(subject)}` };
  },
};

function ofKeys(
  { now }: Subject,
  { argv }: LintCommand,
  of: ReturnType<typeof factsReader>['of'],
): readonly KeyFacts[] {
  return removalsOf(argv, now)
    .filter(({ stringOnly }) => stringOnly !== true)
    .flatMap(({ key }) => (key === undefined ? [] : (of(key) ?? [])));
}

/** Of a job that removes its keys: those of the sample. */
function ofSelection(subject: Subject, { argv, selection }: LintCommand): readonly KeyFacts[] {
  const removes =
    selection && removalsOf(argv, subject.now).some(({ key, stringOnly }) => key === undefined && !stringOnly);
  return removes ? (selectionFacts(subject, selection)?.samples ?? []) : [];
}

function say(streams: readonly KeyFacts[]) {
  const [first] = streams;
  const groups = first?.groups ?? 0;
  const pending = first?.pending ?? 0;
  const more = streams.length > 1 ? `, and ${formatCount(streams.length - 1)} more such streams` : '';
  const waiting = pending === 0 ? '' : `, with ${formatCount(pending)} ${pending === 1 ? 'entry' : 'entries'} pending`;
  return {
    message: `${first ? shown(first.key) : ''} is a stream with ${groups === 1 ? 'one consumer group' : `${formatCount(groups)} consumer groups`}${waiting}${more}`,
    why: 'The groups go with the key: how far each has read, and what was delivered and never acknowledged. Consumers get NOGROUP, or begin anew without the pending entries.',
    fix: 'To make it smaller, XTRIM keeps the groups. To end it, stop the consumers first and look at what is pending (XPENDING).',
  };
}
