/**
 * Walks a script's statements in order, keeping for every local what it may hold. An assignment in a branch, a loop or a
 * function joins what was there; a loop's body is walked a first time for its assignments alone, so that its second walk
 * knows what an earlier turn may have left behind.
 */
import type { Expression, FunctionDeclaration, IfStatement, Statement } from 'luaparse';
import { assertNever } from '../base/assert.ts';
import { condition, evaluate, evaluateAll } from './lua-evaluate.ts';
import type { LuaFacts, LuaLoop } from './lua-facts.ts';
import { leaves, recordIgnored, recordLosses, recordUnreachable } from './lua-outcome.ts';
import { assignLocal, declare, handOut, inBranch, inScope, record, startWalk, type Walk } from './lua-scope.ts';
import type { LuaSyntax } from './lua-syntax.ts';
import { derived, elementOf, type LuaValue, nil, plain, replyOf, tableOf, unknown } from './lua-value.ts';

/** The facts of a parsed script. */
export function walkScript(syntax: LuaSyntax): LuaFacts {
  const walk = startWalk(syntax, walkFunction);
  walkBlock(walk, syntax.chunk.body);
  return walk.found;
}

/** Walks a function's body with its parameters; (keys, args) of a library's function are its KEYS and ARGV. */
function walkFunction(walk: Walk, node: FunctionDeclaration, registered: boolean): void {
  const name = node.identifier?.type === 'Identifier' ? node.identifier.name : '';
  record(walk, walk.found.functions, name, node);
  const takesKeys = registered || walk.callbacks.has(name);
  const values = takesKeys ? [tableOf('KEYS'), tableOf('ARGV')] : [];
  const { answers } = walk;
  walk.answers = takesKeys;
  walk.functions += 1;
  inBranch(walk, () => {
    node.parameters.forEach((parameter, index) => {
      if (parameter.type === 'Identifier') declare(walk, parameter.name, values[index] ?? unknown);
    });
    walkBlock(walk, node.body);
  });
  walk.functions -= 1;
  walk.answers = answers;
}

function walkBlock(walk: Walk, body: readonly Statement[]): void {
  for (const statement of body) walkStatement(walk, statement);
  recordUnreachable(walk, body);
}

function walkStatement(walk: Walk, node: Statement): void {
  switch (node.type) {
    case 'LocalStatement': {
      const values = evaluateAll(walk, node.init);
      node.variables.forEach((variable, index) => {
        declare(walk, variable.name, values[index] ?? (endsOpen(node.init) ? unknown : nil));
      });
      return;
    }
    case 'AssignmentStatement': {
      const values = evaluateAll(walk, node.init);
      node.variables.forEach((variable, index) => {
        assign(walk, variable, values[index] ?? unknown);
      });
      return;
    }
    case 'CallStatement':
      recordIgnored(walk, node.expression);
      evaluate(walk, node.expression);
      return;
    case 'FunctionDeclaration':
      walkDeclaration(walk, node);
      return;
    case 'ReturnStatement':
      for (const argument of node.arguments) {
        const value = evaluate(walk, argument);
        recordLosses(walk, argument, value);
        handOut(walk, value, argument);
      }
      return;
    case 'IfStatement':
      walkIf(walk, node);
      return;
    case 'DoStatement':
      inScope(walk, () => walkBlock(walk, node.body));
      return;
    case 'WhileStatement':
    case 'RepeatStatement':
    case 'ForNumericStatement':
    case 'ForGenericStatement':
      walkLoop(walk, node);
      return;
    case 'BreakStatement':
    case 'LabelStatement':
    case 'GotoStatement':
      return;
    default:
      assertNever(node);
  }
}

/** True when the last of a list may give more values than one. */
function endsOpen(list: readonly Expression[]): boolean {
  const last = list.at(-1)?.type;
  return last === 'CallExpression' || last === 'StringCallExpression' || last === 'VarargLiteral';
}

function assign(walk: Walk, target: Expression, value: LuaValue): void {
  if (target.type === 'Identifier') {
    if (assignLocal(walk, target.name, value)) return;
    record(walk, walk.found.globals, target.name, target);
    handOut(walk, value, target);
    return;
  }
  if (target.type === 'MemberExpression') evaluate(walk, target.base);
  else if (target.type === 'IndexExpression') evaluateAll(walk, [target.base, target.index]);
  handOut(walk, value, target);
}

function walkDeclaration(walk: Walk, node: FunctionDeclaration): void {
  const { identifier } = node;
  if (identifier?.type === 'Identifier') {
    if (node.isLocal) declare(walk, identifier.name, unknown);
    else if (!assignLocal(walk, identifier.name, unknown))
      record(walk, walk.found.globals, identifier.name, identifier);
  } else if (identifier) evaluate(walk, identifier.base);
  walkFunction(walk, node, false);
}

function walkIf(walk: Walk, node: IfStatement): void {
  for (const clause of node.clauses) {
    if (clause.type !== 'ElseClause') condition(walk, clause.condition);
    inBranch(walk, () => walkBlock(walk, clause.body));
  }
}

type Loop = Extract<
  Statement,
  { type: 'WhileStatement' | 'RepeatStatement' | 'ForNumericStatement' | 'ForGenericStatement' }
>;

/** Loops nested deeper than this are walked once: the work stays linear, the values of their variables less exact. */
const foreseenLoops = 6;

function walkLoop(walk: Walk, node: Loop): void {
  const outer =
    node.type === 'ForNumericStatement' || node.type === 'ForGenericStatement' ? iteration(walk, node) : undefined;
  walk.loops += 1;
  walk.branches += 1;
  if (walk.dry === 0 && walk.loops <= foreseenLoops) {
    walk.dry += 1;
    walkTurn(walk, node, outer?.variables);
    walk.dry -= 1;
  }
  const tested = walkTurn(walk, node, outer?.variables);
  walk.branches -= 1;
  walk.loops -= 1;
  const loop = outer ? outer.loop : conditionalLoop(node, tested);
  if (loop && walk.dry === 0) walk.found.loops.push({ ...loop, ...walk.syntax.place(node) });
}

/** One turn of a loop; the value of its condition, where it has one. */
function walkTurn(walk: Walk, node: Loop, variables: ReadonlyMap<string, LuaValue> | undefined): LuaValue {
  let tested: LuaValue = unknown;
  inScope(walk, () => {
    for (const [name, value] of variables ?? []) declare(walk, name, value);
    if (node.type === 'WhileStatement') tested = condition(walk, node.condition);
    walkBlock(walk, node.body);
    if (node.type === 'RepeatStatement') tested = condition(walk, node.condition); // sees the body's locals
  });
  return tested;
}

type LoopKind = Omit<LuaLoop, 'line' | 'column'>;

function conditionalLoop(node: Loop, tested: LuaValue): LoopKind | undefined {
  const test = node.type === 'WhileStatement' || node.type === 'RepeatStatement' ? node.condition : undefined;
  if (test && isEndless(test, node.type === 'WhileStatement'))
    return leaves(node.body, true) ? undefined : { kind: 'while_true' };
  return dataBound(tested);
}

function dataBound({ taint }: LuaValue): LoopKind | undefined {
  if (taint.reply) return { kind: 'data_bound', bound: 'reply' };
  return taint.argv ? { kind: 'data_bound', bound: 'ARGV' } : undefined;
}

/** A literal condition that never ends the loop: truth for while, false or nil for until. */
function isEndless(test: Expression, isWhile: boolean): boolean {
  switch (test.type) {
    case 'BooleanLiteral':
      return test.value === isWhile;
    case 'NilLiteral':
      return !isWhile;
    case 'NumericLiteral':
    case 'StringLiteral':
      return isWhile;
    default:
      return false;
  }
}

interface Iteration {
  readonly variables: ReadonlyMap<string, LuaValue>;
  readonly loop: LoopKind | undefined;
}

function iteration(walk: Walk, node: Extract<Loop, { type: `For${string}` }>): Iteration {
  if (node.type === 'ForNumericStatement') {
    const bounds = evaluateAll(walk, node.step ? [node.start, node.end, node.step] : [node.start, node.end]);
    const fixed = bounds.every(({ shape }) => shape.kind === 'constant' || shape.kind === 'count');
    const loop: LoopKind | undefined = fixed ? undefined : (dataBound(derived(bounds)) ?? { kind: 'numeric' });
    return { variables: new Map([[node.variable.name, unknown]]), loop };
  }
  const source = iterated(walk, node.iterators);
  const values = [plain({ kind: 'unknown' }), memberOf(source)];
  const variables = new Map(node.variables.map((variable, index) => [variable.name, values[index] ?? unknown]));
  return { variables, loop: source.shape.kind === 'table' ? undefined : dataBound(derived([source])) };
}

/** What a generic for goes over: the argument of ipairs or pairs, else whatever its iterator is made of. */
function iterated(walk: Walk, iterators: readonly Expression[]): LuaValue {
  const first = iterators[0];
  if (iterators.length === 1 && first?.type === 'CallExpression' && first.arguments.length === 1) {
    walk.dry += 1; // the callee is looked at; the call itself is evaluated once, below
    const { shape } = evaluate(walk, first.base);
    walk.dry -= 1;
    if (shape.kind === 'library' && (shape.name === 'ipairs' || shape.name === 'pairs')) {
      const argument = evaluate(walk, first.arguments[0]!);
      if (argument.shape.kind === 'table' && argument.shape.name === 'KEYS') walk.found.dynamicKeys = true;
      return argument;
    }
  }
  return derived(evaluateAll(walk, iterators));
}

/** A member of a table, as a loop or an index gives it. */
function memberOf({ shape, taint }: LuaValue): LuaValue {
  if (shape.kind === 'table') return elementOf(shape.name, undefined);
  if (shape.kind === 'reply') return replyOf(undefined);
  return { shape: { kind: 'unknown' }, taint };
}
