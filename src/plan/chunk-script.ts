/**
 * The second engine of a scan job: a script that scans a chunk of the keyspace and acts on what matches, so that no key
 * leaves the server. It does to each key what the commands of the step do, under redis.pcall, and returns where to go on
 * also when some of them failed. Keys are removed 100 a command; where one of these may not be, which refuses all of them,
 * one a command. A deadline that is less than a second away by the server's clock is refused before the first key: setting
 * it would delete.
 *
 * It goes without a shebang: that is no Lua before Redis 7.0, and none of these actions needs a flag (UNLINK, PERSIST,
 * PEXPIREAT and TOUCH are served when the memory is full). Before 7.0 a script that writes behind SCAN and TIME has to
 * say that its effects are replicated and not its text. SCAN repeats keys between calls only, not within one.
 */
import { createHash } from 'node:crypto';
import { type Bytes, toBuffer } from '../base/bytes.ts';

/** A polynomial hash that Lua's doubles compute exactly (all products are below 2^53): its factor, its prime, and the bytes it takes at most. */
const JITTER_FACTOR = 16_777_619;
const JITTER_PRIME = 67_108_859;
const JITTER_BYTES = 64;

/**
 * A number in [0, 1) that depends on run and key alone, evenly spread: what a key's deadline takes of the jitter. The
 * script below computes the same. A longer key goes in by its SHA-1, which costs the server more than the bytes of a short one.
 */
export function jitterPart(runId: string, key: Bytes): number {
  const bytes = toBuffer(key);
  const word = bytes.length > JITTER_BYTES ? Buffer.from(createHash('sha1').update(bytes).digest('hex')) : bytes;
  let hash = 1;
  for (const part of [Buffer.from(runId, 'utf8'), word]) {
    for (const byte of part) hash = (hash * JITTER_FACTOR + byte) % JITTER_PRIME;
  }
  return ((hash * JITTER_FACTOR) % JITTER_PRIME) / JITTER_PRIME;
}

/**
 * ARGV: cursor, SCAN's COUNT, keys that may be acted on at most, pattern, type ('' for all), run id, base time in Unix ms
 * ('' where the command has no deadline), jitter in ms, command, its arguments behind the key and the deadline. Gives the
 * next cursor, keys acted on, of them changed, of them refused, 1 when there were more than allowed, and of the first 20
 * refused the key and the error in turn.
 */
export const chunkSource = `if redis.replicate_commands then redis.replicate_commands() end
local cursor, count, most, match, type_, run, base, jitter, command = unpack(ARGV, 1, 9)
local scan = {'SCAN', cursor, 'MATCH', match, 'COUNT', count}
if type_ ~= '' then scan[7] = 'TYPE' scan[8] = type_ end
local page = redis.call(unpack(scan))
local extra = {unpack(ARGV, 10)}
if command == 'PEXPIREAT' then
  local time = redis.call('TIME')
  local first = tonumber(base == '' and extra[1] or base)
  if first <= time[1] * 1000 + time[2] / 1000 + 1000 then return redis.error_reply('DEADLINE has passed, or nearly') end
end
local keys, over = page[2], 0
local acted = #keys
if acted > tonumber(most) then acted, over = tonumber(most), 1 end
local changed, failed, errors = 0, 0, {}
local pcall, byte, floor, format, sha1hex = redis.pcall, string.byte, math.floor, string.format, redis.sha1hex
local function note(key, reply)
  if type(reply) == 'number' then changed = changed + reply return end
  failed = failed + 1
  if failed <= 20 then errors[#errors + 1] = key errors[#errors + 1] = reply.err end
end
if command == 'UNLINK' then
  for first = 1, acted, 100 do
    local last = math.min(first + 99, acted)
    local reply = pcall(command, unpack(keys, first, last))
    if type(reply) == 'number' then
      changed = changed + reply
    else
      for at = first, last do note(keys[at], pcall(command, keys[at])) end
    end
  end
elseif base == '' then
  for at = 1, acted do note(keys[at], pcall(command, keys[at], unpack(extra))) end
else
  base, jitter = tonumber(base), tonumber(jitter)
  local deadline = format('%d', base)
  local seed = 1
  for at = 1, #run do seed = (seed * ${JITTER_FACTOR} + byte(run, at)) % ${JITTER_PRIME} end
  for at = 1, acted do
    local key = keys[at]
    if jitter > 0 then
      local bytes, hash = {byte(#key > ${JITTER_BYTES} and sha1hex(key) or key, 1, ${JITTER_BYTES})}, seed
      for i = 1, #bytes do hash = (hash * ${JITTER_FACTOR} + bytes[i]) % ${JITTER_PRIME} end
      hash = hash * ${JITTER_FACTOR} % ${JITTER_PRIME}
      deadline = format('%d', base + floor(hash / ${JITTER_PRIME} * (jitter + 1)))
    end
    note(key, pcall(command, key, deadline, unpack(extra)))
  end
end
return {page[1], acted, changed, failed, over, errors}
`;

/** SHA1 of the script, as EVALSHA takes it. */
export const chunkSha1 = createHash('sha1').update(chunkSource).digest('hex');
