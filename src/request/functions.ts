/**
 * The recipe for functions (Redis 7.0 and later): libraries that the server keeps with its data, replicates and persists,
 * and functions that are called by name. Which of them there are is asked while planning, so that lint can say what the
 * server would refuse: LUA015, LUA016.
 */
import { assertNever } from '../base/assert.ts';
import { type Bytes, toBuffer } from '../base/bytes.ts';
import { luaFacts } from '../formats/lua.ts';
import type { Draft } from '../plan/plan.ts';
import type { RequestOf } from '../plan/request.ts';
import type { CommandStep } from '../plan/step.ts';
import type { Target } from '../plan/target.ts';
import { problem, type Result, refused } from './problem.ts';
import { olderThan } from './version.ts';

type Script = RequestOf<'lua_script'>;

/** The actions of lua_script that are about functions. */
export type FunctionRequest = Exclude<
  Script,
  { readonly action: 'lint' | 'load' | 'run' | 'exists' | 'flush' | 'kill' }
>;
type Action<Name> = Extract<Script, { readonly action: Name }>;

/** The draft of a request about functions, or why there is none (VER001: a server before 7.0; LUA000: no library). */
export function functions(request: FunctionRequest, target: Target | undefined): Result<Draft> {
  if (olderThan(target, '7.0'))
    return refused(
      problem('VER001', 'action', 'functions need Redis 7.0', 'Use a script: redops script load and run.'),
    );
  switch (request.action) {
    case 'function_load':
      return load(request);
    case 'call':
      return { value: call(request, target) };
    case 'function_list':
      return { value: list(request) };
    case 'function_delete':
      return writes(
        request,
        ['FUNCTION', 'DELETE', request.library],
        [
          'FUNCTION DELETE: the library and all its functions go, on the replicas too. FCALL of them fails from then on.',
        ],
      );
    case 'function_dump':
      return { value: dump(request) };
    case 'function_restore':
      return restore(request);
    case 'function_flush':
      return writes(
        request,
        ['FUNCTION', 'FLUSH', request.mode.toUpperCase()],
        ['FUNCTION FLUSH: every library of this server goes, on the replicas too. redops function dump keeps them.'],
      );
    case 'function_kill':
      return writes(
        request,
        ['FUNCTION', 'KILL'],
        [
          "FUNCTION KILL ends whoever's function is running: the server does not say whose it is.",
          'A function that has written cannot be ended (UNKILLABLE).',
        ],
      );
    case 'function_stats':
      return {
        value: inspection(
          request,
          ['FUNCTION', 'STATS'],
          [
            'FUNCTION STATS: the function that is running, where one is, and how many libraries and functions there are.',
          ],
        ),
      };
    default:
      return assertNever(request);
  }
}

function load(request: Action<'function_load'>): Result<Draft> {
  const { script: source, replace } = request;
  if (source === undefined)
    return refused(problem('REQ003', 'file', 'the file has not been read', 'Give its text as script.'));
  const facts = luaFacts(source);
  if (facts.problem) {
    const { message, line, column } = facts.problem;
    const told = problem(
      'LUA000',
      'script',
      `the library does not compile: line ${line}, column ${column}: ${message}`,
      'Correct it; Redis runs Lua 5.1.',
    );
    return refused({ ...told, span: { line, column, length: 1 } });
  }
  if (facts.shebang?.name === undefined)
    return refused(
      problem(
        'LUA000',
        'script',
        'this is a script and no library: its first line does not name one',
        'Begin it with "#!lua name=NAME", or load it as a script: redops script load.',
        'The server would refuse it: Missing library metadata.',
      ),
    );
  if (!facts.uses.some(({ name }) => name === 'redis.register_function'))
    return refused(
      problem(
        'LUA000',
        'script',
        'the library registers no function',
        "Register what is to be called: redis.register_function('name', function(keys, args) ... end).",
        'The server would refuse it: No functions registered.',
      ),
    );
  const argv = ['FUNCTION', 'LOAD', ...(replace ? ['REPLACE'] : []), source];
  return writes(request, argv, [
    `FUNCTION LOAD of the library ${facts.shebang.name}: it is replicated, and kept with the data.`,
    replace
      ? 'REPLACE: the library of that name that is there goes, with all its functions, in the same step.'
      : 'Without REPLACE a library of that name that is there stays, and the server refuses this one.',
  ]);
}

function call(request: Action<'call'>, target: Target | undefined): Draft {
  const { function: name, keys, args } = request;
  const known = target?.libraries?.flatMap((one) => one.functions).find((one) => one.name === name);
  const silent = known?.flags.includes('no-writes') ?? false;
  const readOnly = request.read_only ?? silent;
  const why =
    request.read_only === undefined && silent
      ? 'FCALL_RO: the function has the flag no-writes, so the server refuses any write of it.'
      : readOnly
        ? 'FCALL_RO, as asked for: the server refuses a function without the flag no-writes.'
        : 'FCALL counts as a write: the function does not have the flag no-writes.';
  const argv = [readOnly ? 'FCALL_RO' : 'FCALL', name, String(keys.length), ...keys, ...args];
  return {
    ...one(request, { kind: 'command', argv }),
    reasons: [
      why,
      'A function runs alone on the server: nothing interleaves, and everybody waits until it ends. What it wrote before an error stays.',
    ],
  };
}

function list(request: Action<'function_list'>): Draft {
  const { match, code } = request;
  const words = [...(match === undefined ? [] : ['LIBRARYNAME', match]), ...(code ? ['WITHCODE'] : [])];
  return inspection(request, ['FUNCTION', 'LIST', ...words], ['FUNCTION LIST: the libraries and their functions.']);
}

function dump(request: Action<'function_dump'>): Draft {
  return {
    ...inspection(
      request,
      ['FUNCTION', 'DUMP'],
      [
        `FUNCTION DUMP: all libraries in the form that FUNCTION RESTORE takes, written to ${request.save_to}, which must not be there yet.`,
      ],
    ),
    steps: [{ kind: 'command', argv: ['FUNCTION', 'DUMP'], save_to: request.save_to }],
  };
}

const policies = {
  append: 'APPEND: what is there stays; a library or function of the same name makes the server refuse all of it.',
  replace: 'REPLACE: a library of the same name that is there goes; the others stay.',
  flush: 'FLUSH: every library that is there goes first.',
} as const;

function restore(request: Action<'function_restore'>): Result<Draft> {
  const { payload, policy } = request;
  if (payload === undefined)
    return refused(problem('REQ003', 'file', 'the file has not been read', 'Give its bytes as payload.'));
  if (toBuffer(payload).length === 0)
    return refused(problem('REQ003', 'payload', 'the payload is empty', 'Name a file of redops function dump.'));
  return writes(
    request,
    ['FUNCTION', 'RESTORE', payload, policy.toUpperCase()],
    [`FUNCTION RESTORE ${policies[policy]}`],
  );
}

function writes(request: FunctionRequest, argv: readonly Bytes[], reasons: readonly string[]): Result<Draft> {
  return { value: { ...one(request, { kind: 'command', argv: [...argv] }), reasons } };
}

function one(request: FunctionRequest, step: CommandStep): Omit<Draft, 'reasons'> {
  return { request, strategy: 'script', steps: [step], batch_size: 1 };
}

function inspection(request: FunctionRequest, argv: readonly string[], reasons: readonly string[]): Draft {
  return { ...one(request, { kind: 'command', argv: [...argv] }), strategy: 'inspection', reasons };
}
