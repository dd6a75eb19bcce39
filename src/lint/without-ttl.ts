/**
 * Writes that leave a key without a TTL, over a whole list of commands: neither the command nor a later one gives it, and
 * nothing removes the key. What TTL001 and TTL011 have in common; they differ in which keys should have one.
 */
import { type Bytes, bytesId } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import { keysOf } from '../catalog/keys.ts';
import { commandName } from '../catalog/lookup.ts';
import { deletesKeys } from '../catalog/nature.ts';
import { deadlineOf, dropsTtlOf } from './expiry.ts';
import { factsReader } from './facts.ts';
import type { LintCommand, Subject } from './rule.ts';
import { hasOption } from './words.ts';

/** A write, its key, and what was said of the key. */
export interface WithoutTtl<T> {
  readonly command: LintCommand;
  readonly key: Bytes;
  readonly meant: T;
}

/** The first such write of each key of which `meant` says that it should have a TTL (undefined: it need not). */
export function withoutTtl<T>(subject: Subject, meant: (key: Bytes) => T | undefined): readonly WithoutTtl<T>[] {
  const writes = subject.commands.flatMap((command, index) =>
    writtenWithoutTtl(command.argv).flatMap((write) => {
      const is = meant(write.key);
      return is === undefined ? [] : [{ ...write, meant: is, command, index }];
    }),
  );
  if (writes.length === 0) return [];
  const facts = factsReader(subject);
  const last = lastOf(subject.commands);
  const said = new Set<string>();
  return writes.flatMap(({ key, meant: is, replaces, command, index }) => {
    const id = bytesId(key);
    const { deadline = -1, removal = -1 } = last.get(id) ?? {};
    const taken = deadline > index || removal > index;
    // a deadline given before survives an HSET, but neither a SET nor a deletion
    const kept = !replaces && removal < 0 ? (facts.of(key)?.ttl_ms ?? -1) >= 0 : false;
    if (said.has(id) || taken || kept || (!replaces && deadline > removal)) return [];
    said.add(id);
    return [{ command, key, meant: is }];
  });
}

// writes that create a key and, unlike SET, leave the TTL of an existing one as it is
const creates: ReadonlySet<string> = new Set(
  (
    'hset hmset hsetnx hincrby hincrbyfloat lpush rpush sadd zadd xadd append setbit setrange pfadd geoadd ' +
    'incr incrby incrbyfloat decr decrby'
  ).split(' '),
);

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
  const made = name === 'msetnx' ? argv.filter((_, index) => index % 2 === 1) : [argv[1]];
  if (!onlyNew && name !== 'msetnx' && !creates.has(name)) return [];
  return made.flatMap((key) => (key === undefined ? [] : [{ key, replaces: false }]));
}
