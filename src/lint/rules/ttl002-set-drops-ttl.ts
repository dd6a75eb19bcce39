/** SET on a key that has a TTL takes the TTL away, unless it says KEEPTTL: the key is then permanent. */
import { type Bytes, bytesId } from '../../base/bytes.ts';
import { formatDuration } from '../../base/units.ts';
import { deadlineOf, dropsTtlOf } from '../expiry.ts';
import { factsReader } from '../facts.ts';
import { at } from '../findings.ts';
import type { Rule } from '../rule.ts';
import { temporaryKind } from '../temporary-keys.ts';
import { shown } from '../words.ts';

/** TTL002: a SET, GETSET or MSET on a key that has a TTL now, and that no later command gives one. */
export const ttl002: Rule = {
  code: 'TTL002',
  severity: 'warning',
  title: 'SET drops the TTL that the key has',
  check(subject) {
    const facts = factsReader(subject);
    const lastDeadline = new Map<string, number>();
    for (const [index, { argv }] of subject.commands.entries()) {
      const key = deadlineOf(argv)?.key;
      if (key !== undefined) lastDeadline.set(bytesId(key), index);
    }
    const findings = subject.commands.flatMap((command, index) =>
      dropsTtlOf(command.argv).flatMap((key) => {
        if ((lastDeadline.get(bytesId(key)) ?? -1) > index) return [];
        const ttl = facts.of(key)?.ttl_ms ?? -1;
        return ttl < 0 ? [] : [at(command, say(key, ttl))];
      }),
    );
    const unchecked = facts.missing('TTL');
    return unchecked === undefined ? { findings } : { findings, unchecked };
  },
};

function say(key: Bytes, ttl: number) {
  const kind = temporaryKind(key);
  return {
    message: `${shown(key)} has a TTL (${formatDuration(ttl)} left) that this command takes away`,
    why: 'A SET without KEEPTTL or an expiry clears the TTL: the key becomes permanent.',
    fix: 'Add KEEPTTL (Redis 6.0 and later), or EX with the TTL that is meant.',
    // the name says that it is meant to go away
    ...(kind !== undefined && { severity: 'error' as const }),
  };
}
