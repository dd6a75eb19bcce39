/** While a script runs nobody else is served, and no time limit stops it: its work must be bounded. */

import type { Argv } from '../../catalog/command.ts';
import type { LuaFacts } from '../../formats/lua.ts';
import { eachCall, inScript, type Said } from '../findings.ts';
import type { Finding, LintScript, Rule } from '../rule.ts';
import { integer, spoken, word } from '../words.ts';

/** LUA003: a loop bounded by data or by nothing, or a command that reads everything. */
export const lua003: Rule = {
  code: 'LUA003',
  severity: 'warning',
  title: 'a script whose work has no bound',
  check: (subject) => ({
    findings: [...subject.scripts.flatMap(loops), ...eachCall(subject, judgeCall)],
  }),
};

function loops(script: LintScript): readonly Finding[] {
  return script.facts.loops.map((loop) =>
    inScript(script, loop, {
      message: loopMessage(loop),
      why: 'The whole server waits while a script runs; lua-time-limit does not stop it, it only starts the BUSY replies.',
      fix: 'Bound it by a constant, such as 1,000, and call the script again for the rest.',
    }),
  );
}

function loopMessage(loop: LuaFacts['loops'][number]): string {
  switch (loop.kind) {
    case 'while_true':
      return 'a loop without an end';
    case 'data_bound':
      return loop.bound === 'ARGV' ? 'a loop as long as an argument says' : 'a loop as long as the data';
    case 'numeric':
      return 'a loop whose bound is not a constant';
  }
}

const reads: ReadonlySet<string> = new Set('hgetall hkeys hvals smembers scan'.split(' '));

function judgeCall(name: string, argv: Argv): Said | undefined {
  const wholeRange =
    ['lrange', 'zrange', 'zrevrange'].includes(name) && integer(argv, 2) === 0n && integer(argv, 3) === -1n;
  if (name === 'keys') {
    return {
      ...said('KEYS visits every key of the database while the script runs'),
      fix: 'Pass the keys in KEYS; list them outside: redops keys find.',
      severity: 'error',
    };
  }
  if (wholeRange && word(argv, 4) !== 'LIMIT') return said(`${spoken(name)} 0 -1 reads the whole value`);
  return reads.has(name) ? said(`${spoken(name)} in a script: its work grows with the data`) : undefined;
}

function said(message: string): Said {
  return {
    message,
    why: "The whole server waits while a script runs, and the result is copied into Lua's memory.",
    fix: 'Read a bounded part (LRANGE, ZRANGE, HMGET of what is needed), or read outside the script.',
  };
}
