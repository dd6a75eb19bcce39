/** The arguments of a script's calls that stand where the command expects a key, and whether KEYS declares them. */
import { keysOf } from '../catalog/keys.ts';
import { findCommand } from '../catalog/lookup.ts';
import type { LuaArgument, LuaCall } from '../formats/lua.ts';
import { argvOfCall } from './findings.ts';

/** The arguments in key position; empty when the command takes no key, or the script does not show which. */
export function keyArguments(call: LuaCall): readonly LuaArgument[] {
  const argv = argvOfCall(call);
  if (!argv) return [];
  const uses = keysOf(argv);
  if (uses) return uses.flatMap(({ index }) => call.args[index - 1] ?? []);
  // unpack(...) leaves the rest unknown, but not the first key
  const begin = findCommand(argv)?.keySpecs[0]?.begin;
  return begin && 'index' in begin ? call.args.slice(begin.index - 1, begin.index) : [];
}

/** declared: an element of KEYS; undeclared: surely not; unknown: the script alone does not say. */
export function declaration(argument: LuaArgument): 'declared' | 'undeclared' | 'unknown' {
  if (argument.from === 'KEYS') return 'declared';
  return argument.from === 'unknown' ? 'unknown' : 'undeclared';
}
