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
 * It returns {word, each read}, where nothing was written: `stop` (the condition is false, or a value does not fit),
 * `range` (an integer beyond 2^53-1), else why it leaves the transaction to WATCH; or {SCRIPT_DONE, each read, each reply,
 * then of each counter its text where the reply is beyond 2^53-1, else nil}.
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
  /** Which commands are counters: what it returns of them is behind the replies. */
  readonly counters: readonly number[];
}

/** Each of these is a local of Lua, which has room for 200, and for 250 with the words of a call. */
const MOST_READS = 20;
const MOST_COMMANDS = 30;
const MOST_WORDS = 60;

/** What the script returns first where it came to its commands: an integer, since nothing else that it says is one. */
export const SCRIPT_DONE = 1;

const large = "local function large(n) return type(n) == 'number' and (n > MAX or n < -MAX) end\n";

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
            name: (name) => `v${places.get(name) ?? 0}`,
            argument: (bytes) => call.argument(typeof bytes === 'string' ? bytes : fromBuffer(bytes)),
          });
    if ('problem' in compiled) {
      problems.push(compiled.problem);
      return 'NULL';
    }
    for (const helper of compiled.helpers) helpers.add(helper);
    return compiled.lua;
  };
  const reads = step.reads.map(({ command }) => call.words(command.argv, expression));
  const guard = step.guard && expression(step.guard.expr);
  const words = wordsOf(step, expression);
  const place = (source: string): string => words.places.get(source)!;
  const commands = step.steps.map(({ argv }) => call.words(argv, place));
  const counters = step.steps.flatMap(({ argv }, index) => {
    const read = counterRead(argv.map(literal));
    if (read === undefined) return [];
    const again = call.words(argv.slice(1, read === 'get' ? 2 : 3), place, argv);
    return [{ index, lua: `'${read.toUpperCase()}', ${again}` }];
  });
  if (problems.length > 0) return { reason: problems[0]! };
  if (reads.length > MOST_READS || commands.length > MOST_COMMANDS || words.lua.length > MOST_COMMANDS)
    return { reason: `it has more than ${MOST_READS} reads, or ${MOST_COMMANDS} commands or computed values` };
  const r = reads.map((_, index) => `r${index + 1}`);
  const w = words.lua.map((_, index) => `w${index + 1}`);
  const again = new Map(counters.map(({ index, lua }) => [index, lua]));
  const run = commands.map((lua, index) => {
    const counter = again.get(index);
    const at = index + 1;
    return `local c${at} = P(${lua})${counter === undefined ? '' : `\nlocal e${at} = large(c${at}) and P(${counter})`}`;
  });
  const returned = [
    ...r,
    ...commands.map((_, index) => `c${index + 1}`),
    ...counters.map(({ index }) => `e${index + 1}`),
  ];
  const may = [...commands, ...counters.map(({ lua }) => lua)].map((lua) => `may(${lua})`);
  const source = `#!lua
local P, K, A, MAX, NULL, may = redis.pcall, KEYS, ARGV, ${luaInteger}, {}, redis.acl_check_cmd
${counters.length === 0 ? '' : large}${luaPrelude(helpers)}
${reads.map((lua, index) => `local r${index + 1} = P(${lua})\n`).join('')}local function decide()
${r.map((name, index) => `  local v${index + 1} = value(${name})\n`).join('')}${guard === undefined ? '' : `  if not truth(${guard}) then stop() end\n`}${words.lua.map((lua, index) => `  local w${index + 1} = word(${lua})\n`).join('')}  if not (${may.join(' and ')}) then error('permission', 0) end
  return ${w.join(', ')}
end
local fine, ${[...w, ...(w.length === 0 ? ['w1'] : [])].join(', ')} = pcall(decide)
if not fine then return {tostring(w1), ${r.join(', ')}} end
${run.join('\n')}
return {${SCRIPT_DONE}, ${returned.join(', ')}}
`;
  const sha1 = createHash('sha1').update(source).digest('hex');
  return { source, sha1, keys: call.keys, args: call.args, counters: counters.map(({ index }) => index) };
}

function unfit({ reads, steps }: Pick<TransactionStep, 'reads' | 'steps'>): string | undefined {
  if (reads.length === 0) return 'nothing is read first';
  if ([...reads.map(({ command }) => command), ...steps].some(({ argv }) => argv.length > MOST_WORDS))
    return `a command has more than ${MOST_WORDS} words`;
  for (const { command } of reads) {
    const argv = command.argv.map(literal);
    if (!readsAlikeInScript(argv)) return `${label(argv)} is not known to give a script the same reply`;
  }
  for (const { argv } of steps) {
    if (argv.some((argument) => typeof argument === 'object' && 'deadline' in argument))
      return 'a deadline is fixed when it is first sent';
    if (argv.some((argument) => typeof argument === 'object' && 'param' in argument))
      return 'its marker holds the name of the attempt';
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
    places.set(argument.expr, `w${lua.length}`);
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
