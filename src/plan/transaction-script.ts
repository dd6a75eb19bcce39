/**
 * The second engine of a transaction: its reads, its condition and its commands as one Lua script, derived from the step
 * by a pure function, so that the SHA-1 in the step is the script. Keys are in KEYS and every value in ARGV: one shape of
 * transaction is one script, whatever values it is given.
 *
 * It does what WATCH and MULTI/EXEC would. Everything that EXEC would be refused for comes before the first write: what
 * the user may not run (asked of the server), and a full memory (`#!lua` without allow-oom: refused at its start, from
 * 7.0 on; before that `#!` is no Lua, so older servers do not get it). After that each command runs under redis.pcall,
 * and all replies are returned, since EXEC does not stop at an error either.
 *
 * It returns {word, reads}, where nothing was written: `stop` (the condition is false, or a value does not fit), `range`
 * (an integer beyond 2^53-1), else why it leaves the transaction to WATCH; or {'done', reads, replies, exact}, where
 * `exact` has in turn the place of a counter's reply beyond 2^53-1, and its text.
 */
import { createHash } from 'node:crypto';
import { type Bytes, bytesId, fromBuffer } from '../base/bytes.ts';
import { keysOf } from '../catalog/keys.ts';
import { commandName } from '../catalog/lookup.ts';
import { counterRead, readsAlikeInScript, writesAlikeInScript } from '../catalog/script-replies.ts';
import { parseExpression } from '../formats/expr.ts';
import { type LuaHelper, luaInteger, luaOf, luaPrelude } from '../formats/expr-lua.ts';
import type { TransactionStep } from './step.ts';
import { type Argument, literal } from './values.ts';

/** The script of a transaction, and what it is called with. */
export interface TransactionScript {
  readonly source: string;
  readonly sha1: string;
  readonly keys: readonly Bytes[];
  readonly args: readonly Bytes[];
}

/** Arguments of one call, all commands together. */
const MOST_ARGUMENTS = 1000;

/** The script that does the same as the step; or in one sentence why there is none. */
export function transactionScript(
  step: Pick<TransactionStep, 'reads' | 'guard' | 'steps'>,
): TransactionScript | { readonly reason: string } {
  const reason = unfit(step);
  if (reason !== undefined) return { reason };
  const call = openCall();
  const helpers = new Set<LuaHelper>(['value', 'word', ...(step.guard ? (['truth'] as const) : [])]);
  const problems: string[] = [];
  const places = new Map(step.reads.map(({ name }, index) => [name, index + 1]));
  const expression = (source: string): string => {
    const parsed = parseExpression(source);
    const compiled =
      'problem' in parsed
        ? { problem: parsed.problem.message }
        : luaOf(parsed.expression.tree, {
            name: (name) => `V[${places.get(name) ?? 0}]`,
            argument: (bytes) => call.argument(typeof bytes === 'string' ? bytes : fromBuffer(bytes)),
          });
    if ('problem' in compiled) {
      problems.push(compiled.problem);
      return 'NULL';
    }
    for (const helper of compiled.helpers) helpers.add(helper);
    return compiled.lua;
  };
  const reads = step.reads.map(({ command }) => `P(${call.words(command.argv, expression)})`);
  const guard = step.guard && expression(step.guard.expr);
  const words = wordsOf(step, expression);
  const written = step.steps.map(({ argv }) => `{${call.words(argv, (source) => words.places.get(source)!)}}`);
  const again = step.steps.flatMap(({ argv }, index) => {
    const read = counterRead(argv.map(literal));
    if (read === undefined) return [];
    return [
      {
        index: index + 1,
        lua: `{'${read.toUpperCase()}', ${call.words(argv.slice(1, read === 'get' ? 2 : 3), (source) => words.places.get(source)!, argv)}}`,
      },
    ];
  });
  if (problems.length > 0) return { reason: problems[0]! };
  if (call.keys.length + call.args.length > MOST_ARGUMENTS)
    return { reason: `it has more than ${MOST_ARGUMENTS} keys and values` };
  const source = `#!lua
local P, K, A, MAX, NULL = redis.pcall, KEYS, ARGV, ${luaInteger}, {}
${luaPrelude(helpers)}
local reads = {${reads.join(', ')}}
local C, B
local function decide()
  local V = {}
  for i = 1, ${reads.length} do V[i] = value(reads[i]) end
${guard === undefined ? '' : `  if not truth(${guard}) then stop() end\n`}  local W = {}
${words.lua.map((lua, index) => `  W[${index + 1}] = word(${lua})\n`).join('')}  C = {${written.join(', ')}}
  B = {${again.map(({ index, lua }) => `[${index}] = ${lua}`).join(', ')}}
  local may = redis.acl_check_cmd
  for i = 1, #C do if not may(unpack(C[i])) then error('permission', 0) end end
  for _, c in pairs(B) do if not may(unpack(c)) then error('permission', 0) end end
end
local fine, why = pcall(decide)
if not fine then return {tostring(why), reads} end
local replies, exact = {}, {}
for i = 1, #C do
  local reply = P(unpack(C[i]))
  replies[i] = reply
  if B[i] and type(reply) == 'number' and (reply > MAX or reply < -MAX) then
    exact[#exact + 1] = i
    exact[#exact + 1] = P(unpack(B[i]))
  end
end
return {'done', reads, replies, exact}
`;
  const sha1 = createHash('sha1').update(source).digest('hex');
  return { source, sha1, keys: call.keys, args: call.args };
}

function unfit({ reads, steps }: Pick<TransactionStep, 'reads' | 'steps'>): string | undefined {
  if (reads.length === 0) return 'nothing is read first';
  for (const { command } of reads) {
    const argv = command.argv.map(literal);
    if (!readsAlikeInScript(argv)) return `${label(argv)} is not known to give a script the same reply`;
  }
  for (const { argv } of steps) {
    if (argv.some((argument) => typeof argument === 'object' && 'deadline' in argument))
      return 'a deadline is fixed when it is first sent';
    const known = argv.map(literal);
    if (!writesAlikeInScript(known)) return `${label(known)} is not known to do the same in a script`;
    if (keysOf(known) === undefined) return `the keys of ${label(known)} are not known`;
  }
  return undefined;
}

function label(argv: readonly (Bytes | undefined)[]): string {
  return commandName(argv).replace('|', ' ').toUpperCase();
}

/** Every expression of the commands once, in order: the Lua of each, and where its word stands. */
function wordsOf(
  { steps }: Pick<TransactionStep, 'steps'>,
  expression: (source: string) => string,
): { readonly lua: readonly string[]; readonly places: ReadonlyMap<string, string> } {
  const lua: string[] = [];
  const places = new Map<string, string>();
  for (const argument of steps.flatMap(({ argv }) => argv)) {
    if (typeof argument !== 'object' || !('expr' in argument) || places.has(argument.expr)) continue;
    lua.push(expression(argument.expr));
    places.set(argument.expr, `W[${lua.length}]`);
  }
  return { lua, places };
}

/** Collects KEYS and ARGV. A key stands once; values are not compared, since the script must not depend on them. */
function openCall() {
  const keys: Bytes[] = [];
  const args: Bytes[] = [];
  const places = new Map<string, number>();
  const key = (bytes: Bytes): string => {
    const id = bytesId(bytes);
    if (!places.has(id)) places.set(id, keys.push(bytes));
    return `K[${places.get(id)!}]`;
  };
  const argument = (bytes: Bytes): string => `A[${args.push(bytes)}]`;
  /** The words of a command as Lua. `of`: the command that they are the words of from the second on, where they are a part. */
  const words = (
    argv: readonly Argument[],
    expression: (source: string) => string,
    of?: readonly Argument[],
  ): string => {
    const known = (of ?? argv).map(literal);
    const shift = of ? 1 : 0;
    const keyPlaces = new Set((keysOf(known) ?? []).map(({ index }) => index));
    return argv
      .map((one, index) => {
        if (typeof one === 'object' && 'expr' in one) return expression(one.expr);
        const bytes = literal(one)!;
        if (index + shift === 0) return `'${commandName(known).toUpperCase()}'`;
        return keyPlaces.has(index + shift) ? key(bytes) : argument(bytes);
      })
      .join(', ');
  };
  return { keys, args, argument, words };
}
