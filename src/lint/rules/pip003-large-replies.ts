/** The replies of a pipeline pile up: what one HGETALL costs, a batch of 500 costs 500 times, in the server's output buffer too. */
import type { Bytes } from '../../base/bytes.ts';
import { formatSize } from '../../base/units.ts';
import type { KeyFacts } from '../../plan/target.ts';
import { factsReader } from '../facts.ts';
import { at, blocksOf } from '../findings.ts';
import type { Finding, LintCommand, Rule, Subject } from '../rule.ts';
import { answersWhole } from '../whole-reads.ts';
import { shown } from '../words.ts';

const mostOfOne = 4 * 1024 * 1024;
const mostTogether = 16 * 1024 * 1024;

/** PIP003: replies in flight of more than 16 MB together, or 4 MB each. */
export const pip003: Rule = {
  code: 'PIP003',
  severity: 'warning',
  title: 'unbounded replies in a pipeline',
  check(subject) {
    const facts = factsReader(subject);
    const findings = blocksOf(subject).flatMap((block) => judge(subject, block, facts.of));
    const unchecked = facts.missing('size');
    return unchecked === undefined ? { findings } : { findings, unchecked };
  },
};

function judge(
  subject: Subject,
  block: readonly LintCommand[],
  of: (key: Bytes) => KeyFacts | undefined,
): readonly Finding[] {
  const reads = block
    .filter(({ within }) => within === 'pipeline' || within === 'transaction')
    .map((command) => ({ command, replies: answersWhole(command.argv).map((key) => replyOf(of(key))) }))
    .map(({ command, replies }) => ({ command, bytes: replies.reduce((sum, bytes) => sum + bytes, 0) }))
    .filter(({ bytes }) => bytes > 0)
    .toSorted((a, b) => b.bytes - a.bytes);
  const largest = reads[0];
  if (!largest) return [];
  const depth = largest.command.within === 'pipeline' ? (subject.draft?.batch_size ?? block.length) : block.length;
  const together = reads.slice(0, depth).reduce((sum, { bytes }) => sum + bytes, 0);
  if (largest.bytes <= mostOfOne && together <= mostTogether) return [];
  const key = largest.command.argv[1];
  return [
    at(largest.command, {
      message: `the reply of ${key === undefined ? 'this command' : shown(key)} is about ${formatSize(largest.bytes)}, with the others in flight about ${formatSize(together)}`,
      why: "Replies wait in the server's output buffer until they are read, beyond maxmemory; one large reply also blocks the server while it is made.",
      fix: 'Read in pieces (HSCAN, SSCAN, ZSCAN, LRANGE of some hundred, GETRANGE), or ask for the fields that are needed.',
    }),
  ];
}

// the memory of a value is an upper bound of its reply; a string's length is the reply
function replyOf(facts: KeyFacts | undefined): number {
  if (!facts?.exists) return 0;
  return facts.type === 'string' ? (facts.elements ?? facts.bytes ?? 0) : (facts.bytes ?? 0);
}
