/**
 * Facts about a Redis Lua script, from its syntax tree: which commands it calls with which arguments, and what in it is
 * known to go wrong. The script is never run. What cannot be known without running it is said to be unknown.
 */
import { type Bytes, toBuffer } from '../base/bytes.ts';
import type { LuaFacts } from './lua-facts.ts';
import { parseLua, readShebang } from './lua-syntax.ts';
import { walkScript } from './lua-walk.ts';

export type { LuaArgument, LuaCall, LuaFacts, LuaLoop, LuaName, LuaPlace, LuaShebang } from './lua-facts.ts';

/** The longest script that is read, in bytes. */
export const maxScriptBytes = 1_000_000;

/** The facts of a script; never throws. A script that is too long or nested too deeply is a problem. */
export function luaFacts(source: Bytes): LuaFacts {
  const bytes = toBuffer(source);
  if (bytes.length > maxScriptBytes) return refused(`the script is longer than ${maxScriptBytes} bytes`);
  const { shebang, body, problem } = readShebang(bytes.toString('latin1'));
  const withShebang = shebang ? { shebang } : {};
  if (problem !== undefined) return { ...refused(problem), ...withShebang };
  try {
    const parsed = parseLua(body);
    if ('problem' in parsed) return { ...nothing, ...withShebang, problem: parsed.problem };
    return { ...walkScript(parsed), ...withShebang };
  } catch (error) {
    if (error instanceof RangeError) return { ...refused('the script is nested too deeply'), ...withShebang };
    throw error;
  }
}

/** True unless every call of the script is a constant command that is read-only; a script that could not be read may write. */
export function scriptWrites(facts: LuaFacts, isReadOnly: (command: string) => boolean): boolean {
  return (
    facts.problem !== undefined || facts.calls.some(({ command }) => command === undefined || !isReadOnly(command))
  );
}

const nothing: LuaFacts = {
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

function refused(message: string): LuaFacts {
  return { ...nothing, problem: { message, line: 1, column: 1 } };
}
