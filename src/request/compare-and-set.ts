/**
 * A transaction that only compares one value and then sets or deletes its key is one command where the server has it: SET
 * with IFEQ, DELIFEQ, DELEX. It compares bytes, so it stands for the request only where comparing the value means the same.
 */
import { type Bytes, sameBytes } from '../base/bytes.ts';
import { commandName, wordOf } from '../catalog/lookup.ts';
import { parseExpression } from '../formats/expr.ts';
import { canonicalInteger } from '../formats/expr-evaluate.ts';
import type { CommandStep, TransactionStep } from '../plan/step.ts';
import type { NativeCommand, Target } from '../plan/target.ts';
import { literal } from '../plan/values.ts';

/** The one command that does what the step does, by what the server has; undefined where there is none. SET is asked for the old value too, so that the condition is judged by the same expression as elsewhere. */
export function nativeCommand(step: TransactionStep, target: Target | undefined): CommandStep | undefined {
  const has = (command: NativeCommand): boolean => target?.native?.includes(command) ?? false;
  const compared = comparedBytes(step);
  const words = step.steps[0]?.argv.map(literal) ?? [];
  if (compared === undefined || words.includes(undefined)) return undefined;
  const argv = words as readonly Bytes[];
  const name = commandName(argv);
  if (name === 'set' && isPlainSet(argv))
    return has('set_ifeq') ? command([...argv, 'IFEQ', compared, 'GET']) : undefined;
  if (name !== 'del' || argv.length !== 2) return undefined;
  if (has('delifeq')) return command(['DELIFEQ', argv[1]!, compared]);
  return has('delex') ? command(['DELEX', argv[1]!, 'IFEQ', compared]) : undefined;
}

function command(argv: Bytes[]): CommandStep {
  return { kind: 'command', argv };
}

/** The bytes that the value must be, where the step does nothing but compare one GET of the key that its one command writes. */
function comparedBytes({ watch, reads, guard, steps, marker, wait }: TransactionStep): Bytes | undefined {
  const [read] = reads;
  if (!read || reads.length > 1 || !guard || steps.length !== 1 || marker || wait) return undefined;
  const [get, key, ...more] = read.command.argv.map(literal);
  if (commandName([get]) !== 'get' || key === undefined || more.length > 0) return undefined;
  const target = literal(steps[0]!.argv[1] ?? '');
  if (target === undefined || !sameBytes(target, key) || watch.some((one) => !sameBytes(one, key))) return undefined;
  return literalOf(guard.expr, read.name);
}

/** An integer equals exactly the values that are its canonical text; text equals exactly the values that are it, unless it reads as an integer. */
function literalOf(source: string, name: string): Bytes | undefined {
  const parsed = parseExpression(source);
  if ('problem' in parsed) return undefined;
  const { tree } = parsed.expression;
  if (tree.kind !== 'binary' || tree.operator !== '==') return undefined;
  const sides = [tree.left, tree.right];
  if (!sides.some((side) => side.kind === 'name' && side.name === name)) return undefined;
  const value = sides.find((side) => side.kind === 'literal')?.value;
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'string' && canonicalInteger(value) === undefined ? value : undefined;
}

/** No condition and no answer of its own; a TTL may be set or kept. */
function isPlainSet(argv: readonly Bytes[]): boolean {
  const [option, value, ...more] = argv.slice(3);
  if (option === undefined) return true;
  const word = wordOf(option);
  if (word === 'keepttl') return value === undefined;
  return ['ex', 'px', 'exat', 'pxat'].includes(word) && value !== undefined && more.length === 0;
}
