/** EXEC runs everything that was queued in one go: no other client is served until the last command is done. */
import { formatCount } from '../../base/units.ts';
import { factsReader } from '../facts.ts';
import { at, blocksOf } from '../findings.ts';
import type { Finding, LintCommand, Rule } from '../rule.ts';
import { walksWhole } from '../whole-reads.ts';
import { shown } from '../words.ts';

const mostQueued = 1_000;
const mostElements = 5_000;

/** TX006: more than 1,000 queued commands, or a command that walks a large collection. */
export const tx006: Rule = {
  code: 'TX006',
  severity: 'warning',
  title: 'a transaction that holds everybody up',
  check(subject) {
    const facts = factsReader(subject);
    const findings = blocksOf(subject).flatMap((block) => {
      const queued = block.filter(({ within }) => within === 'transaction');
      return [...tooMany(queued), ...queued.flatMap((command) => walks(command, facts.of))];
    });
    const unchecked = facts.missing('size');
    return unchecked === undefined ? { findings } : { findings, unchecked };
  },
};

function tooMany(queued: readonly LintCommand[]): readonly Finding[] {
  if (queued.length <= mostQueued) return [];
  return [
    at(queued[0]!, {
      message: `${formatCount(queued.length)} commands in one transaction`,
      why: 'EXEC runs them without a pause; every other client waits until the last one is done.',
      fix: 'Split it into transactions that each stay consistent by themselves, or use a pipeline if atomicity is not needed.',
    }),
  ];
}

function walks(command: LintCommand, of: ReturnType<typeof factsReader>['of']): readonly Finding[] {
  return walksWhole(command.argv).flatMap((key) => {
    const elements = of(key)?.elements ?? 0;
    if (elements <= mostElements) return [];
    return at(command, {
      message: `walks all ${formatCount(elements)} elements of ${shown(key)} inside the transaction`,
      why: 'Inside EXEC nothing else is served, and the whole reply is held in memory.',
      fix: 'Read before the transaction, under WATCH, in pieces; queue only what changes.',
    });
  });
}
