/** When a connection dies, a command without a reply may have run. Only what is the same when run twice may be sent again. */
import { isIdempotent } from '../../catalog/idempotency.ts';
import { commandName } from '../../catalog/lookup.ts';
import { isWrite } from '../../catalog/nature.ts';
import { deadlineOf } from '../expiry.ts';
import { at, blocksOf } from '../findings.ts';
import type { Finding, LintCommand, Rule } from '../rule.ts';
import { listed, spoken } from '../words.ts';

/** PIP004: writes that cannot be sent again after a lost reply, in a step with retries. One finding for each step. */
export const pip004: Rule = {
  code: 'PIP004',
  severity: 'warning',
  title: 'a command that must not be sent twice, in a step with retries',
  check(subject) {
    const { request } = subject.draft ?? {};
    // what is done with scripts and functions is one call, never sent twice, and its plan says so
    if (!request || request.retry.max_retries === 0 || request.operation_type === 'lua_script') return { findings: [] };
    return { findings: blocksOf(subject).flatMap(judge) };
  },
};

function judge(block: readonly LintCommand[]): readonly Finding[] {
  const once = block.filter(mustRunOnce);
  const first = once[0];
  if (!first) return [];
  const names = [...new Set(once.map(({ argv }) => spoken(commandName(argv))))];
  return [
    at(first, {
      message: `${once.length} of ${block.length} commands are not idempotent (${listed(names)})`,
      why: 'If the connection is lost, one without a reply may or may not have run: it is reported as unknown and not sent again.',
      fix: 'Use a form that can be repeated (SET, HSET, SADD, ZADD, PEXPIREAT), or make it one transaction (redops tx).',
    }),
  ];
}

// a relative TTL is TTL004's
function mustRunOnce({ argv, within }: LintCommand): boolean {
  if (within !== 'pipeline' && within !== 'line' && within !== 'job') return false;
  return isWrite(argv) && !isIdempotent(argv) && deadlineOf(argv)?.kind !== 'relative';
}
