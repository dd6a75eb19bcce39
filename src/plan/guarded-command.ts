/**
 * A command that looks again before it acts. Between the moment at which a filter was read and the moment at which its key
 * is acted on another client may have changed the key: so the command goes inside a script with that one key, which checks
 * and acts in one go. The same script gives PEXPIREAT its conditions on servers before 7.0, which do not have them.
 *
 * It acts by one command, its last, so an error means that nothing was applied. Declared keys make it run in any cluster.
 */
import { createHash } from 'node:crypto';
import { commandName } from '../catalog/lookup.ts';
import { asksType } from './filters.ts';
import type { Selection } from './step.ts';
import { type Argument, literal } from './values.ts';

/**
 * KEYS: the key. ARGV: TTL ('', none, any), its least and most ms, type, least and most elements, least and most bytes,
 * condition ('', NX, XX, GT, LT), the command, its arguments behind the key. '' is "no such bound". Gives 0 when the key
 * does not pass, else the command's reply.
 */
export const guardSource = `if redis.replicate_commands then redis.replicate_commands() end
local key, ttl, condition = KEYS[1], ARGV[1], ARGV[9]
local function outside(value, least, most)
  return least ~= '' and value < tonumber(least) or most ~= '' and value > tonumber(most)
end
local left = redis.call('PTTL', key)
if left == -2 or ttl == 'none' and left ~= -1 or ttl == 'any' and left < 0 then return 0 end
if ttl == 'any' and outside(left, ARGV[2], ARGV[3]) then return 0 end
if ARGV[4] ~= '' or ARGV[5] ~= '' or ARGV[6] ~= '' then
  local kind = redis.call('TYPE', key).ok
  if ARGV[4] ~= '' and kind ~= ARGV[4] then return 0 end
  if ARGV[5] ~= '' or ARGV[6] ~= '' then
    local sizes = {string = 'STRLEN', list = 'LLEN', set = 'SCARD', zset = 'ZCARD', hash = 'HLEN', stream = 'XLEN'}
    if not sizes[kind] or outside(redis.call(sizes[kind], key), ARGV[5], ARGV[6]) then return 0 end
  end
end
if ARGV[7] ~= '' or ARGV[8] ~= '' then
  if outside(redis.call('MEMORY', 'USAGE', key), ARGV[7], ARGV[8]) then return 0 end
end
if condition == 'NX' and left ~= -1 or condition == 'XX' and left == -1 then return 0 end
if condition == 'GT' or condition == 'LT' then
  local now = redis.call('TIME')
  local wanted = tonumber(ARGV[11]) - (now[1] * 1000 + math.floor(now[2] / 1000))
  if condition == 'GT' and (left == -1 or wanted <= left) then return 0 end
  if condition == 'LT' and left ~= -1 and wanted >= left then return 0 end
end
return redis.pcall(ARGV[10], key, unpack(ARGV, 11))
`;

/** SHA1 of the script, as EVALSHA takes it. */
export const guardSha1 = createHash('sha1').update(guardSource).digest('hex');

/** Where the command stands in such a call: behind EVALSHA, SHA1, 1, the key and nine words of filters. */
const COMMAND = 13;

/**
 * What to send for a command on one key of a selection (undefined: a key that was named): the command itself where
 * nothing has to be looked at again, else EVALSHA with the key declared. Takes a step's arguments as well as bound ones.
 */
export function guardedCommand<Word extends Argument>(
  argv: readonly Word[],
  selection: Omit<Selection, 'match'> | undefined,
  server: { readonly redis_version: string },
): readonly (Word | string)[] {
  const [name, key, ...rest] = argv;
  if (name === undefined || key === undefined) return argv;
  const command = commandName([literal(name)]); // all of these are one word, and this is done for every key
  const condition = command === 'pexpireat' ? conditionOf(argv) : undefined;
  const conditionInScript = condition !== undefined && !knowsConditions(server);
  const filters = selection === undefined ? {} : leftToCheck(command, condition, selection);
  const typed = selection !== undefined && asksType(selection) && command !== 'touch';
  const looks = typed || Object.keys(filters).length > 0;
  if (!looks && !conditionInScript) return argv;
  const { ttl, size, bytes } = filters;
  const range = typeof ttl === 'object' ? ttl : {};
  return [
    'EVALSHA',
    guardSha1,
    '1',
    key,
    typeof ttl === 'object' ? 'any' : (ttl ?? ''),
    ...bounds(range.min_ms, range.max_ms),
    looks ? (selection?.type ?? '') : '',
    ...bounds(size?.min, size?.max),
    ...bounds(bytes?.min, bytes?.max),
    conditionInScript ? condition : '',
    name,
    ...(conditionInScript ? rest.slice(0, -1) : rest),
  ];
}

/** True for a call of this script. */
export function isGuarded(argv: readonly (Argument | undefined)[]): boolean {
  return argv[0] === 'EVALSHA' && argv[1] === guardSha1;
}

/** The command inside a call of this script; any other command as it is. */
export function unguarded<Word extends Argument>(argv: readonly Word[]): readonly Word[] {
  if (!isGuarded(argv)) return argv;
  const condition = argv[COMMAND - 1]!;
  return [argv[COMMAND]!, argv[3]!, ...argv.slice(COMMAND + 1), ...(condition === '' ? [] : [condition])];
}

/** NX, XX, GT or LT of PEXPIREAT, in capitals. */
function conditionOf(argv: readonly Argument[]): 'NX' | 'XX' | 'GT' | 'LT' | undefined {
  const word = argv[3];
  return word === 'NX' || word === 'XX' || word === 'GT' || word === 'LT' ? word : undefined;
}

/** EXPIRE and its like have conditions from 7.0; Valkey and Redict say which Redis they are compatible with. */
function knowsConditions({ redis_version }: { readonly redis_version: string }): boolean {
  return Number.parseInt(redis_version, 10) >= 7;
}

/** The filters that the command does not keep by itself: PERSIST acts only on a TTL, NX only without one, TOUCH changes no data. */
function leftToCheck(
  name: string,
  condition: string | undefined,
  { ttl, size, bytes }: Omit<Selection, 'match'>,
): Pick<Selection, 'ttl' | 'size' | 'bytes'> {
  if (name === 'touch') return {};
  const keptTtl =
    (ttl === 'none' && condition === 'NX') ||
    (ttl === 'any' && (condition === 'XX' || condition === 'GT' || name === 'persist'));
  return {
    ...(ttl === undefined || keptTtl ? {} : { ttl }),
    ...(size === undefined ? {} : { size }),
    ...(bytes === undefined ? {} : { bytes }),
  };
}

function bounds(least: number | undefined, most: number | undefined): readonly [string, string] {
  return [least === undefined ? '' : String(least), most === undefined ? '' : String(most)];
}
