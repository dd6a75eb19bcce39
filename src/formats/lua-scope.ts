/**
 * The state of one walk over a script: variables in their scopes, how deep it stands in loops, branches and functions,
 * and the facts found so far. While `dry` is above 0 nothing is recorded: a loop's body is walked once for what it
 * assigns before it is walked for its facts.
 */
import type { Expression, FunctionDeclaration, Node } from 'luaparse';
import type { LuaCall, LuaFacts, LuaName } from './lua-facts.ts';
import type { LuaSyntax } from './lua-syntax.ts';
import { derived, join, type LuaValue, plain, tableOf, unknown } from './lua-value.ts';

/** A local variable: what it may hold, and where it was declared. */
interface Binding {
  value: LuaValue;
  readonly branches: number;
  readonly functions: number;
}

/** A block's variables. */
export interface Scope {
  readonly names: Map<string, Binding>;
  readonly outer: Scope | undefined;
}

/** The facts under construction. */
type Found = {
  -readonly [name in keyof Omit<LuaFacts, 'problem' | 'shebang'>]: LuaFacts[name] extends readonly (infer item)[]
    ? item[]
    : LuaFacts[name];
};

/** One walk. */
export interface Walk {
  readonly syntax: LuaSyntax;
  readonly found: Found;
  /** Names that some assignment changes after their declaration. */
  readonly reassigned: ReadonlySet<string>;
  /** Globals that the script itself assigns. */
  readonly ownGlobals: ReadonlySet<string>;
  /** Names of functions that are registered as a library's functions: called with (keys, args). */
  readonly callbacks: ReadonlySet<string>;
  readonly seen: Set<string>;
  /** Walks a function that an expression defines; `registered` when it is a library's function. */
  readonly enter: (walk: Walk, node: FunctionDeclaration, registered: boolean) => void;
  scope: Scope;
  branches: number;
  functions: number;
  loops: number;
  guarded: number;
  dry: number;
  /** What `return` gives goes to the caller of the script, not to another function of it. */
  answers: boolean;
  /** Above 0 inside `and` and `or`. */
  joined: number;
}

/** A walk that has found nothing yet. */
export function startWalk(syntax: LuaSyntax, enter: Walk['enter']): Walk {
  const found: Found = {
    calls: [],
    maxKey: 0,
    maxArgv: 0,
    dynamicKeys: false,
    zeroTests: [],
    nilTests: [],
    losses: [],
    unreachable: [],
    ignored: [],
    compiled: [],
    loops: [],
    globals: [],
    missingGlobals: [],
    uses: [],
    notInLibrary: [],
    functions: [],
  };
  const scope: Scope = { names: new Map(), outer: undefined };
  const counters = { answers: true, branches: 0, functions: 0, loops: 0, guarded: 0, dry: 0, joined: 0 };
  return { syntax, found, enter, ...foresee(syntax.chunk), seen: new Set(), scope, ...counters };
}

/** Runs `body` in a scope of its own. */
export function inScope(walk: Walk, body: () => void): void {
  const outer = walk.scope;
  walk.scope = { names: new Map(), outer };
  body();
  walk.scope = outer;
}

/** Runs `body` as code that may or may not run. */
export function inBranch(walk: Walk, body: () => void): void {
  walk.branches += 1;
  inScope(walk, body);
  walk.branches -= 1;
}

/** Declares a local variable in the current scope. */
export function declare(walk: Walk, name: string, value: LuaValue): void {
  walk.scope.names.set(name, { value, branches: walk.branches, functions: walk.functions });
}

/** Assigns a local variable; false when there is none of that name. */
export function assignLocal(walk: Walk, name: string, value: LuaValue): boolean {
  const binding = bindingOf(walk, name);
  if (!binding) return false;
  const certain = walk.branches === binding.branches && walk.functions === binding.functions;
  binding.value = certain ? value : join(binding.value, value);
  return true;
}

/** The value of a name: a local, a global that Redis provides, or one that is missing. */
export function lookUp(walk: Walk, name: string, node: Node): LuaValue {
  const binding = bindingOf(walk, name);
  if (!binding) return globalValue(walk, name, node);
  const stale = binding.functions < walk.functions && walk.reassigned.has(name);
  return stale && binding.value.shape.kind !== 'call' ? derived([binding.value]) : binding.value;
}

/** The value of a global. */
export function globalValue(walk: Walk, name: string, node: Node): LuaValue {
  const ofScripts = name === 'KEYS' || name === 'ARGV';
  if (ofScripts || (walk.functions === 0 && name !== 'redis' && name !== 'server' && provided.has(name)))
    recordOnce(walk, walk.found.notInLibrary, name, node, `library ${name}`);
  if (ofScripts) return tableOf(name);
  if (name === 'server') return plain({ kind: 'library', name: 'redis' });
  if (provided.has(name)) return plain({ kind: 'library', name });
  if (!walk.ownGlobals.has(name)) recordOnce(walk, walk.found.missingGlobals, name, node, `missing ${name}`);
  return unknown;
}

/** Records a name with its place. */
export function record(walk: Walk, list: LuaName[], name: string, node: Node): void {
  if (walk.dry === 0) list.push({ name, ...walk.syntax.place(node) });
}

/** Records a member of redis that a library does not have while it is loaded. */
export function recordAtLoad(walk: Walk, member: string, node: Node): void {
  if (walk.functions > 0 || atLoad.test(member)) return;
  recordOnce(walk, walk.found.notInLibrary, `redis.${member}`, node, `library redis.${member}`);
}

/** As tried on Redis 7.0, 8.0 and Valkey 8.1, 9. */
const atLoad = /^(register_function|log|LOG_[A-Z]+|(REDIS|SERVER|VALKEY)_(VERSION(_NUM)?|NAME))$/;

function recordOnce(walk: Walk, list: LuaName[], name: string, node: Node, id: string): void {
  if (walk.dry > 0 || walk.seen.has(id)) return;
  walk.seen.add(id);
  record(walk, list, name, node);
}

/** Records a call of a command. */
export function recordCall(
  walk: Walk,
  node: Node,
  call: Omit<LuaCall, 'line' | 'column' | 'inLoop' | 'protected'> & { readonly protected: boolean },
): void {
  if (walk.dry > 0) return;
  walk.found.calls.push({
    ...call,
    protected: call.protected || walk.guarded > 0,
    inLoop: walk.loops > 0,
    ...walk.syntax.place(node),
  });
}

/** A way to call any command leaves our sight (redis.call handed to a function, loadstring): some unknown call. */
export function handOut(walk: Walk, value: LuaValue, node: Expression): void {
  const { shape } = value;
  if (shape.kind === 'call')
    recordCall(walk, node, { command: undefined, protected: shape.protected, args: [], spread: true });
  if (shape.kind === 'library' && (shape.name === 'redis' || shape.name === '_G')) {
    recordCall(walk, node, { command: undefined, protected: false, args: [], spread: true });
  }
}

function bindingOf(walk: Walk, name: string): Binding | undefined {
  for (let scope: Scope | undefined = walk.scope; scope; scope = scope.outer) {
    const binding = scope.names.get(name);
    if (binding) return binding;
  }
  return undefined;
}

/** The globals of a script, read from pairs(_G) on Redis 6.0, 7.0, 8.0 and Valkey 8.1. */
const provided: ReadonlySet<string> = new Set(
  (
    '_G _VERSION assert bit cjson cmsgpack collectgarbage coroutine error gcinfo getfenv getmetatable ipairs load ' +
    'loadstring math newproxy next os pairs pcall print rawequal rawget rawset redis select setfenv setmetatable ' +
    'string struct table tonumber tostring type unpack xpcall'
  ).split(' '),
);

/** What a first pass over all nodes tells: names that are assigned, and functions that are registered. */
function foresee(chunk: Node): Pick<Walk, 'reassigned' | 'ownGlobals' | 'callbacks'> {
  const reassigned = new Set<string>();
  const ownGlobals = new Set<string>();
  const callbacks = new Set<string>();
  for (const node of nodesOf(chunk)) {
    if (node.type === 'AssignmentStatement') {
      for (const variable of node.variables) if (variable.type === 'Identifier') reassigned.add(variable.name);
    } else if (node.type === 'FunctionDeclaration' && !node.isLocal && node.identifier?.type === 'Identifier') {
      ownGlobals.add(node.identifier.name);
    } else if (node.type === 'CallExpression' && isMember(node.base, 'register_function')) {
      const callback = node.arguments[1];
      if (callback?.type === 'Identifier') callbacks.add(callback.name);
    } else if (node.type === 'TableKeyString' && node.key.name === 'callback' && node.value.type === 'Identifier') {
      callbacks.add(node.value.name);
    }
  }
  for (const name of reassigned) ownGlobals.add(name);
  return { reassigned, ownGlobals, callbacks };
}

function isMember(node: Expression, name: string): boolean {
  return node.type === 'MemberExpression' && node.identifier.name === name;
}

/** Every node below (and with) a node, in no particular order. */
function* nodesOf(root: Node): Generator<Node> {
  const stack: unknown[] = [root];
  while (stack.length > 0) {
    const item = stack.pop();
    if (typeof item !== 'object' || item === null) continue;
    if ('type' in item && typeof item.type === 'string') yield item as Node;
    for (const child of Object.values(item)) if (typeof child === 'object' && child !== null) stack.push(child);
  }
}
