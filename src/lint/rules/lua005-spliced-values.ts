/** A value that is written into the text of a script makes a new script for every value, and lets it say more than a value. */
import type { LuaArgument, LuaCall } from '../../formats/lua.ts';
import { inScript, type Said } from '../findings.ts';
import type { Finding, LintScript, Rule } from '../rule.ts';
import { keyArguments } from '../script-keys.ts';
import { shown } from '../words.ts';

/** LUA005: a placeholder in a key or a command's name, data that is compiled as Lua, a command whose name is data. */
export const lua005: Rule = {
  code: 'LUA005',
  severity: 'error',
  title: 'a value is spliced into the script instead of passed as an argument',
  check: (subject) => ({ findings: subject.scripts.flatMap(judge) }),
};

function judge(script: LintScript): readonly Finding[] {
  const compiled = script.facts.compiled.map((place) => inScript(script, place, compiledData(place.name)));
  const calls = script.facts.calls.flatMap((call) => {
    const said = placeholder(call) ?? nameOfData(call.name);
    return said ? [inScript(script, call, said)] : [];
  });
  return [...compiled, ...calls];
}

// `${user}`, `{{user}}`, `<%= user %>`, and a key that ends or is all in %s: nothing of Lua fills them in
const patterns = [/\$\{\s*[A-Za-z_][\w.]*\s*\}/, /\{\{\s*[A-Za-z_][\w.]*\s*\}\}/, /<%=.*?%>/, /(^|:)%[sd](:|$)/];

function placeholder(call: LuaCall): Said | undefined {
  const names = [...(call.command === undefined ? [] : [call.command]), ...keyArguments(call).flatMap(constant)];
  const name = names.find((one) => patterns.some((pattern) => pattern.test(one)));
  if (name === undefined) return undefined;
  return {
    message: `${shown(name)} is a placeholder that the script does not fill in`,
    why: 'Filled in by the caller, every value is a script of its own in the cache, and a value with a quote in it is code.',
    fix: 'Keep the text of the script constant: pass names of keys in KEYS and values in ARGV.',
  };
}

function constant(argument: LuaArgument): readonly string[] {
  return argument.from === 'constant' ? [argument.value] : [];
}

function compiledData(name: string): Said {
  return {
    message: `${name} compiles an argument or a reply as Lua`,
    why: 'Whoever gives the value runs any code in the server, with the rights of the caller.',
    fix: 'Pass data in ARGV and decide in the script what is done with it.',
  };
}

function nameOfData(name: LuaArgument | undefined): Said | undefined {
  const isData = name?.from === 'ARGV' || name?.from === 'reply' || (name?.from === 'built' && name.usesArgv);
  if (!isData) return undefined;
  return {
    message: "the command's name comes from data",
    why: 'Whoever gives the value chooses what is run; arguments, keys and permissions cannot be checked beforehand.',
    fix: "Compare the value with the names that are meant, and write each command's name as a constant.",
    severity: 'warning',
  };
}
