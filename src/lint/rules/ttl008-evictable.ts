/**
 * Under a volatile-* policy a TTL is permission to evict: at maxmemory, `EXPIRE keep:* 30 days` lets the server drop those
 * keys at once, and PERSIST leaves it nothing to drop, so that writes answer OOM.
 */
import { commandName } from '../../catalog/lookup.ts';
import type { Server } from '../../plan/target.ts';
import { deadlineOf, isPast } from '../expiry.ts';
import { factsReader, howToGive } from '../facts.ts';
import { at, blocksOf } from '../findings.ts';
import type { Finding, LintCommand, Rule } from '../rule.ts';

/** TTL008: existing keys are given TTLs, or lose them, under a volatile-* policy; an error from 80 % of maxmemory on. */
export const ttl008: Rule = {
  code: 'TTL008',
  severity: 'warning',
  title: 'giving or removing TTLs under a volatile-* policy changes what can be evicted',
  check(subject) {
    const changes = subject.commands.filter((command) => changeOf(command) !== undefined);
    if (changes.length === 0) return { findings: [] };
    const server = subject.target?.server;
    if (!server) return { findings: [], unchecked: `needs maxmemory and its policy: ${howToGive(subject)}` };
    if (server.maxmemory === 0 || !server.maxmemory_policy.startsWith('volatile-')) return { findings: [] };
    const facts = factsReader(subject);
    const findings = blocksOf({ ...subject, commands: changes }).flatMap((block) => {
      const real = block.filter((command) => changesEvictability(command, server, facts.of));
      return real.length === 0 ? [] : [judge(real, server)];
    });
    return { findings };
  },
};

function changeOf({ argv }: LintCommand): 'given' | 'removed' | undefined {
  if (commandName(argv) === 'persist') return 'removed';
  const deadline = deadlineOf(argv);
  return deadline?.by === 'expire' && isPast(deadline, undefined) !== true ? 'given' : undefined;
}

// a key that has a TTL stays evictable with another one; only volatile-ttl looks at the time itself
function changesEvictability(command: LintCommand, server: Server, of: ReturnType<typeof factsReader>['of']): boolean {
  const ttl = command.argv[1] === undefined ? undefined : of(command.argv[1])?.ttl_ms;
  if (ttl === undefined) return true;
  if (changeOf(command) === 'removed') return ttl >= 0;
  return ttl < 0 || server.maxmemory_policy === 'volatile-ttl';
}

function judge(block: readonly LintCommand[], server: Server): Finding {
  const first = block[0]!;
  const given = block.filter((command) => changeOf(command) === 'given').length;
  const percent = Math.round((server.used_memory / server.maxmemory) * 100);
  const tight = server.used_memory > 0.8 * server.maxmemory;
  const policy = server.maxmemory_policy;
  const what = first.selection ? 'The selected keys' : 'These keys';
  return at(first, {
    message:
      given > 0
        ? `${what.toLowerCase()} become evictable: maxmemory-policy is ${policy}, memory is ${percent} % full`
        : `${what.toLowerCase()} can no longer be evicted: maxmemory-policy is ${policy}, memory is ${percent} % full`,
    why:
      given > 0
        ? `At maxmemory the server drops keys that have a TTL, long before the TTL runs out${policy === 'volatile-ttl' ? ', those with the nearest deadline first' : ''}.`
        : 'At maxmemory the server drops only keys that have a TTL; with fewer of them writes are refused with OOM.',
    fix: 'Free memory or raise maxmemory first, or choose an allkeys-* or noeviction policy on purpose.',
    severity: tight ? 'error' : 'warning',
  });
}
