/**
 * PERSIST undoes what a deadline was given for: the key stays until somebody deletes it. For one key that is a decision, for
 * a pattern it is memory that never comes back, and old deadlines cannot be given back since nobody wrote them down.
 */
import { formatCount } from '../../base/units.ts';
import { commandName } from '../../catalog/lookup.ts';
import { howToGive, selectionFacts } from '../facts.ts';
import { at, blocksOf, type Said } from '../findings.ts';
import type { Finding, LintCommand, Rule, Subject, Verdict } from '../rule.ts';
import { hasOption } from '../words.ts';

const many = 1_000;

/** TTL007: PERSIST or GETEX PERSIST for more than 1,000 keys. */
export const ttl007: Rule = {
  code: 'TTL007',
  severity: 'warning',
  title: 'PERSIST takes the TTLs of many keys away',
  check(subject) {
    const blocks = blocksOf({ ...subject, commands: subject.commands.filter(persists) });
    const verdicts = blocks.map((block) => judge(subject, block));
    const findings = verdicts.flatMap((verdict) => verdict.findings);
    const unchecked = verdicts.find((verdict) => verdict.unchecked !== undefined)?.unchecked;
    return unchecked === undefined ? { findings } : { findings, unchecked };
  },
};

function persists({ argv }: LintCommand): boolean {
  const name = commandName(argv);
  return name === 'persist' || (name === 'getex' && hasOption(argv, 2, 'PERSIST'));
}

function judge(subject: Subject, block: readonly LintCommand[]): Verdict {
  const first = block[0]!;
  if (first.selection === undefined) return { findings: found(first, block.length) };
  const facts = selectionFacts(subject, first.selection);
  if (!facts)
    return { findings: [], unchecked: `needs the number of keys that ${first.at} selects: ${howToGive(subject)}` };
  // a selection by TTL has only keys with one
  const part = first.selection.ttl === undefined || facts.samples.length > 0 ? facts.with_ttl : 1;
  return { findings: found(first, Math.round(facts.keys * part)) };
}

function found(command: LintCommand, keys: number): readonly Finding[] {
  return keys > many ? [at(command, say(keys))] : [];
}

function say(keys: number): Said {
  return {
    message: `about ${formatCount(keys)} keys lose their TTL`,
    why: 'They stay until somebody deletes them, and the deadlines that they had cannot be brought back.',
    fix: 'Give them a longer TTL instead (redops ttl set), or save the deadlines first: redops keys find --export FILE.',
  };
}
