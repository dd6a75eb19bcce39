/** A cache, session, lock or rate-limit key without a TTL stays for ever: memory that nobody frees, a lock nobody opens. */
import { type Bytes, bytesId } from '../../base/bytes.ts';
import type { Argv } from '../../catalog/command.ts';
import { keysOf } from '../../catalog/keys.ts';
import { commandName } from '../../catalog/lookup.ts';
import { deletesKeys } from '../../catalog/nature.ts';
import { deadlineOf, dropsTtlOf } from '../expiry.ts';
import { factsReader } from '../facts.ts';
import { at, type Said } from '../findings.ts';
import type { Finding, LintCommand, Rule, Subject } from '../rule.ts';
import { temporaryKind } from '../temporary-keys.ts';
import { hasOption, shown, spoken } from '../words.ts';

/** TTL001: a write to a temporary key that gets no TTL, neither by the command nor by a later one on the same key. */
export const ttl001: Rule = {
  code: 'TTL001',
  severity: 'warning',
  title: 'a cache, session, lock or rate-limit key is written without a TTL',
  check: (subject) => ({ findings: judge(subject) }),
};

// writes that create a key and, unlike SET, leave the TTL of an existing one as it is
const creates: ReadonlySet<string> = new Set(
  (
    'hset hmset hsetnx hincrby hincrbyfloat lpush rpush sadd zadd xadd append setbit setrange pfadd geoadd ' +
    'incr incrby incrbyfloat decr decrby'
  ).split(' '),
);

function judge(subject: Subject): readonly Finding[] {
  const writes = subject.commands.flatMap((command, index) =>
    writtenWithoutTtl(command.argv).flatMap((write) => {
      const kind = temporaryKind(write.key);
      return kind === undefined ? [] : [{ ...write, kind, command, index }];
    }),
  );
  if (writes.length === 0) return [];
  const facts = factsReader(subject);
  const last = lastOf(subject.commands);
  const said = new Set<string>();
  return writes.flatMap(({ key, kind, replaces, command, index }) => {
    const id = bytesId(key);
    const { deadline = -1, removal = -1 } = last.get(id) ?? {};
    const taken = deadline > index || removal > index;
    // a deadline given before survives an HSET, but neither a SET nor a deletion
    const kept = !replaces && removal < 0 ? (facts.of(key)?.ttl_ms ?? -1) >= 0 : false;
    if (said.has(id) || taken || kept || (!replaces && deadline > removal)) return [];
    said.add(id);
    return [at(command, say(command, key, kind, subject))];
  });
}

/** For each key the index of the last command that gives it a deadline, and of the last that removes it. */
function lastOf(commands: readonly LintCommand[]) {
  const last = new Map<string, { readonly deadline?: number; readonly removal?: number }>();
  for (const [index, { argv }] of commands.entries()) {
    const key = deadlineOf(argv)?.key;
    if (key !== undefined) last.set(bytesId(key), { ...last.get(bytesId(key)), deadline: index });
    else if (deletesKeys(argv)) {
      for (const use of keysOf(argv) ?? []) {
        if (use.key !== undefined) last.set(bytesId(use.key), { ...last.get(bytesId(use.key)), removal: index });
      }
    }
  }
  return last;
}

function writtenWithoutTtl(argv: Argv): readonly { readonly key: Bytes; readonly replaces: boolean }[] {
  const replaced = dropsTtlOf(argv);
  if (replaced.length > 0) return replaced.map((key) => ({ key, replaces: true }));
  const name = commandName(argv);
  const onlyNew = name === 'setnx' || (name === 'set' && hasOption(argv, 3, 'NX') && deadlineOf(argv) === undefined);
  if (argv[1] === undefined || (!onlyNew && !creates.has(name))) return [];
  return [{ key: argv[1], replaces: false }];
}

function say(command: LintCommand, key: Bytes, kind: string, subject: Subject): Said {
  const name = commandName(command.argv);
  const isSet = name === 'set' || name === 'setnx' || name === 'mset' || name === 'getset';
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
