/** A string is freed in one piece on the main thread, by UNLINK too: the background thread takes collections only. */
import { formatSize } from '../../base/units.ts';
import { factsReader } from '../facts.ts';
import { at } from '../findings.ts';
import { removalsOf } from '../removals.ts';
import type { Rule } from '../rule.ts';
import { shown } from '../words.ts';

const most = 64 * 1024 * 1024;

/** DEL002: a string of more than 64 MB is freed. */
export const del002: Rule = {
  code: 'DEL002',
  severity: 'warning',
  title: 'deleting a huge string blocks the server, with UNLINK too',
  check(subject) {
    const facts = factsReader(subject);
    const findings = subject.commands.flatMap((command) =>
      removalsOf(command.argv, subject.now).flatMap((removal) => {
        const old = removal.key === undefined ? undefined : facts.of(removal.key);
        const bytes = old?.type === 'string' ? (old.elements ?? old.bytes ?? 0) : 0;
        if (!old || bytes < most) return [];
        return at(command, {
          message: `${removal.how} ${shown(old.key)}, a string of ${formatSize(bytes)}: about ${Math.round(bytes / 13_000_000)} ms`,
          why: 'UNLINK moves collections to the background thread, strings are freed inline: 32 ms for 400 MB.',
          fix: 'Do it in a quiet moment; split values this large over several keys from now on.',
        });
      }),
    );
    const unchecked = facts.missing('type and size');
    return unchecked === undefined ? { findings } : { findings, unchecked };
  },
};
