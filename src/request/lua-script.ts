/** The recipe for lua_script: lint, load, run, exists, flush, kill; what is done with functions stands in functions.ts. */
import type { Bytes } from '../base/bytes.ts';
import { isReadOnly } from '../catalog/nature.ts';
import { luaFacts, scriptWrites } from '../formats/lua.ts';
import type { Draft } from '../plan/plan.ts';
import type { RequestOf } from '../plan/request.ts';
import { scriptSha1 } from '../plan/script-sources.ts';
import type { Step } from '../plan/step.ts';
import type { Target } from '../plan/target.ts';
import { functions } from './functions.ts';
import { problem, type Result, refused } from './problem.ts';
import { olderThan } from './version.ts';

type Action<Name> = Extract<RequestOf<'lua_script'>, { action: Name }>;

/** The draft of a lua_script request, or why there is none (LUA000: load and run of what does not compile). */
export function luaScript(request: RequestOf<'lua_script'>, target: Target | undefined): Result<Draft> {
  switch (request.action) {
    case 'lint':
      return withSource(request, () => ({ value: inspection(request, [], 'The script is read; nothing is sent.') }));
    case 'load':
      return withSource(request, (source) => load(request, source));
    case 'run':
      return withSource(request, (source) => run(request, source));
    case 'exists':
      if (request.sha1 !== undefined) return { value: exists(request, request.sha1) };
      return withSource(request, (source) => ({ value: exists(request, [scriptSha1(source)]) }));
    case 'flush':
      return { value: flush(request, target) };
    case 'kill':
      return { value: kill(request) };
    default:
      return functions(request, target);
  }
}

function withSource(request: { readonly script?: Bytes }, make: (source: Bytes) => Result<Draft>): Result<Draft> {
  if (request.script === undefined)
    return refused(problem('REQ003', 'file', 'the file has not been read', 'Give its text as script.'));
  return make(request.script);
}

function load(request: Action<'load'>, source: Bytes): Result<Draft> {
  const { problem: syntax } = luaFacts(source);
  if (syntax !== undefined) return refused(syntaxProblem(syntax));
  const reason =
    'SCRIPT LOAD: a script known only from EVAL is evicted on newer servers, a loaded one stays until a restart, a failover or SCRIPT FLUSH.';
  return { value: single(request, ['SCRIPT', 'LOAD', source], [reason]) };
}

function run(request: Action<'run'>, source: Bytes): Result<Draft> {
  const facts = luaFacts(source);
  if (facts.problem !== undefined) return refused(syntaxProblem(facts.problem));
  const writes = scriptWrites(facts, (command) => isReadOnly([command]));
  const step: Step = {
    kind: 'script',
    sha1: scriptSha1(source),
    source,
    keys: [...request.keys],
    args: [...request.args],
    read_only: !writes,
  };
  return {
    value: {
      request,
      strategy: 'script',
      steps: [step],
      batch_size: 1,
      reasons: [
        'EVALSHA after SCRIPT LOAD: the text crosses the network once; NOSCRIPT is answered by loading it again, once.',
        'A script runs alone on the server: nothing interleaves, and everybody waits until it ends. What it wrote before an error stays.',
        writes
          ? 'It counts as a write: not every redis.call in it is a read-only command with a constant name.'
          : 'It only reads: every redis.call in it is a read-only command.',
      ],
    },
  };
}

function exists(request: Action<'exists'>, sha1: readonly string[]): Draft {
  const names = sha1.map((name) => name.toLowerCase());
  return inspection(
    request,
    [{ kind: 'command', argv: ['SCRIPT', 'EXISTS', ...names] }],
    'SCRIPT EXISTS answers 1 or 0 for each SHA1; the cache is not replicated, so the answer is that of this server.',
  );
}

function flush(request: Action<'flush'>, target: Target | undefined): Draft {
  const plain = olderThan(target, '6.2');
  const argv = plain ? ['SCRIPT', 'FLUSH'] : ['SCRIPT', 'FLUSH', request.mode.toUpperCase()];
  const reason = plain
    ? `SCRIPT FLUSH without ${request.mode.toUpperCase()}, which needs Redis 6.2.`
    : `SCRIPT FLUSH ${request.mode.toUpperCase()}: ${request.mode === 'async' ? 'another thread frees the scripts' : 'the server waits until the scripts are freed'}.`;
  return single(request, argv, [
    reason,
    'It empties the script cache of every client of this server; a client that sends EVALSHA without a fallback gets NOSCRIPT.',
  ]);
}

function kill(request: Action<'kill'>): Draft {
  return single(
    request,
    ['SCRIPT', 'KILL'],
    [
      "SCRIPT KILL ends whoever's script is running: the server does not say whose it is.",
      'A script that has written cannot be ended (UNKILLABLE).',
    ],
  );
}

function single(request: RequestOf<'lua_script'>, argv: readonly Bytes[], reasons: readonly string[]): Draft {
  return { request, strategy: 'script', steps: [{ kind: 'command', argv: [...argv] }], batch_size: 1, reasons };
}

function inspection(request: RequestOf<'lua_script'>, steps: readonly Step[], reason: string): Draft {
  return { request, strategy: 'inspection', steps, batch_size: 1, reasons: [reason] };
}

function syntaxProblem(syntax: { readonly message: string; readonly line: number; readonly column: number }) {
  return {
    ...problem(
      'LUA000',
      'script',
      `the script does not compile: line ${syntax.line}, column ${syntax.column}: ${syntax.message}`,
      'Correct the script; Redis runs Lua 5.1.',
    ),
    span: { line: syntax.line, column: syntax.column, length: 1 },
  };
}
