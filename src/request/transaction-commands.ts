/**
 * The commands that a program makes during a transaction (src/transaction.ts), judged like those of a planned one before
 * anything is sent: known, well formed, fit for MULTI, and in a cluster of one slot with what is watched.
 */
import { type Bytes, printable } from '../base/bytes.ts';
import { keysOf } from '../catalog/keys.ts';
import { slotOf } from '../catalog/slots.ts';
import type { Diagnostic } from '../plan/diagnostic.ts';
import { taggedNames } from './atomicity.ts';
import { commandProblems } from './commands.ts';
import { problem } from './problem.ts';

/** What holds for the commands of one transaction. */
export interface TransactionBounds {
  readonly watch: readonly Bytes[];
  readonly maxCommands: number;
  readonly cluster: boolean;
}

/** The first thing that is wrong with them; undefined when they may be sent. */
export function transactionProblem(
  commands: readonly (readonly Bytes[])[],
  { watch, maxCommands, cluster }: TransactionBounds,
): Diagnostic | undefined {
  if (commands.length === 0)
    return problem('REQ001', 'commands', 'there are none', 'Return undefined where nothing is to be sent.');
  if (commands.length > maxCommands) {
    const message = `${commands.length} commands, and ${maxCommands} is the most of one transaction`;
    const why = 'All other clients wait while EXEC runs, and the replies are held in memory until it ends.';
    return problem('REQ001', 'commands', message, 'Split the work, or raise maxCommands.', why);
  }
  for (const [index, argv] of commands.entries()) {
    const at = `commands[${index}]`;
    if (argv.length === 0) return problem('CMD001', at, 'the command is empty', 'Give its name and its arguments.');
    const [wrong] = commandProblems({ argv, at, line: false });
    if (wrong) return wrong;
  }
  return cluster ? scattered(commands, watch) : undefined;
}

/** Why the keys to watch cannot be watched together; undefined when they can. */
export function watchProblem(
  watch: readonly Bytes[],
  { maxKeys, cluster }: { readonly maxKeys: number; readonly cluster: boolean },
): Diagnostic | undefined {
  if (watch.length > maxKeys) {
    const message = `${watch.length} keys would be watched, and ${maxKeys} is the most`;
    return problem('REQ001', 'keys', message, 'Watch fewer keys, or raise maxKeys.');
  }
  return cluster ? scattered([], watch) : undefined;
}

function scattered(commands: readonly (readonly Bytes[])[], watch: readonly Bytes[]): Diagnostic | undefined {
  const bySlot = new Map<number, Bytes>();
  for (const key of watch) bySlot.set(slotOf(key), bySlot.get(slotOf(key)) ?? key);
  for (const [index, argv] of commands.entries()) {
    for (const use of keysOf(argv) ?? [undefined]) {
      if (use?.key === undefined) {
        const message = 'its keys are not known, so neither is their slot';
        return problem('CMD002', `commands[${index}]`, message, 'Use a command that names its keys.', slotWhy);
      }
      bySlot.set(slotOf(use.key), bySlot.get(slotOf(use.key)) ?? use.key);
    }
  }
  if (bySlot.size < 2) return undefined;
  const keys = [...bySlot.values()].slice(0, 3);
  const places = keys.map((key) => `${printable(key)} (slot ${slotOf(key)})`).join(', ');
  const names = taggedNames(keys).map((name) => printable(name));
  const fix = `Name the keys with one hash tag, such as ${names.join(' and ')}, or split the transaction.`;
  return { ...problem('ATM001', 'keys', `the keys lie in different slots: ${places}`, fix, slotWhy), error: 'E204' };
}

const slotWhy = 'A cluster runs a transaction on one node, and only for keys of one slot (CROSSSLOT otherwise).';
