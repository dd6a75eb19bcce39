/** The scripts that a request gives for EVALSHA among its commands: each must be one that Lua reads, and be called. */
import { luaFacts } from '../formats/lua.ts';
import type { Diagnostic } from '../plan/diagnostic.ts';
import type { RequestOf } from '../plan/request.ts';
import { calledSha1, scriptSha1 } from '../plan/script-sources.ts';
import type { CommandStep } from '../plan/step.ts';
import { literal } from '../plan/values.ts';
import { problem } from './problem.ts';

/** What is wrong with the scripts of a request whose commands are these. */
export function scriptProblems(
  { scripts = [] }: RequestOf<'pipelining' | 'transaction'>,
  commands: readonly CommandStep[],
): readonly Diagnostic[] {
  const called = new Set(commands.map(({ argv }) => calledSha1(argv.map(literal))));
  return scripts.flatMap(({ script }, index) => {
    const at = `scripts[${index}]`;
    if (script === undefined)
      return [problem('REQ003', `${at}.file`, 'the file has not been read', 'Give its text as script.')];
    const { problem: syntax } = luaFacts(script);
    if (syntax !== undefined) {
      const message = `the script does not compile: line ${syntax.line}, column ${syntax.column}: ${syntax.message}`;
      return [problem('LUA000', at, message, 'Correct the script; Redis runs Lua 5.1.')];
    }
    const sha1 = scriptSha1(script);
    if (called.has(sha1)) return [];
    return [problem('REQ002', at, `no command calls the script ${sha1}`, `Write EVALSHA ${sha1} ..., or remove it.`)];
  });
}

/** What the plan says of them. */
export function scriptReasons({ scripts = [] }: RequestOf<'pipelining' | 'transaction'>): readonly string[] {
  if (scripts.length === 0) return [];
  const what = scripts.length === 1 ? 'The script is' : `${scripts.length} scripts are`;
  return [
    `${what} loaded right before the commands that call it by EVALSHA, on the nodes that run them: none is missing then.`,
  ];
}
