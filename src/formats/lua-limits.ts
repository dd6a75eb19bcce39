/**
 * What Lua 5.1 refuses to compile though its grammar allows it: more than 200 local variables at a place of a function,
 * more than 60 variables that a function takes from outside, more values at once than its 250 registers hold (the limits
 * of luaconf.h and lparser.c, tried on Redis 7.0). Registers of half-evaluated expressions are not counted, nor are the
 * 200 levels of nesting: what is just below one of these limits may still be refused.
 */
import type { Chunk, Expression, FunctionDeclaration, Node, Statement } from 'luaparse';

const MOST_LOCALS = 200;
const MOST_UPVALUES = 60;
const REGISTERS = 250;

/** The first place that is over a limit, with the server's reason. */
export interface OverLimit {
  readonly message: string;
  readonly node: Node;
}

/** The first limit that the chunk breaks; undefined where it breaks none of those that are looked at. */
export function overLimit(chunk: Chunk): OverLimit | undefined {
  try {
    block(newFrame(undefined), chunk.body);
    return undefined;
  } catch (found) {
    if (found instanceof Found) return found.over;
    throw found;
  }
}

/** Ends the walk at the first finding. */
class Found extends Error {
  readonly over: OverLimit;

  constructor(message: string, node: Node) {
    super(message);
    this.over = { message, node };
  }
}

/** A function on the way: its variables by name, innermost last, and what it takes from outside. */
interface Frame {
  readonly outer: Frame | undefined;
  readonly locals: string[];
  readonly upvalues: Set<string>;
}

function newFrame(outer: Frame | undefined): Frame {
  return { outer, locals: [], upvalues: new Set() };
}

function declare(frame: Frame, name: string, node: Node): void {
  frame.locals.push(name);
  if (frame.locals.length > MOST_LOCALS)
    throw new Found(`a function has more than ${MOST_LOCALS} local variables`, node);
}

/** Each function between the use and the variable takes it from outside. A name is one variable: shadowing is not followed. */
function use(frame: Frame, name: string, node: Node): void {
  const owner = ownerOf(frame, name);
  if (owner === undefined) return;
  for (let at = frame; at !== owner && at.outer; at = at.outer) {
    at.upvalues.add(name);
    if (at.upvalues.size > MOST_UPVALUES) throw new Found(`a function has more than ${MOST_UPVALUES} upvalues`, node);
  }
}

function ownerOf(frame: Frame, name: string): Frame | undefined {
  for (let at: Frame | undefined = frame; at; at = at.outer) if (at.locals.includes(name)) return at;
  return undefined;
}

/** Its variables end with it. */
function block(frame: Frame, body: readonly Statement[], last?: Expression): void {
  const { length } = frame.locals;
  for (const one of body) statement(frame, one);
  if (last) expression(frame, last);
  frame.locals.length = length;
}

function statement(frame: Frame, node: Statement): void {
  switch (node.type) {
    case 'LocalStatement':
      all(frame, node.init);
      for (const variable of node.variables) declare(frame, variable.name, variable);
      return;
    case 'AssignmentStatement':
      all(frame, node.variables);
      all(frame, node.init);
      return;
    case 'CallStatement':
      expression(frame, node.expression);
      return;
    case 'DoStatement':
      block(frame, node.body);
      return;
    case 'WhileStatement':
      expression(frame, node.condition);
      block(frame, node.body);
      return;
    case 'RepeatStatement':
      block(frame, node.body, node.condition);
      return;
    case 'IfStatement':
      for (const clause of node.clauses) {
        if (clause.type !== 'ElseClause') expression(frame, clause.condition);
        block(frame, clause.body);
      }
      return;
    case 'ForNumericStatement':
      all(frame, [node.start, node.end, ...(node.step ? [node.step] : [])]);
      loop(frame, [node.variable], node);
      return;
    case 'ForGenericStatement':
      all(frame, node.iterators);
      loop(frame, node.variables, node);
      return;
    case 'ReturnStatement':
      atOnce(frame, node.arguments.length, node);
      all(frame, node.arguments);
      return;
    case 'FunctionDeclaration':
      if (node.isLocal && node.identifier?.type === 'Identifier') declare(frame, node.identifier.name, node);
      else if (node.identifier) expression(frame, node.identifier);
      body(frame, node);
      return;
    default:
      return;
  }
}

/** Three variables without names come before those of the loop. */
function loop(frame: Frame, variables: readonly { readonly name: string }[], node: Node & { body: Statement[] }): void {
  const { length } = frame.locals;
  for (const name of ['(for)', '(for)', '(for)', ...variables.map((variable) => variable.name)])
    declare(frame, name, node);
  block(frame, node.body);
  frame.locals.length = length;
}

function body(outer: Frame, node: FunctionDeclaration): void {
  const frame = newFrame(outer);
  const { identifier } = node;
  if (identifier?.type === 'MemberExpression' && identifier.indexer === ':') declare(frame, 'self', node);
  // what stands for the dots is a variable, too: arg, as in Lua 5.0
  for (const parameter of node.parameters)
    declare(frame, parameter.type === 'Identifier' ? parameter.name : 'arg', node);
  block(frame, node.body);
}

function all(frame: Frame, expressions: readonly Expression[]): void {
  for (const one of expressions) expression(frame, one);
}

function expression(frame: Frame, node: Expression): void {
  switch (node.type) {
    case 'Identifier':
      return use(frame, node.name, node);
    case 'FunctionDeclaration':
      return body(frame, node);
    case 'CallExpression':
      atOnce(frame, node.arguments.length + 1, node);
      return all(frame, [node.base, ...node.arguments]);
    case 'StringCallExpression':
      return all(frame, [node.base, node.argument]);
    case 'TableCallExpression':
      return all(frame, [node.base, node.arguments]);
    case 'MemberExpression':
      return expression(frame, node.base);
    case 'IndexExpression':
      return all(frame, [node.base, node.index]);
    case 'BinaryExpression':
    case 'LogicalExpression':
      return all(frame, [node.left, node.right]);
    case 'UnaryExpression':
      return expression(frame, node.argument);
    case 'TableConstructorExpression':
      for (const field of node.fields) all(frame, field.type === 'TableKey' ? [field.key, field.value] : [field.value]);
      return;
    default:
      return;
  }
}

function atOnce(frame: Frame, values: number, node: Node): void {
  if (frame.locals.length + values >= REGISTERS) throw new Found('a function or expression is too complex', node);
}
