/**
 * The syntax tree of an expression: the part of CEL that redops evaluates, and nothing else. A CEL parser reads the
 * text; this file copies what is allowed into plain data and names the place of whatever is not. Being plain data, one
 * tree serves the evaluator and whoever writes the expression in another language.
 */
import { type ASTNode, Environment } from '@marcbachmann/cel-js';

/** Operators over two values, all left to right. */
export type BinaryOperator = '+' | '-' | '*' | '/' | '%' | '==' | '!=' | '<' | '<=' | '>' | '>=' | '&&' | '||';

/** The functions of an expression; each takes one argument. */
export type ExprFunction = 'int' | 'string' | 'size';

/** A literal of an expression; integers are within int64. */
export type ExprLiteral = bigint | string | Uint8Array | boolean | null;

/** One node; `offset` is the 0-based place of its first character in the source. */
export type ExprTree =
  | { readonly kind: 'literal'; readonly offset: number; readonly value: ExprLiteral }
  | { readonly kind: 'name'; readonly offset: number; readonly name: string }
  | { readonly kind: 'negate' | 'not'; readonly offset: number; readonly operand: ExprTree }
  | {
      readonly kind: 'binary';
      readonly offset: number;
      readonly operator: BinaryOperator;
      readonly left: ExprTree;
      readonly right: ExprTree;
    }
  | {
      readonly kind: 'choose';
      readonly offset: number;
      readonly test: ExprTree;
      readonly yes: ExprTree;
      readonly no: ExprTree;
    }
  | { readonly kind: 'call'; readonly offset: number; readonly function: ExprFunction; readonly argument: ExprTree };

/** What is wrong with an expression's text, and where: a 0-based offset in UTF-16 units. */
export interface ExprProblem {
  readonly message: string;
  readonly offset: number;
}

/** The longest expression, in UTF-16 units. */
export const maxExpressionLength = 4096;

/** The smallest and largest int64, the range of an expression's integers. */
export const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n } as const;

/** Parses the allowed part of CEL; never throws. At most 2,000 nodes, nested at most 64 deep by brackets and `?:`. */
export function parseTree(source: string): { readonly tree: ExprTree } | { readonly problem: ExprProblem } {
  if (source.length > maxExpressionLength) {
    return refuse(`the expression is longer than ${maxExpressionLength} characters`, maxExpressionLength);
  }
  let ast: ASTNode;
  try {
    ast = language.parse(source).ast;
  } catch (error) {
    return { problem: syntaxProblem(error, source) };
  }
  return admit(ast);
}

const language = new Environment({ unlistedVariablesAreDyn: true, limits: { maxAstNodes: 2000, maxDepth: 64 } });

const functions: ReadonlySet<string> = new Set<ExprFunction>(['int', 'string', 'size']);

type Admitted = { readonly tree: ExprTree } | { readonly problem: ExprProblem };

function admit(node: ASTNode): Admitted {
  const offset = node.start;
  switch (node.op) {
    case 'value':
      return admitLiteral(node.args, offset);
    case 'id':
      return { tree: { kind: 'name', offset, name: node.args } };
    case '-_':
      return admitNegation(node.args, offset);
    case '!_':
      return admitting([node.args], ([operand]) => ({ kind: 'not', offset, operand: operand! }));
    case '?:':
      return admitting(node.args, ([test, yes, no]) => ({
        kind: 'choose',
        offset,
        test: test!,
        yes: yes!,
        no: no!,
      }));
    case 'call':
      return admitCall(node.args[0], node.args[1], offset);
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case '&&':
    case '||': {
      const operator = node.op;
      return admitting(node.args, ([left, right]) => ({
        kind: 'binary',
        offset,
        operator,
        left: left!,
        right: right!,
      }));
    }
    case 'rcall':
      return refuse(`a method call, .${node.args[0]}(), is not allowed; write ${allowed}`, offset);
    case '.':
    case '.?':
      return refuse(`member access, .${node.args[1]}, is not allowed; values are integers and text`, offset);
    case '[]':
    case '[?]':
      return refuse('an index is not allowed; values are integers and text', offset);
    case 'list':
      return refuse('a list is not allowed; values are integers and text', offset);
    case 'map':
      return refuse('a map is not allowed; values are integers and text', offset);
    case 'in':
      return refuse('"in" is not allowed; write the comparisons with ||', offset);
    default:
      return refuse('this is not allowed in an expression', offset);
  }
}

const allowed = 'int(), string() or size()';

function admitLiteral(value: unknown, offset: number): Admitted {
  switch (typeof value) {
    case 'bigint':
      if (value > int64.max) return refuse('the integer is outside the range of int64', offset);
      return { tree: { kind: 'literal', offset, value } };
    case 'number':
      return refuse('a number with a fraction is not allowed; expressions compute with integers', offset);
    case 'string':
    case 'boolean':
      return { tree: { kind: 'literal', offset, value } };
    default:
      if (value === null || value instanceof Uint8Array) return { tree: { kind: 'literal', offset, value } };
      return refuse('an unsigned integer is not allowed; leave out the u', offset);
  }
}

/** The smallest int64 is only writable as a negated literal, whose digits alone are out of range. */
function admitNegation(operand: ASTNode, offset: number): Admitted {
  if (operand.op === 'value' && typeof operand.args === 'bigint' && operand.args === -int64.min) {
    return { tree: { kind: 'literal', offset, value: int64.min } };
  }
  return admitting([operand], ([inner]) => ({ kind: 'negate', offset, operand: inner! }));
}

function admitCall(name: string, args: readonly ASTNode[], offset: number): Admitted {
  if (!isFunction(name)) return refuse(`the function ${name}() is not allowed; there are ${allowed}`, offset);
  if (args.length !== 1) return refuse(`${name}() takes exactly one argument`, offset);
  return admitting(args, ([argument]) => ({ kind: 'call', offset, function: name, argument: argument! }));
}

function isFunction(name: string): name is ExprFunction {
  return functions.has(name);
}

/** Admits the parts in order and builds the whole, or hands on the first problem. */
function admitting(parts: readonly ASTNode[], build: (parts: readonly ExprTree[]) => ExprTree): Admitted {
  const trees: ExprTree[] = [];
  for (const part of parts) {
    const admitted = admit(part);
    if ('problem' in admitted) return admitted;
    trees.push(admitted.tree);
  }
  return { tree: build(trees) };
}

function refuse(message: string, offset: number): { readonly problem: ExprProblem } {
  return { problem: { message, offset } };
}

/** The parser's refusal in our words; its errors carry a one-line summary and a range. */
function syntaxProblem(error: unknown, source: string): ExprProblem {
  const fields = typeof error === 'object' && error !== null ? error : {};
  const summary =
    'summary' in fields && typeof fields.summary === 'string' ? fields.summary : 'the text is no expression';
  const range = 'range' in fields && typeof fields.range === 'object' ? fields.range : undefined;
  const start = range && 'start' in range && typeof range.start === 'number' ? range.start : 0;
  const offset = Math.max(0, Math.min(start, source.length));
  if (/^Exceeded max/.test(summary)) return { message: 'the expression is nested too deeply or too long', offset };
  if (/EOF/.test(summary)) return { message: 'the expression ends too early', offset };
  return { message: `syntax error: ${summary}`, offset };
}
