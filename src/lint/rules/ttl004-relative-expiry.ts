/** A relative EXPIRE counts from when the server runs it: what is sent again after a lost reply lives longer than was meant. */
import { deadlineOf, isPast } from '../expiry.ts';
import { at, blocksOf } from '../findings.ts';
import type { Finding, LintCommand, Rule } from '../rule.ts';
import { listed, shown } from '../words.ts';

/** TTL004: EXPIRE, PEXPIRE, or a value with EX or PX (an info), in a pipeline or job. One finding for each of these. */
export const ttl004: Rule = {
  code: 'TTL004',
  severity: 'warning',
  title: 'a relative EXPIRE in a pipeline drifts when it is sent again',
  check: (subject) => ({ findings: blocksOf(subject).flatMap(judge) }),
};

function judge(block: readonly LintCommand[]): readonly Finding[] {
  const relative = block.filter(isRelative);
  const first = relative[0];
  if (!first) return [];
  const keys = relative.map(({ argv }) => (argv[1] === undefined ? 'each key' : shown(argv[1])));
  // SET k v EX 60 sent twice writes the same value: only its deadline moves
  const withValue = relative.every(({ argv }) => deadlineOf(argv)?.by === 'write');
  return [
    at(first, {
      message: `${relative.length} of ${block.length} commands give a relative TTL (${listed(keys)})`,
      why: 'The time counts from when the server runs the command, so a resend moves the deadline; therefore one without a reply is not sent again and is reported as unknown.',
      fix: 'Give the deadline: PEXPIREAT, or SET with PXAT, and Unix milliseconds; or redops ttl set, which fixes it when it is first sent.',
      severity: withValue ? 'info' : 'warning',
    }),
  ];
}

function isRelative({ argv, within }: LintCommand): boolean {
  if (within !== 'pipeline' && within !== 'job') return false;
  const deadline = deadlineOf(argv);
  return deadline?.kind === 'relative' && isPast(deadline, undefined) === false;
}
