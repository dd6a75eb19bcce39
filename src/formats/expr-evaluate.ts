/**
 * Evaluates an expression. Integers are int64 and exact: what overflows is a problem, never a wrapped or rounded value.
 * Nothing is converted in silence: text that happens to hold digits, a missing key or a wrong type is a problem that
 * names the value, since the result decides what is written. `&&`, `||` and `?:` evaluate from left to right and skip
 * what they need not know.
 */
import { assertNever } from '../base/assert.ts';
import { type BinaryOperator, type ExprFunction, type ExprTree, int64 } from './expr-tree.ts';

/** A value: an int64, text (a string; bytes where it is not UTF-8), a truth value, or null for what is not there. */
export type ExprValue = bigint | string | Uint8Array | boolean | null;

/** A value, or in one sentence why there is none. */
export type Evaluated = { readonly value: ExprValue } | { readonly problem: string };

/** Canonical int64 text to its integer, else undefined: no sign but `-`, no leading zero, no blanks. */
export function canonicalInteger(text: string): bigint | undefined {
  if (text.length > 20 || !/^(0|-?[1-9][0-9]*)$/.test(text)) return undefined;
  const value = BigInt(text);
  return value >= int64.min && value <= int64.max ? value : undefined;
}

/** Evaluates a tree over named values; never throws. */
export function evaluateTree(tree: ExprTree, values: Readonly<Record<string, ExprValue>>): Evaluated {
  switch (tree.kind) {
    case 'literal':
      return { value: tree.value };
    case 'name':
      return lookUp(tree.name, values);
    case 'negate':
      return then(evaluateTree(tree.operand, values), (operand) =>
        typeof operand === 'bigint' ? integer(-operand) : wrongType('-', 'an integer', operand, tree.operand),
      );
    case 'not':
      return then(evaluateTree(tree.operand, values), (operand) =>
        typeof operand === 'boolean' ? { value: !operand } : wrongType('!', 'true or false', operand, tree.operand),
      );
    case 'choose':
      return then(evaluateTree(tree.test, values), (test) =>
        typeof test === 'boolean'
          ? evaluateTree(test ? tree.yes : tree.no, values)
          : wrongType('?:', 'true or false', test, tree.test),
      );
    case 'call':
      return then(evaluateTree(tree.argument, values), (argument) => call(tree.function, argument, tree.argument));
    case 'binary':
      return then(evaluateTree(tree.left, values), (left) => {
        if (tree.operator === '&&' || tree.operator === '||') return logical(tree, left, values);
        return then(evaluateTree(tree.right, values), (right) => binary(tree, left, right));
      });
    default:
      return assertNever(tree);
  }
}

type Binary = Extract<ExprTree, { kind: 'binary' }>;

function then(evaluated: Evaluated, next: (value: ExprValue) => Evaluated): Evaluated {
  return 'problem' in evaluated ? evaluated : next(evaluated.value);
}

function lookUp(name: string, values: Readonly<Record<string, ExprValue>>): Evaluated {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  return value === undefined ? { problem: `${name} is not known here; declare it in "let"` } : { value };
}

function logical(tree: Binary, left: ExprValue, values: Readonly<Record<string, ExprValue>>): Evaluated {
  if (typeof left !== 'boolean') return wrongType(tree.operator, 'true or false', left, tree.left);
  if (left === (tree.operator === '||')) return { value: left };
  return then(evaluateTree(tree.right, values), (right) =>
    typeof right === 'boolean' ? { value: right } : wrongType(tree.operator, 'true or false', right, tree.right),
  );
}

function binary(tree: Binary, left: ExprValue, right: ExprValue): Evaluated {
  const { operator } = tree;
  if (operator === '==' || operator === '!=') {
    const equal = equals(left, right);
    if (equal === undefined) return mixed(tree, left, right);
    return { value: equal === (operator === '==') };
  }
  if (left === null) return wrongType(operator, 'a value', left, tree.left);
  if (right === null) return wrongType(operator, 'a value', right, tree.right);
  if (typeof left === 'bigint' && typeof right === 'bigint') return compute(operator, left, right);
  if (isText(left) && isText(right)) return combine(tree, left, right);
  return mixed(tree, left, right);
}

/** undefined when the two types cannot be compared; null equals null only. */
function equals(left: ExprValue, right: ExprValue): boolean | undefined {
  if (left === null || right === null) return left === right;
  if (isText(left) && isText(right)) return Buffer.compare(bytesOf(left), bytesOf(right)) === 0;
  return typeof left === typeof right ? left === right : undefined;
}

function compute(operator: BinaryOperator, left: bigint, right: bigint): Evaluated {
  switch (operator) {
    case '+':
      return integer(left + right);
    case '-':
      return integer(left - right);
    case '*':
      return integer(left * right);
    case '/':
      return right === 0n ? { problem: 'division by zero' } : integer(left / right);
    case '%':
      return right === 0n ? { problem: 'division by zero' } : integer(left % right);
    default:
      return { value: ordered(operator, left < right ? -1 : left > right ? 1 : 0) };
  }
}

/** Text joins and compares by its bytes, which for UTF-8 is the order of its characters. */
function combine(tree: Binary, left: string | Uint8Array, right: string | Uint8Array): Evaluated {
  switch (tree.operator) {
    case '+':
      if (typeof left === 'string' && typeof right === 'string') return { value: left + right };
      return { value: Buffer.concat([bytesOf(left), bytesOf(right)]) };
    case '<':
    case '<=':
    case '>':
    case '>=':
      return { value: ordered(tree.operator, Buffer.compare(bytesOf(left), bytesOf(right))) };
    default:
      return wrongType(tree.operator, 'integers', left, tree.left);
  }
}

function ordered(operator: BinaryOperator, order: number): boolean {
  if (operator === '<') return order < 0;
  if (operator === '<=') return order <= 0;
  return operator === '>' ? order > 0 : order >= 0;
}

function call(name: ExprFunction, argument: ExprValue, tree: ExprTree): Evaluated {
  switch (name) {
    case 'int':
      return toInteger(argument, tree);
    case 'string':
      return toText(argument, tree);
    case 'size':
      if (typeof argument === 'string') return { value: BigInt([...argument].length) };
      if (argument instanceof Uint8Array) return { value: BigInt(argument.length) };
      return wrongType('size()', 'text', argument, tree);
    default:
      return assertNever(name);
  }
}

function toInteger(argument: ExprValue, tree: ExprTree): Evaluated {
  if (typeof argument === 'bigint') return { value: argument };
  if (typeof argument !== 'string') return wrongType('int()', 'an integer or its text', argument, tree);
  const value = canonicalInteger(argument);
  return value === undefined
    ? { problem: `int(): ${nameOf(tree)} is not the text of an integer within int64` }
    : { value };
}

function toText(argument: ExprValue, tree: ExprTree): Evaluated {
  if (typeof argument === 'string') return { value: argument };
  if (typeof argument === 'bigint' || typeof argument === 'boolean') return { value: String(argument) };
  if (argument === null) return wrongType('string()', 'a value', argument, tree);
  try {
    return { value: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(argument) };
  } catch {
    return { problem: `string(): ${nameOf(tree)} is bytes that are not UTF-8` };
  }
}

function integer(value: bigint): Evaluated {
  if (value >= int64.min && value <= int64.max) return { value };
  return { problem: 'integer overflow: the result is outside the range of int64' };
}

function wrongType(operator: string, needs: string, value: ExprValue, tree: ExprTree): Evaluated {
  if (value === null) {
    const missing = `${operator}: ${nameOf(tree)} is null`;
    if (tree.kind !== 'name') return { problem: `${missing}, ${needs} is needed` };
    return { problem: `${missing}: its key or field is likely missing; test ${tree.name} == null first` };
  }
  return { problem: `${operator} needs ${needs}, but ${nameOf(tree)} is ${typeName(value)}` };
}

function mixed(tree: Binary, left: ExprValue, right: ExprValue): Evaluated {
  const types = `${nameOf(tree.left)} is ${typeName(left)} and ${nameOf(tree.right)} is ${typeName(right)}`;
  if (typeof left === 'boolean' || typeof right === 'boolean') return { problem: `${tree.operator}: ${types}` };
  return { problem: `${tree.operator}: ${types}; use string() to make both text, or int() to make both integers` };
}

function nameOf(tree: ExprTree): string {
  return tree.kind === 'name' ? tree.name : 'a value';
}

function typeName(value: ExprValue): string {
  if (value === null) return 'null';
  if (typeof value === 'bigint') return 'an integer';
  return typeof value === 'boolean' ? 'true or false' : 'text';
}

function isText(value: ExprValue): value is string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array;
}

function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
}
