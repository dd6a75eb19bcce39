/** EXPIRE with 0, a negative number, or a moment that has passed is a DEL by another name. */
import { deadlineOf, isPast } from '../expiry.ts';
import { at } from '../findings.ts';
import type { Finding, Rule } from '../rule.ts';
import { listed, shown } from '../words.ts';

/** TTL006: a deadline that is not in the future. */
export const ttl006: Rule = {
  code: 'TTL006',
  severity: 'error',
  title: 'a TTL of zero or less, or a deadline in the past, deletes the key',
  check(subject) {
    const unknown: string[] = [];
    const findings: Finding[] = [];
    for (const command of subject.commands) {
      const deadline = deadlineOf(command.argv);
      const past = deadline && isPast(deadline, subject.now);
      if (deadline && past === undefined) unknown.push(command.at);
      if (!deadline || past !== true) continue;
      const key = deadline.key === undefined ? 'every selected key' : shown(deadline.key);
      // SET ... EX 0 is refused by the server, with the value unchanged
      const refused = deadline.by === 'write' && deadline.kind === 'relative';
      findings.push(
        at(command, {
          argument: deadline.argument,
          message: refused
            ? `${deadline.word} ${deadline.ms! / (deadline.word.startsWith('P') ? 1n : 1000n)}: the server refuses it`
            : `${deadline.word} deletes ${key} at once`,
          why: refused
            ? 'An expiry given with the value must be positive; the command answers an error and writes nothing.'
            : 'A deadline that is not in the future is a deletion, on the main thread unless lazyfree-lazy-expire is on.',
          fix: refused
            ? 'Give a positive TTL.'
            : 'Give a deadline in the future (EXPIREAT takes seconds, PEXPIREAT milliseconds), or say UNLINK if deletion is meant.',
        }),
      );
    }
    if (unknown.length === 0) return { findings };
    return { findings, unchecked: `needs the present time to judge the deadlines at ${listed(unknown)}` };
  },
};
