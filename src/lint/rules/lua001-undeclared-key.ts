/** A script may only use keys that the caller declares in KEYS: a cluster routes by them, permissions and caps are checked by them. */
import type { LuaArgument } from '../../formats/lua.ts';
import { inScript, type Said } from '../findings.ts';
import type { Rule } from '../rule.ts';
import { keyArguments } from '../script-keys.ts';
import { excerpt, shown } from '../words.ts';

/** LUA001: a key that is built in the script, or taken from ARGV, a constant or a reply. */
export const lua001: Rule = {
  code: 'LUA001',
  severity: 'error',
  title: 'a script uses a key that is not declared in KEYS',
  check: (subject) => ({
    findings: subject.scripts.flatMap((script) =>
      script.facts.calls.flatMap((call) => {
        const said = keyArguments(call)
          .map((argument) => judge(argument))
          .find((one) => one !== undefined);
        return said ? [inScript(script, call, said)] : [];
      }),
    ),
  }),
};

function judge(argument: LuaArgument): Said | undefined {
  switch (argument.from) {
    case 'KEYS':
    case 'unknown':
      return undefined;
    case 'ARGV':
      return said(`the key is ARGV[${argument.index ?? 'n'}]`, 'error');
    case 'constant':
      return said(`the key ${shown(argument.value)} is a constant of the script`, 'warning');
    case 'reply':
      return said('the key is a value read from Redis', 'warning');
    case 'built': {
      // KEYS[1] .. ':lock' stays in the slot of a hash-tagged KEYS[1]
      const derived = argument.usesKeys && !argument.usesArgv && !argument.usesReply;
      return said(`the key is built in the script: ${excerpt(argument.text)}`, derived ? 'warning' : 'error');
    }
  }
}

function said(message: string, severity: 'error' | 'warning'): Said {
  return {
    message,
    why: 'A cluster routes the call by KEYS: any other key fails there when it lies in another slot, and permissions cannot be checked beforehand.',
    fix: 'Build the name in the caller and pass it in KEYS.',
    severity,
  };
}
