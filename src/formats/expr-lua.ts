/**
 * Expressions as Lua: the same tree that evaluateTree walks, written as Lua 5.1 for a script on the server. What is a
 * problem there stops the script here (`stop`); the words of the problem are the evaluator's, which is asked again.
 * Lua's numbers are doubles: what leaves the integers that they hold exactly ends the script with `range`.
 * Literals stand in ARGV and never in the text, so one shape of expression is one script.
 */
import { assertNever } from '../base/assert.ts';
import type { ExprLiteral, ExprTree } from './expr-tree.ts';

/** The largest integer that a double and all its neighbours hold exactly; its negative is the smallest. */
export const luaInteger = 2n ** 53n - 1n;

/** Nesting that is compiled: Lua's parser takes 200 levels, and one of ours needs up to four. */
const MOST_LEVELS = 40;

/** What the Lua of an expression refers to; both give a Lua expression. */
export interface LuaNames {
  /** The value of a name. */
  readonly name: (name: string) => string;
  /** The argument that holds these bytes. */
  readonly argument: (bytes: string | Uint8Array) => string;
}

/** An expression as Lua, with the helpers it calls; or in one sentence why it cannot be one. */
export type LuaExpression =
  | { readonly lua: string; readonly helpers: ReadonlySet<LuaHelper> }
  | { readonly problem: string };

/** Compiles a tree; never throws. */
export function luaOf(tree: ExprTree, names: LuaNames): LuaExpression {
  const problem = unfit(tree, 1);
  if (problem !== undefined) return { problem };
  const helpers = new Set<LuaHelper>();
  return { lua: write(tree, names, (helper) => helpers.add(helper) && helper), helpers };
}

function unfit(tree: ExprTree, level: number): string | undefined {
  if (level > MOST_LEVELS) return `an expression is nested more than ${MOST_LEVELS} deep`;
  if (tree.kind === 'literal') {
    const { value } = tree;
    if (typeof value === 'bigint' && (value > luaInteger || value < -luaInteger))
      return `${value} is beyond the integers that Lua holds exactly`;
    return typeof value === 'string' && !value.isWellFormed() ? 'a text has a lone surrogate' : undefined;
  }
  for (const part of partsOf(tree)) {
    const problem = unfit(part, level + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function partsOf(tree: ExprTree): readonly ExprTree[] {
  switch (tree.kind) {
    case 'literal':
    case 'name':
      return [];
    case 'negate':
    case 'not':
      return [tree.operand];
    case 'binary':
      return [tree.left, tree.right];
    case 'choose':
      return [tree.test, tree.yes, tree.no];
    case 'call':
      return [tree.argument];
    default:
      return assertNever(tree);
  }
}

type Use = (helper: LuaHelper) => LuaHelper;

function write(tree: ExprTree, names: LuaNames, use: Use): string {
  const inner = (part: ExprTree): string => write(part, names, use);
  switch (tree.kind) {
    case 'literal':
      return literal(tree.value, names);
    case 'name':
      return names.name(tree.name);
    case 'negate':
      return `${use('negated')}(${inner(tree.operand)})`;
    case 'not':
      return `(not ${use('truth')}(${inner(tree.operand)}))`;
    case 'choose':
      return `${use('choose')}(${inner(tree.test)}, function() return ${inner(tree.yes)} end, function() return ${inner(tree.no)} end)`;
    case 'call':
      return `${use(calls[tree.function])}(${inner(tree.argument)})`;
    case 'binary':
      return binary(tree, inner, use);
    default:
      return assertNever(tree);
  }
}

const calls = { int: 'integer', string: 'asText', size: 'size' } as const;

function literal(value: ExprLiteral, names: LuaNames): string {
  if (value === null) return 'NULL';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint') return `tonumber(${names.argument(String(value))})`;
  const argument = names.argument(value);
  return typeof value === 'string' ? argument : `{b = ${argument}}`;
}

function binary(tree: Extract<ExprTree, { kind: 'binary' }>, inner: (part: ExprTree) => string, use: Use): string {
  const [left, right] = [inner(tree.left), inner(tree.right)];
  switch (tree.operator) {
    case '&&':
    case '||': {
      const truth = use('truth');
      return `(${truth}(${left}) ${tree.operator === '&&' ? 'and' : 'or'} ${truth}(${right}))`;
    }
    case '==':
      return `${use('same')}(${left}, ${right})`;
    case '!=':
      return `(not ${use('same')}(${left}, ${right}))`;
    case '<':
    case '<=':
    case '>':
    case '>=':
      return `(${use('order')}(${left}, ${right}) ${tree.operator} 0)`;
    case '+':
      return `${use('sum')}(${left}, ${right})`;
    case '-':
      return `${use('difference')}(${left}, ${right})`;
    case '*':
      return `${use('product')}(${left}, ${right})`;
    case '/':
      return `${use('quotient')}(${left}, ${right})`;
    case '%':
      return `${use('remainder')}(${left}, ${right})`;
    default:
      return assertNever(tree.operator);
  }
}

/**
 * A function of the script. Values: a number is an integer, a string is UTF-8 text, {b = ...} other bytes, NULL is null.
 * `value` takes a reply to its value, `word` a value to a command's argument; the others are the language's own.
 */
export type LuaHelper =
  | 'value'
  | 'word'
  | 'truth'
  | 'same'
  | 'order'
  | 'negated'
  | 'sum'
  | 'difference'
  | 'product'
  | 'quotient'
  | 'remainder'
  | 'choose'
  | 'integer'
  | 'asText'
  | 'size';

type Part = LuaHelper | 'stop' | 'points' | 'digits' | 'raw' | 'exact' | 'numbers' | 'divisible';

/** The Lua that defines helpers and what they are built on, in an order that Lua can read. */
export function luaPrelude(helpers: Iterable<LuaHelper>): string {
  const wanted = [...helpers];
  const needed = partsOfHelpers(wanted);
  // what value alone needs is defined inside it, behind its short way: each function that is made costs every call
  const besides = partsOfHelpers(wanted.filter((helper) => helper !== 'value'));
  const order = Object.keys(parts) as Part[];
  const inside = order.filter((part) => needed.has(part) && !besides.has(part) && part !== 'value');
  const texts = (some: readonly Part[]): string[] => some.map((part) => parts[part].lua);
  const defined = texts(order.filter((part) => needed.has(part) && !inside.includes(part))).map((text) =>
    text.replace('--INSIDE', () => texts(inside).join('\n')),
  );
  // a local is looked up faster than a global
  return ['local type, find = type, string.find', ...defined].join('\n');
}

function partsOfHelpers(helpers: readonly LuaHelper[]): ReadonlySet<Part> {
  const needed = new Set<Part>();
  const need = (part: Part): void => {
    needed.add(part);
    for (const below of parts[part].needs) need(below);
  };
  for (const helper of helpers) need(helper);
  return needed;
}

/**
 * `points` counts the characters of UTF-8 by putting one byte for each valid sequence of several: what is left above 127
 * was not valid. `order` is by bytes: Lua's own < asks the server's locale. `divisible` makes the quotient of two doubles
 * exact by taking off what does not divide first.
 */
const parts: Readonly<Record<Part, { readonly needs: readonly Part[]; readonly lua: string }>> = {
  stop: { needs: [], lua: "local function stop() error('stop', 0) end" },
  exact: {
    needs: [],
    lua: "local function exact(n) if n > MAX or n < -MAX then error('range', 0) end return n end",
  },
  points: {
    needs: [],
    lua: String.raw`local function points(s)
  if #s > 1048576 then error('size', 0) end
  if not find(s, '[\128-\255]') then return #s end
  local g = string.gsub
  s = g(s, '\240[\144-\191][\128-\191][\128-\191]', 'x')
  s = g(s, '[\241-\243][\128-\191][\128-\191][\128-\191]', 'x')
  s = g(s, '\244[\128-\143][\128-\191][\128-\191]', 'x')
  s = g(s, '\224[\160-\191][\128-\191]', 'x')
  s = g(s, '[\225-\236\238\239][\128-\191][\128-\191]', 'x')
  s = g(s, '\237[\128-\159][\128-\191]', 'x')
  s = g(s, '[\194-\223][\128-\191]', 'x')
  if find(s, '[\128-\255]') then return nil end
  return #s
end`,
  },
  digits: {
    needs: ['exact'],
    lua: `local function digits(s)
  if #s > 20 or not (s == '0' or find(s, '^%-?[1-9][0-9]*$')) then return nil end
  return exact(tonumber(s))
end`,
  },
  raw: {
    needs: [],
    lua: "local function raw(v) if type(v) == 'string' then return v end if type(v) == 'table' then return v.b end end",
  },
  numbers: {
    needs: ['stop'],
    lua: "local function numbers(l, r) if type(l) ~= 'number' or type(r) ~= 'number' then stop() end end",
  },
  divisible: {
    needs: ['numbers', 'stop'],
    lua: 'local function divisible(l, r) numbers(l, r) if r == 0 then stop() end return math.fmod(l, r) end',
  },
  value: {
    needs: ['digits', 'points', 'exact', 'stop'],
    lua: `local function value(reply)
  if type(reply) == 'string' and #reply < 16 and find(reply, '^%-?[1-9][0-9]*$') then return tonumber(reply) end
  if not reply then return NULL end
--INSIDE
  if type(reply) == 'number' then return exact(reply) end
  if type(reply) == 'table' then
    if reply.err then error('read', 0) end
    if not reply.ok then stop() end
    reply = reply.ok
  end
  local n = digits(reply)
  if n then return n end
  if points(reply) then return reply end
  return {b = reply}
end`,
  },
  word: {
    needs: ['stop', 'raw'],
    lua: "local function word(v) if type(v) == 'number' then return string.format('%d', v) end return raw(v) or stop() end",
  },
  truth: { needs: ['stop'], lua: "local function truth(v) if type(v) ~= 'boolean' then stop() end return v end" },
  same: {
    needs: ['raw', 'stop'],
    lua: `local function same(l, r)
  if l == NULL or r == NULL then return l == r end
  local a, b = raw(l), raw(r)
  if a and b then return a == b end
  if a or b or type(l) ~= type(r) then stop() end
  return l == r
end`,
  },
  order: {
    needs: ['raw', 'stop'],
    lua: `local function order(l, r)
  if type(l) == 'number' and type(r) == 'number' then return l < r and -1 or l > r and 1 or 0 end
  local a, b = raw(l), raw(r)
  if not a or not b then stop() end
  if a == b then return 0 end
  local from, to = 0, math.min(#a, #b)
  while from < to do
    local half = math.ceil((from + to) / 2)
    if string.sub(a, from + 1, half) == string.sub(b, from + 1, half) then from = half else to = half - 1 end
  end
  return (string.byte(a, from + 1) or -1) < (string.byte(b, from + 1) or -1) and -1 or 1
end`,
  },
  negated: {
    needs: ['stop'],
    lua: "local function negated(v) if type(v) ~= 'number' then stop() end return -v end",
  },
  sum: {
    needs: ['exact', 'raw', 'stop'],
    lua: `local function sum(l, r)
  if type(l) == 'number' and type(r) == 'number' then return exact(l + r) end
  local a, b = raw(l), raw(r)
  if not a or not b then stop() end
  if #a + #b > 1048576 then error('size', 0) end
  if type(l) == 'string' and type(r) == 'string' then return l .. r end
  return {b = a .. b}
end`,
  },
  difference: {
    needs: ['exact', 'numbers'],
    lua: 'local function difference(l, r) numbers(l, r) return exact(l - r) end',
  },
  product: { needs: ['exact', 'numbers'], lua: 'local function product(l, r) numbers(l, r) return exact(l * r) end' },
  quotient: { needs: ['divisible'], lua: 'local function quotient(l, r) return (l - divisible(l, r)) / r end' },
  remainder: { needs: ['divisible'], lua: 'local function remainder(l, r) return divisible(l, r) end' },
  choose: {
    needs: ['truth'],
    lua: 'local function choose(test, yes, no) if truth(test) then return yes() end return no() end',
  },
  integer: {
    needs: ['digits', 'stop'],
    lua: `local function integer(v)
  if type(v) == 'number' then return v end
  return type(v) == 'string' and digits(v) or stop()
end`,
  },
  asText: {
    needs: ['points', 'stop'],
    lua: `local function asText(v)
  if type(v) == 'string' then return v end
  if type(v) == 'number' then return string.format('%d', v) end
  if type(v) == 'boolean' then return tostring(v) end
  return v.b and points(v.b) and v.b or stop()
end`,
  },
  size: {
    needs: ['points', 'stop'],
    lua: `local function size(v)
  if type(v) == 'string' then return points(v) end
  return type(v) == 'table' and v.b and #v.b or stop()
end`,
  },
};
