/** WATCH guards only what happens after it: a read before it may already be stale, and inside MULTI it is refused. */
import { bytesId } from '../../base/bytes.ts';
import { keysOf } from '../../catalog/keys.ts';
import { commandName } from '../../catalog/lookup.ts';
import { isReadOnly } from '../../catalog/nature.ts';
import { at } from '../findings.ts';
import type { Finding, LintCommand, Rule } from '../rule.ts';
import { shown } from '../words.ts';

/** TX004: WATCH after the read it should guard, or between MULTI and EXEC. */
export const tx004: Rule = {
  code: 'TX004',
  severity: 'error',
  title: 'WATCH after the read, or inside MULTI',
  check: ({ commands }) => ({ findings: commands.some(isWatch) ? judge(commands) : [] }),
};

function isWatch({ argv }: LintCommand): boolean {
  return commandName(argv) === 'watch';
}

interface Late {
  readonly command: LintCommand;
  readonly said: Omit<Finding, 'at' | 'span'>;
}

function judge(commands: readonly LintCommand[]): readonly Finding[] {
  const read = new Set<string>();
  // a WATCH after the read is late only if nothing reads the key again before MULTI
  const late = new Map<string, Late>();
  const findings: Finding[] = [];
  for (const command of commands) {
    const name = commandName(command.argv);
    const keys = (keysOf(command.argv) ?? []).flatMap(({ key }) => (key === undefined ? [] : [key]));
    if (name === 'watch' && command.within === 'transaction') findings.push(at(command, insideMulti));
    else if (name === 'watch') {
      for (const key of keys.filter((one) => read.has(bytesId(one)))) {
        late.set(bytesId(key), { command, said: afterRead(shown(key)) });
      }
    } else if (name === 'multi') {
      findings.push(...[...late.values()].map((one) => at(one.command, one.said)));
      late.clear();
    } else if (name === 'exec' || name === 'discard' || name === 'unwatch') {
      read.clear();
      late.clear();
    } else if (command.within === 'line' && isReadOnly(command.argv)) {
      for (const key of keys) {
        read.add(bytesId(key));
        late.delete(bytesId(key));
      }
    }
  }
  return findings;
}

const insideMulti = {
  message: 'WATCH between MULTI and EXEC',
  why: 'The server answers "WATCH inside MULTI is not allowed"; the key is not watched.',
  fix: 'WATCH first, then read, then MULTI.',
};

function afterRead(key: string) {
  return {
    message: `${key} is watched only after it was read`,
    why: 'A change between the read and WATCH goes unnoticed, and EXEC writes a result that is based on the old value.',
    fix: 'WATCH first, then read, then MULTI (redops tx does it in this order).',
  };
}
