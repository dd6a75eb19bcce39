/**
 * What becomes of a script's work: what it returns and the caller does not get (a reply is an integer, a string, a
 * status or an array, never a fraction or a named field), errors that nobody looks at, and statements that cannot run.
 */
import type { Expression, Statement } from 'luaparse';
import { evaluate } from './lua-evaluate.ts';
import type { LuaLoss } from './lua-facts.ts';
import { lookUp, record, type Walk } from './lua-scope.ts';
import { argumentsOf } from './lua-syntax.ts';
import type { LuaValue } from './lua-value.ts';

/** Names of a table that mean something in a reply: status and error, and the types of RESP3. */
const replyFields: ReadonlySet<string> = new Set(
  'ok err map set double big_number verbatim_string format ignore_error_stats_update source line'.split(' '),
);

/** Records what of a returned expression is lost on the way; nothing for what a function returns to the script itself. */
export function recordLosses(walk: Walk, node: Expression, value: LuaValue): void {
  if (walk.dry > 0 || !walk.answers) return;
  const lose = (kind: LuaLoss['kind'], at: Expression): void => {
    walk.found.losses.push({ kind, text: walk.syntax.text(at), ...walk.syntax.place(at) });
  };
  if (value.shape.kind === 'fraction' || isDecimal(node)) lose('fraction', node);
  if (node.type !== 'TableConstructorExpression') return;
  const names = node.fields.flatMap((field) => (field.type === 'TableKeyString' ? [field.key.name] : []));
  const members = node.fields.filter((field) => field.type === 'TableValue');
  if (names.length > 0 && !names.some((name) => replyFields.has(name))) lose('field', node);
  const hole = members.findIndex((field) => field.value.type === 'NilLiteral');
  if (hole >= 0 && hole < members.length - 1) lose('hole', members[hole]!.value);
  for (const { value: member } of members) {
    walk.dry += 1; // the member was evaluated with its table
    const is = evaluate(walk, member);
    walk.dry -= 1;
    if (is.shape.kind === 'fraction' || isDecimal(member)) lose('fraction', member);
  }
}

/** Records a protected call that stands as a statement: its error goes nowhere. */
export function recordIgnored(walk: Walk, node: Expression): void {
  if (node.type !== 'CallExpression' || (node.base.type !== 'MemberExpression' && node.base.type !== 'Identifier'))
    return;
  walk.dry += 1;
  const { shape } = evaluate(walk, node.base);
  const first = argumentsOf(node)[0];
  const callee = first?.type === 'MemberExpression' ? evaluate(walk, first).shape : undefined;
  walk.dry -= 1;
  const direct = shape.kind === 'call' && shape.protected;
  const wrapped = shape.kind === 'library' && shape.name === 'pcall' && callee?.kind === 'call';
  if (direct || wrapped) record(walk, walk.found.ignored, direct ? 'redis.pcall' : 'pcall', node);
}

/** Records the first statement of a block behind one that never ends normally. */
export function recordUnreachable(walk: Walk, body: readonly Statement[]): void {
  const last = body.findIndex((node) => stops(walk, node));
  const next = body[last + 1];
  if (last < 0 || next === undefined) return;
  record(walk, walk.found.unreachable, `line ${walk.syntax.place(body[last]!).line}`, next);
}

/** True when the statement surely does not let the next one run. */
function stops(walk: Walk, node: Statement): boolean {
  switch (node.type) {
    case 'ReturnStatement':
    case 'BreakStatement':
      return true;
    case 'CallStatement':
      return isError(walk, node.expression);
    case 'DoStatement':
      return node.body.some((inner) => stops(walk, inner));
    case 'IfStatement':
      return (
        node.clauses.some((clause) => clause.type === 'ElseClause') &&
        node.clauses.every((clause) => clause.body.some((inner) => stops(walk, inner)))
      );
    case 'WhileStatement':
      return node.condition.type === 'BooleanLiteral' && node.condition.value && !breaks(node.body);
    default:
      return false;
  }
}

function isError(walk: Walk, node: Expression): boolean {
  const called = node.type === 'CallExpression' || node.type === 'StringCallExpression';
  if (!called || node.base.type !== 'Identifier' || node.base.name !== 'error') return false;
  walk.dry += 1;
  const { shape } = lookUp(walk, 'error', node.base);
  walk.dry -= 1;
  return shape.kind === 'library' && shape.name === 'error';
}

function breaks(body: readonly Statement[]): boolean {
  return body.some((node) => {
    if (node.type === 'BreakStatement') return true;
    if (node.type === 'IfStatement') return node.clauses.some((clause) => breaks(clause.body));
    return node.type === 'DoStatement' && breaks(node.body);
  });
}

function isDecimal(node: Expression): boolean {
  return node.type === 'NumericLiteral' && node.value % 1 !== 0;
}

/** True when some statement leaves the loop: break (of this loop), return, or error(). */
export function leaves(body: readonly Statement[], breakable: boolean): boolean {
  return body.some((node) => {
    switch (node.type) {
      case 'BreakStatement':
        return breakable;
      case 'ReturnStatement':
        return true;
      case 'CallStatement':
        return (
          'base' in node.expression &&
          node.expression.base.type === 'Identifier' &&
          node.expression.base.name === 'error'
        );
      case 'IfStatement':
        return node.clauses.some((clause) => leaves(clause.body, breakable));
      case 'DoStatement':
        return leaves(node.body, breakable);
      case 'WhileStatement':
      case 'RepeatStatement':
      case 'ForNumericStatement':
      case 'ForGenericStatement':
        return leaves(node.body, false);
      default:
        return false;
    }
  });
}
