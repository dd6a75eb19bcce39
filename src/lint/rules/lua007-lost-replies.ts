/** A script's numbers become integers on their way to the caller, its arrays end at the first nil, its named fields are dropped. */
import type { LuaLoss } from '../../formats/lua-facts.ts';
import { inScript, type Said } from '../findings.ts';
import type { Rule } from '../rule.ts';
import { excerpt } from '../words.ts';

/** LUA007: a returned fraction, hole or named field, and a number that a double does not hold. */
export const lua007: Rule = {
  code: 'LUA007',
  severity: 'warning',
  title: 'what the script returns does not reach the caller as it is',
  check: (subject) => ({
    findings: subject.scripts.flatMap((script) =>
      script.facts.losses.map((loss) => inScript(script, loss, sentences(loss))),
    ),
  }),
};

function sentences({ kind, text }: LuaLoss): Said {
  const what = excerpt(text);
  switch (kind) {
    case 'fraction':
      return {
        message: `${what} may have decimals, and the caller gets an integer`,
        why: 'Redis cuts the decimals of a returned number off: 2.9 arrives as 2.',
        fix: 'Return tostring(...), or math.floor(...) where the whole number is meant.',
      };
    case 'hole':
      return {
        message: 'the returned array ends at this nil',
        why: 'Redis stops at the first nil of a table: what follows it does not arrive.',
        fix: 'Return false: it arrives as nil.',
      };
    case 'field':
      return {
        message: 'the named fields of the returned table do not arrive',
        why: 'Redis returns only what stands at 1, 2, 3 ... of a table; the caller gets an empty array.',
        fix: "Return a list, such as { 'name', value }, or cjson.encode(...).",
      };
    case 'digits':
      return {
        message: `${what} is not held exactly`,
        why: 'A number in Lua 5.1 is a double: whole numbers are exact up to 2^53, 9007199254740992.',
        fix: "Write it as text ('9007199254740993') and let INCRBY and its like compute.",
      };
  }
}
