/**
 * Expressions of requests (`when`, `{{ ... }}`): a small part of CEL over named values, parsed once, evaluated purely.
 * Plain strings and stored values are never parsed as expressions; only what the request marks as one comes here.
 */
import { type Bytes, fromBuffer } from '../base/bytes.ts';
import { canonicalInteger, type Evaluated, type ExprValue, evaluateTree } from './expr-evaluate.ts';
import { type ExprProblem, type ExprTree, int64, parseTree } from './expr-tree.ts';

export type { Evaluated, ExprValue } from './expr-evaluate.ts';

/** A parsed expression. */
export interface Expression {
  readonly source: string;
  /** The names it reads, each once, in order of their first use. */
  readonly names: readonly string[];
  /** Its syntax, as plain data. */
  readonly tree: ExprTree;
  /** Its value over named values, or why there is none; never throws. */
  evaluate(values: Readonly<Record<string, ExprValue>>): Evaluated;
}

/** Parses an expression, or says what is wrong and at which 0-based offset; never throws. */
export function parseExpression(
  source: string,
): { readonly expression: Expression } | { readonly problem: ExprProblem } {
  const parsed = parseTree(source);
  if ('problem' in parsed) return parsed;
  const { tree } = parsed;
  const names = [...new Set(namesOf(tree))];
  return { expression: { source, names, tree, evaluate: (values) => evaluateTree(tree, values) } };
}

/**
 * A reply as a value: an integer, or a bulk string that is canonical int64 text, is an integer; any other bulk string is
 * text; nil is null. A number that is no integer (a RESP3 double) and an integer beyond int64 become their text.
 */
export function toExprValue(reply: string | Uint8Array | number | bigint | null): ExprValue {
  if (reply === null) return null;
  if (typeof reply === 'bigint') return reply >= int64.min && reply <= int64.max ? reply : String(reply);
  if (typeof reply === 'number') return Number.isSafeInteger(reply) ? BigInt(reply) : String(reply);
  const text = typeof reply === 'string' ? reply : fromBuffer(reply);
  if (typeof text !== 'string') return Buffer.from(text.base64, 'base64');
  return canonicalInteger(text) ?? text;
}

/** A value as a command's argument: integers in decimal; undefined for true, false and null, which Redis has no form of. */
export function fromExprValue(value: ExprValue): Bytes | undefined {
  if (value === null || typeof value === 'boolean') return undefined;
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'string' ? value : fromBuffer(value);
}

function namesOf(tree: ExprTree): string[] {
  switch (tree.kind) {
    case 'literal':
      return [];
    case 'name':
      return [tree.name];
    case 'negate':
    case 'not':
      return namesOf(tree.operand);
    case 'binary':
      return [...namesOf(tree.left), ...namesOf(tree.right)];
    case 'choose':
      return [...namesOf(tree.test), ...namesOf(tree.yes), ...namesOf(tree.no)];
    case 'call':
      return namesOf(tree.argument);
  }
}
