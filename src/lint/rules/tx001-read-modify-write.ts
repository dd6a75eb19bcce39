/** A value that is read, changed and written back without WATCH overwrites whatever another client wrote in between. */
import { bytesId } from '../../base/bytes.ts';
import { keysOf } from '../../catalog/keys.ts';
import { commandName } from '../../catalog/lookup.ts';
import { isReadOnly } from '../../catalog/nature.ts';
import type { TransactionStep } from '../../plan/step.ts';
import { literal } from '../../plan/values.ts';
import { at } from '../findings.ts';
import type { Finding, LintCommand, Rule, Subject } from '../rule.ts';
import { listed, shown } from '../words.ts';

/** TX001: a transaction writes what was read before it, and the key is not watched. Judged only where both are in sight. */
export const tx001: Rule = {
  code: 'TX001',
  severity: 'error',
  title: 'read, change and write back without WATCH',
  check: (subject) => ({ findings: subject.draft ? inPlan(subject) : inFile(subject.commands) }),
};

function inPlan(subject: Subject): readonly Finding[] {
  return (subject.draft?.steps ?? []).flatMap((step, index) =>
    step.kind === 'transaction' ? unwatched(step, `execution_plan.steps[${index}]`) : [],
  );
}

function unwatched(step: TransactionStep, at: string): readonly Finding[] {
  const watched = new Set(step.watch.map(bytesId));
  const keys = step.reads
    .flatMap((read) => keysOf(read.command.argv.map(literal)) ?? [])
    .flatMap(({ key }) => (key === undefined || watched.has(bytesId(key)) ? [] : [key]));
  return keys.length === 0 ? [] : [{ at: `${at}.watch`, ...say(listed(keys.map(shown))) }];
}

// commands whose new value can only come from the one that was read; INCR and LPUSH compute on the server
const writesBack: ReadonlySet<string> = new Set('set setex psetex getset mset hset hmset setrange'.split(' '));

function inFile(commands: readonly LintCommand[]): readonly Finding[] {
  if (!commands.some(({ within }) => within === 'transaction')) return [];
  const read = new Set<string>();
  const watched = new Set<string>();
  const said = new Set<string>();
  const findings: Finding[] = [];
  for (const command of commands) {
    const name = commandName(command.argv);
    const keys = (keysOf(command.argv) ?? []).flatMap(({ key }) => (key === undefined ? [] : [key]));
    if (name === 'watch') for (const key of keys) watched.add(bytesId(key));
    if (name === 'unwatch') watched.clear();
    if (command.within !== 'transaction' && isReadOnly(command.argv)) for (const key of keys) read.add(bytesId(key));
    if (command.within === 'transaction' && writesBack.has(name)) {
      for (const key of keys.filter((one) => read.has(bytesId(one)) && !watched.has(bytesId(one)))) {
        const once = `${command.block} ${bytesId(key)}`;
        if (!said.has(once)) findings.push(at(command, say(shown(key))));
        said.add(once);
      }
    }
    // EXEC and DISCARD always end the watch, and what was read belongs to this transaction
    if (name === 'exec' || name === 'discard') {
      read.clear();
      watched.clear();
    }
  }
  return findings;
}

function say(keys: string): Omit<Finding, 'at'> {
  return {
    message: `${keys} is read before the transaction and not watched`,
    why: 'What another client writes between the read and EXEC is overwritten, and nobody is told.',
    fix: 'WATCH the key before the read (redops tx with let does), or compute on the server: INCRBY, or a script.',
  };
}
