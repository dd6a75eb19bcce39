/**
 * What is known of a Lua expression: constants, members of KEYS and ARGV, replies, text put together of them. Calls of
 * commands are recorded on the way, under whatever name or alias the script calls them.
 */
import type { BinaryExpression, Expression, LogicalExpression, TableConstructorExpression } from 'luaparse';
import { globalValue, handOut, lookUp, record, recordAtLoad, recordCall, type Walk } from './lua-scope.ts';
import { argumentsOf, utf8Of } from './lua-syntax.ts';
import {
  argumentOf,
  built,
  converted,
  derived,
  elementOf,
  fraction,
  join,
  type LuaValue,
  nil,
  plain,
  replyOf,
  unknown,
} from './lua-value.ts';

/** Commands whose reply is an integer where 0 means no or none; in Lua 0 is true. */
const integerReplies: ReadonlySet<string> = new Set(
  (
    'exists sismember hexists setnx hsetnx expire pexpire expireat pexpireat persist sadd srem hdel del unlink zadd ' +
    'zrem renamenx msetnx copy move llen scard hlen zcard strlen touch hset smove xlen xdel'
  ).split(' '),
);

/** The values of a list of expressions; the last may give more than one. */
export function evaluateAll(walk: Walk, list: readonly Expression[]): LuaValue[] {
  return list.flatMap((expression, index) => {
    const values = evaluateMany(walk, expression);
    return index === list.length - 1 ? values : values.slice(0, 1);
  });
}

/** The value of an expression. */
export function evaluate(walk: Walk, node: Expression): LuaValue {
  return evaluateMany(walk, node)[0] ?? unknown;
}

/** The value of an expression that is tested for truth; a bare integer reply in it is a test that 0 passes. */
export function condition(walk: Walk, node: Expression): LuaValue {
  if (node.type === 'UnaryExpression' && node.operator === 'not') return derived([condition(walk, node.argument)]);
  if (node.type === 'LogicalExpression') {
    walk.joined += 1;
    const values = [condition(walk, node.left), condition(walk, node.right)];
    walk.joined -= 1;
    return derived(values);
  }
  const value = evaluate(walk, node);
  const command = value.shape.kind === 'reply' ? value.shape.command : undefined;
  if (command !== undefined && integerReplies.has(command) && walk.dry === 0) {
    walk.found.zeroTests.push({ command, ...walk.syntax.place(node) });
  }
  return value;
}

function evaluateMany(walk: Walk, node: Expression): LuaValue[] {
  switch (node.type) {
    case 'CallExpression':
    case 'StringCallExpression':
    case 'TableCallExpression':
      return evaluateCall(walk, node);
    case 'FunctionDeclaration':
      walk.enter(walk, node, false);
      return [unknown];
    case 'Identifier':
      return [lookUp(walk, node.name, node)];
    case 'StringLiteral':
      return [plain({ kind: 'constant', value: node.value })];
    case 'NumericLiteral':
      recordDigits(walk, node);
      return [plain({ kind: 'constant', value: String(node.value) })];
    case 'BooleanLiteral':
    case 'VarargLiteral':
      return [unknown];
    case 'NilLiteral':
      return [nil];
    case 'TableConstructorExpression':
      return [evaluateTable(walk, node)];
    case 'BinaryExpression':
      return [evaluateBinary(walk, node)];
    case 'LogicalExpression':
      return [evaluateLogical(walk, node)];
    case 'UnaryExpression':
      return [evaluateUnary(walk, node)];
    case 'MemberExpression':
      return [indexed(walk, evaluate(walk, node.base), plain({ kind: 'constant', value: node.identifier.name }), node)];
    case 'IndexExpression': {
      const base = evaluate(walk, node.base);
      return [indexed(walk, base, evaluate(walk, node.index), node)];
    }
  }
}

/** A whole number that a double does not hold: 9007199254740993 is read as ...992. */
function recordDigits(walk: Walk, node: Extract<Expression, { type: 'NumericLiteral' }>): void {
  if (walk.dry > 0 || !/^\d+$/.test(node.raw) || BigInt(node.raw) === BigInt(node.value)) return;
  walk.found.losses.push({ kind: 'digits', text: node.raw, ...walk.syntax.place(node) });
}

type Unary = Extract<Expression, { type: 'UnaryExpression' }>;

function evaluateUnary(walk: Walk, node: Unary): LuaValue {
  if (node.operator === 'not') return derived([condition(walk, node.argument)]);
  const value = evaluate(walk, node.argument);
  const { shape } = value;
  if (node.operator === '#')
    return shape.kind === 'table' || shape.kind === 'constant' ? plain({ kind: 'count' }) : derived([value]);
  if (shape.kind === 'constant') return plain({ kind: 'constant', value: `-${shape.value}` });
  return shape.kind === 'count' ? value : derived([value]);
}

function evaluateTable(walk: Walk, node: TableConstructorExpression): LuaValue {
  const values = node.fields.flatMap((field) => {
    const value = evaluate(walk, field.value);
    handOut(walk, value, field.value);
    return field.type === 'TableKey' ? [evaluate(walk, field.key), value] : [value];
  });
  return derived(values);
}

function evaluateBinary(walk: Walk, node: BinaryExpression): LuaValue {
  const left = evaluate(walk, node.left);
  const right = evaluate(walk, node.right);
  if (node.operator === '..') {
    if (left.shape.kind === 'constant' && right.shape.kind === 'constant') {
      return plain({ kind: 'constant', value: left.shape.value + right.shape.value });
    }
    return built(walk.syntax.text(node), [left, right]);
  }
  if (node.operator === '==' || node.operator === '~=') testNil(walk, node, left, right);
  if (isFixed(left) && isFixed(right)) return plain({ kind: 'count' });
  return isFraction(node, left, right) ? fraction([left, right]) : derived([left, right]);
}

/** A reply compared with nil. Beside another test (`v == nil or v == false`) the script may know what it does. */
function testNil(walk: Walk, node: BinaryExpression, left: LuaValue, right: LuaValue): void {
  const other = node.right.type === 'NilLiteral' ? left : node.left.type === 'NilLiteral' ? right : unknown;
  const { shape } = other;
  if (shape.kind !== 'reply' || shape.command === undefined || shape.converted) return;
  if (walk.dry > 0 || walk.joined > 0) return;
  walk.found.nilTests.push({ command: shape.command, ...walk.syntax.place(node) });
}

/** A division, and what is computed from one; `%` and `^` may make it whole again. */
function isFraction(node: BinaryExpression, left: LuaValue, right: LuaValue): boolean {
  if (node.operator === '/') return true;
  const parts = [left, right].map(({ shape }) => shape.kind === 'fraction');
  const decimal = [node.left, node.right].some((side) => side.type === 'NumericLiteral' && side.value % 1 !== 0);
  if (node.operator === '+' || node.operator === '-') return decimal || parts.includes(true);
  return node.operator === '*' && decimal;
}

function isFixed({ shape }: LuaValue): boolean {
  return shape.kind === 'constant' || shape.kind === 'count';
}

function evaluateLogical(walk: Walk, node: LogicalExpression): LuaValue {
  walk.joined += 1;
  const left = node.operator === 'or' ? evaluate(walk, node.left) : condition(walk, node.left);
  const right = evaluate(walk, node.right);
  walk.joined -= 1;
  return node.operator === 'or' ? join(left, right) : right;
}

function indexed(walk: Walk, base: LuaValue, index: LuaValue, node: Expression): LuaValue {
  const { shape } = base;
  const constant = index.shape.kind === 'constant' ? index.shape.value : undefined;
  if (shape.kind === 'table') return elementAt(walk, shape.name, constant);
  if (shape.kind === 'library') return member(walk, shape.name, constant, node);
  if (shape.kind === 'reply') return replyOf(undefined);
  return derived([base]);
}

function elementAt(walk: Walk, name: 'KEYS' | 'ARGV', constant: string | undefined): LuaValue {
  const index = Number(constant);
  const fixed = constant !== undefined && Number.isSafeInteger(index) && index > 0;
  if (!fixed && name === 'KEYS') walk.found.dynamicKeys = true;
  if (fixed && name === 'KEYS') walk.found.maxKey = Math.max(walk.found.maxKey, index);
  if (fixed && name === 'ARGV') walk.found.maxArgv = Math.max(walk.found.maxArgv, index);
  return elementOf(name, fixed ? index : undefined);
}

function member(walk: Walk, library: string, name: string | undefined, node: Expression): LuaValue {
  if (name === undefined) {
    handOut(walk, plain({ kind: 'library', name: library }), node);
    return unknown;
  }
  if (library === '_G') return globalValue(walk, name, node);
  if (library === 'redis') recordAtLoad(walk, name, node);
  if (library === 'redis' && (name === 'call' || name === 'pcall')) {
    return plain({ kind: 'call', protected: name === 'pcall' });
  }
  record(walk, walk.found.uses, `${library}.${name}`, node);
  return plain({ kind: 'library', name: `${library}.${name}` });
}

function evaluateCall(
  walk: Walk,
  node: Extract<Expression, { type: `${string}CallExpression` | 'CallExpression' }>,
): LuaValue[] {
  const list = argumentsOf(node);
  if (node.base.type === 'MemberExpression' && node.base.indexer === ':') {
    const parts = [evaluate(walk, node.base.base), ...evaluateAll(walk, list)];
    return [built(walk.syntax.text(node), parts)];
  }
  const { shape } = evaluate(walk, node.base);
  if (shape.kind === 'call') return [command(walk, node, list, evaluateAll(walk, list), shape.protected)];
  if (shape.kind === 'library') return callLibrary(walk, shape.name, node, list);
  return [derived(passed(walk, list))];
}

/** The arguments of a function that is not followed: what it is handed, it may call. */
function passed(walk: Walk, list: readonly Expression[]): LuaValue[] {
  const values = evaluateAll(walk, list);
  values.forEach((value, index) => {
    const node = list[Math.min(index, list.length - 1)];
    if (node) handOut(walk, value, node);
    if (value.shape.kind === 'table' && value.shape.name === 'KEYS') walk.found.dynamicKeys = true;
  });
  return values;
}

/** A call of a command with the values of its arguments, the command's name first. */
function command(
  walk: Walk,
  node: Expression,
  list: readonly Expression[],
  values: readonly LuaValue[],
  guarded: boolean,
): LuaValue {
  const last = list.at(-1);
  const spread = last !== undefined && spreads(walk, last);
  const [name] = values;
  const opaque = list.length === 1 && spread; // redis.call(unpack(ARGV)): the name is among what is unpacked
  const constant = name?.shape.kind === 'constant' ? utf8Of(name.shape.value)?.toLowerCase() : undefined;
  const from = opaque ? 0 : 1;
  const args = values.slice(from).map((value, index) => {
    const expression = list[Math.min(index + from, list.length - 1)];
    return argumentOf(value, expression ? walk.syntax.text(expression) : '');
  });
  const named = constant === undefined && !opaque && name && list[0] && argumentOf(name, walk.syntax.text(list[0]));
  recordCall(walk, node, { command: constant, ...(named && { name: named }), protected: guarded, args, spread });
  return replyOf(constant);
}

function spreads(walk: Walk, node: Expression): boolean {
  if (node.type === 'VarargLiteral') return true;
  if (node.type !== 'CallExpression') return false;
  if (node.base.type !== 'Identifier' && node.base.type !== 'MemberExpression') return false;
  walk.dry += 1;
  const { shape } = evaluate(walk, node.base);
  walk.dry -= 1;
  return shape.kind === 'library' && (shape.name === 'unpack' || shape.name === 'select');
}

function callLibrary(walk: Walk, name: string, node: Expression, list: readonly Expression[]): LuaValue[] {
  switch (name) {
    case 'pcall':
    case 'xpcall':
      return callProtected(walk, name, node, list);
    case 'redis.register_function':
      registerFunction(walk, list);
      return [unknown];
    case 'loadstring':
    case 'load':
    case 'getfenv':
    case 'setfenv': {
      const [text] = evaluateAll(walk, list);
      if (text && name.startsWith('load') && (text.taint.argv || text.taint.reply))
        record(walk, walk.found.compiled, name, node);
      handOut(walk, plain({ kind: 'call', protected: false }), node);
      return [unknown];
    }
    case 'type':
      evaluateAll(walk, list);
      return [unknown];
    case 'rawget': {
      const [base = unknown, index = unknown] = evaluateAll(walk, list);
      return [indexed(walk, base, index, node)];
    }
    default:
      return [result(walk, name, node, passed(walk, list))];
  }
}

/** The result of a library's function over its arguments. */
function result(walk: Walk, name: string, node: Expression, values: readonly LuaValue[]): LuaValue {
  const [first = unknown] = values;
  if (name === 'tostring' && first.shape.kind === 'fraction') return derived([first]);
  if (name === 'tostring' || name === 'tonumber') return converted(first);
  if (name === 'assert') return first;
  // how many arguments a function got, its caller in the script decides
  if (name === 'select' && first.shape.kind === 'constant' && first.shape.value === '#')
    return plain({ kind: 'count' });
  if (name === 'unpack' || name === 'table.unpack') {
    if (first.shape.kind === 'table') return elementOf(first.shape.name, undefined);
    return first.shape.kind === 'reply' ? replyOf(undefined) : derived([first]);
  }
  const text = name.startsWith('string.') && !/\.(len|byte|find|gmatch)$/.test(name);
  const makesText = text || name === 'table.concat' || name === 'redis.sha1hex' || name === 'cjson.encode';
  return makesText ? built(walk.syntax.text(node), values) : derived(values);
}

/** pcall(redis.call, ...) is redis.pcall with a first result of its own; pcall(function() ... end) guards what is inside. */
function callProtected(walk: Walk, name: string, node: Expression, list: readonly Expression[]): LuaValue[] {
  const [first, ...rest] = list;
  if (first?.type === 'FunctionDeclaration') {
    walk.guarded += 1;
    walk.enter(walk, first, false);
    walk.guarded -= 1;
    evaluateAll(walk, rest);
    return [unknown, unknown];
  }
  const callee = first ? evaluate(walk, first) : unknown;
  if (callee.shape.kind !== 'call') return [unknown, derived(passed(walk, rest))];
  if (name === 'xpcall') {
    evaluateAll(walk, rest);
    recordCall(walk, node, { command: undefined, protected: true, args: [], spread: true });
    return [unknown, replyOf(undefined)];
  }
  return [unknown, command(walk, node, rest, evaluateAll(walk, rest), true)];
}

/** redis.register_function('name', callback) or { function_name = ..., callback = ... }: the callback is called with (keys, args). */
function registerFunction(walk: Walk, list: readonly Expression[]): void {
  const [first, second] = list;
  const fields = first?.type === 'TableConstructorExpression' ? first.fields : [];
  const callbacks = fields.flatMap((field) =>
    field.type === 'TableKeyString' && field.key.name === 'callback' ? [field.value] : [],
  );
  for (const callback of second ? [second] : callbacks) {
    if (callback.type === 'FunctionDeclaration') walk.enter(walk, callback, true);
    else handOut(walk, evaluate(walk, callback), callback);
  }
}
