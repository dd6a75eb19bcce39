/**
 * Valkey 9 in cluster mode: one multi-key command on undeclared keys of several slots inside a script makes every later
 * script and function of every client on that node fail until the server is restarted. Seen on 9.1; nothing heals it.
 */

import type { LuaCall } from '../../formats/lua.ts';
import { isCluster } from '../clusters.ts';
import { howToGive, majorAtLeast } from '../facts.ts';
import { inScript } from '../findings.ts';
import type { Finding, LintScript, Rule } from '../rule.ts';
import { declaration, keyArguments } from '../script-keys.ts';
import { listed } from '../words.ts';

/** VAL001: a script with a multi-key command whose keys are not all declared, on Valkey 9 in cluster mode. */
export const val001: Rule = {
  code: 'VAL001',
  severity: 'error',
  title: 'Valkey 9 cluster: a multi-key command on undeclared keys breaks every later script',
  check(subject) {
    const server = subject.target?.server;
    const elsewhere =
      server && !(server.engine === 'valkey' && majorAtLeast(server.version, 9) && isCluster(subject) === true);
    if (elsewhere) return { findings: [] };
    const suspects = subject.scripts.flatMap((script) =>
      script.facts.calls.map((call) => ({ script, call, is: judge(call) })),
    );
    const undeclared = suspects.filter(({ is }) => is === 'undeclared');
    const unclear = suspects.filter(({ is }) => is === 'unknown').map(({ script, call }) => placeOf(script, call));
    if (!server) {
      const reason = `a script has a multi-key command on undeclared keys; whether the server is Valkey 9 in cluster mode is not known: ${howToGive(subject)}`;
      return undeclared.length === 0 ? { findings: [] } : { findings: [], unchecked: reason };
    }
    const findings = undeclared.map(({ script, call }) => finding(script, call));
    if (unclear.length === 0) return { findings };
    return { findings, unchecked: `the keys of the calls at ${listed(unclear)} are not visible in the script` };
  },
};

function judge(call: LuaCall): 'declared' | 'undeclared' | 'unknown' {
  if (call.command === undefined) return 'unknown';
  const keys = keyArguments(call);
  if (keys.length + (call.spread && keys.length > 0 ? 1 : 0) < 2) return 'declared';
  const is = keys.map(declaration);
  if (is.includes('undeclared')) return 'undeclared';
  return is.includes('unknown') ? 'unknown' : 'declared';
}

function finding(script: LintScript, call: LuaCall): Finding {
  return inScript(script, call, {
    message: `${call.command?.toUpperCase()} of several keys that are not all in KEYS, on Valkey 9 in cluster mode`,
    why: 'If they lie in different slots, every later script of every client on the node fails until the server is restarted, with pcall too.',
    fix: 'Declare the keys in KEYS, or use one command for each key.',
  });
}

function placeOf(script: LintScript, call: LuaCall): string {
  return inScript(script, call, { message: '', why: '', fix: '' }).at;
}
