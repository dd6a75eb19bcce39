/** RENAME and COPY REPLACE overwrite what stands at the destination, and RENAMENX quietly does nothing there. */
import type { Bytes } from '../../base/bytes.ts';
import type { Argv } from '../../catalog/command.ts';
import { commandName } from '../../catalog/lookup.ts';
import { factsReader } from '../facts.ts';
import { at, type Said } from '../findings.ts';
import type { Rule } from '../rule.ts';
import { hasOption, shown } from '../words.ts';

/** KEY005: the destination of a RENAME, RENAMENX or COPY REPLACE exists. */
export const key005: Rule = {
  code: 'KEY005',
  severity: 'warning',
  title: 'RENAME or COPY REPLACE onto a key that exists',
  check(subject) {
    const facts = factsReader(subject);
    const findings = subject.commands.flatMap((command) => {
      const destination = destinationOf(command.argv);
      if (destination === undefined || !facts.of(destination)?.exists) return [];
      return [at(command, say(commandName(command.argv), destination))];
    });
    const unchecked = facts.missing('existence');
    return unchecked === undefined ? { findings } : { findings, unchecked };
  },
};

function destinationOf(argv: Argv): Bytes | undefined {
  const name = commandName(argv);
  if (name === 'copy') return hasOption(argv, 3, 'REPLACE') && !hasOption(argv, 3, 'DB') ? argv[2] : undefined;
  if (name !== 'rename' && name !== 'renamenx') return undefined;
  return argv[1] === undefined || argv[2] === undefined || shown(argv[1]) === shown(argv[2]) ? undefined : argv[2];
}

function say(name: string, destination: Bytes): Said {
  if (name === 'renamenx') {
    return {
      message: `${shown(destination)} exists: RENAMENX will do nothing and answer 0`,
      why: 'RENAMENX never overwrites; the source keeps its name.',
      fix: 'Choose another name, or remove the destination first on purpose.',
    };
  }
  return {
    message: `${shown(destination)} exists and will be overwritten`,
    why: `${name.toUpperCase()} deletes the old value of the destination; it cannot be brought back.`,
    fix:
      name === 'rename'
        ? 'Use RENAMENX, or move the old value away first.'
        : 'Leave REPLACE out, or copy the old value first.',
  };
}
