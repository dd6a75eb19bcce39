/** Redis undoes nothing: when a queued command fails in EXEC, the others stay applied. A wrong type is known beforehand. */
import { type Bytes, bytesId } from '../../base/bytes.ts';
import type { Argv } from '../../catalog/command.ts';
import { errorOf } from '../../catalog/errors.ts';
import { type KeyUse, keysOf } from '../../catalog/keys.ts';
import { commandName, findCommand } from '../../catalog/lookup.ts';
import { factsReader } from '../facts.ts';
import { at, blocksOf } from '../findings.ts';
import { removalsOf } from '../removals.ts';
import type { Finding, LintCommand, Rule } from '../rule.ts';
import { shown, spoken } from '../words.ts';

/** TX009: a queued command that does not fit the live type of its key. */
export const tx009: Rule = {
  code: 'TX009',
  severity: 'warning',
  title: 'a queued command that will fail at EXEC, with no rollback of the others',
  error: errorOf('WRONGTYPE').code,
  check(subject) {
    const facts = factsReader(subject);
    const findings = blocksOf(subject).flatMap((block) =>
      judge(
        block.filter(({ within }) => within === 'transaction'),
        facts.of,
        subject.now,
      ),
    );
    const unchecked = facts.missing('type');
    return unchecked === undefined ? { findings } : { findings, unchecked };
  },
};

const types: Readonly<Record<string, readonly string[]>> = {
  string: ['string'],
  bitmap: ['string'],
  hyperloglog: ['string'],
  hash: ['hash'],
  list: ['list'],
  set: ['set'],
  'sorted-set': ['zset'],
  sorted_set: ['zset'],
  geo: ['zset'],
  stream: ['stream'],
};
// MGET answers nil for a wrong type; SET and SETNX take any; the sources of these may be plain sets
const takesAny: ReadonlySet<string> = new Set(['mget', 'setnx', 'msetnx']);
const takesSets: ReadonlySet<string> = new Set(
  'zunion zinter zdiff zunionstore zinterstore zdiffstore zintercard'.split(' '),
);

function judge(
  queued: readonly LintCommand[],
  of: ReturnType<typeof factsReader>['of'],
  now: number | undefined,
): readonly Finding[] {
  const changed = new Set<string>();
  const findings: Finding[] = [];
  for (const command of queued) {
    for (const { key } of typedKeys(command.argv).filter(({ key }) => !changed.has(bytesId(key)))) {
      const facts = of(key);
      const wanted = typesOf(command.argv);
      if (facts?.exists && !wanted.includes(facts.type)) findings.push(at(command, say(command.argv, key, facts.type)));
    }
    // after these the key has another type, or none
    for (const removal of removalsOf(command.argv, now))
      if (removal.key !== undefined) changed.add(bytesId(removal.key));
    for (const key of movedKeys(command.argv)) changed.add(bytesId(key));
  }
  return findings;
}

function typedKeys(argv: Argv): readonly { readonly key: Bytes }[] {
  const name = commandName(argv);
  if (takesAny.has(name) || typesOf(argv).length === 0) return [];
  const overwrites = (use: KeyUse): boolean => use.access === 'OW' || (name === 'set' && !argv.slice(3).some(isGet));
  return (keysOf(argv) ?? []).flatMap((use) => (use.key === undefined || overwrites(use) ? [] : [{ key: use.key }]));
}

function typesOf(argv: Argv): readonly string[] {
  const name = commandName(argv);
  const wanted = types[findCommand(argv)?.group ?? ''] ?? [];
  return takesSets.has(name) ? ['zset', 'set'] : wanted;
}

function movedKeys(argv: Argv): readonly Bytes[] {
  const name = commandName(argv);
  if (name !== 'rename' && name !== 'renamenx' && name !== 'move') return [];
  return (keysOf(argv) ?? []).flatMap(({ key }) => (key === undefined ? [] : [key]));
}

function isGet(argument: Bytes | undefined): boolean {
  return typeof argument === 'string' && argument.toUpperCase() === 'GET';
}

function say(argv: Argv, key: Bytes, type: string) {
  return {
    message: `${spoken(commandName(argv))} ${shown(key)} will fail at EXEC: the key holds a ${type}`,
    why: 'The type is checked only when the command runs; Redis undoes nothing, so the other commands stay applied.',
    fix: 'Use a command for this type, or another key.',
  };
}
