/** A cache, session, lock or rate-limit key without a TTL stays for ever: memory that nobody frees, a lock nobody opens. */
import type { Bytes } from '../../base/bytes.ts';
import { commandName } from '../../catalog/lookup.ts';
import { at, type Said } from '../findings.ts';
import type { LintCommand, Rule, Subject } from '../rule.ts';
import { temporaryKind } from '../temporary-keys.ts';
import { withoutTtl } from '../without-ttl.ts';
import { shown, spoken } from '../words.ts';

/** TTL001: a write to a temporary key that gets no TTL, neither by the command nor by a later one on the same key. */
export const ttl001: Rule = {
  code: 'TTL001',
  severity: 'warning',
  title: 'a cache, session, lock or rate-limit key is written without a TTL',
  check: (subject) => ({
    findings: withoutTtl(subject, temporaryKind).map(({ command, key, meant }) =>
      at(command, say(command, key, meant, subject)),
    ),
  }),
};

function say(command: LintCommand, key: Bytes, kind: string, subject: Subject): Said {
  const name = commandName(command.argv);
  const isSet = sets.has(name);
  const example = kind === 'lock' ? 'NX PX 30000' : 'EX 3600';
  const evicts = subject.target?.server.maxmemory_policy.startsWith('allkeys-') === true;
  return {
    message: `${spoken(name)} ${shown(key)}: a ${kind} key without a TTL`,
    why:
      kind === 'lock'
        ? 'If the holder dies, nobody can ever take the lock again.'
        : `It stays until somebody deletes it${evicts ? ' or memory runs short' : ''}, and memory fills with what nobody reads.`,
    fix: isSet
      ? `Give the TTL in the same command: SET ${shown(key)} <value> ${example}`
      : `Send EXPIRE ${shown(key)} <seconds> in the same MULTI/EXEC.`,
    severity: kind === 'lock' && isSet ? 'error' : 'warning',
  };
}

const sets: ReadonlySet<string> = new Set(['set', 'setnx', 'mset', 'msetnx', 'getset']);
