/**
 * The second engine of a scan job: a script that scans a chunk of the keyspace and acts on what matches, so that no key
 * leaves the server. It does to each key what the commands of the step do, one command a key under redis.pcall, and
 * returns where to go on also when some of them failed. A deadline that is less than a second away by the server's clock
 * is refused before the first key: setting it would delete. It goes without a shebang: that is no Lua before Redis 7.0, and
 * none of these actions needs a flag (UNLINK, PERSIST, PEXPIREAT and TOUCH are served when the memory is full).
 */
import { createHash } from 'node:crypto';

/**
 * ARGV: cursor, SCAN's COUNT, keys that may be acted on at most, pattern, type ('' for all), run id, base time in Unix ms
 * ('' where the command has no deadline), jitter in ms, command, its arguments behind the key and the deadline. Gives the
 * next cursor, keys acted on, of them changed, of them refused, 1 when there were more than allowed, and of the first 20
 * refused the key and the error in turn.
 */
export const chunkSource = `local cursor, count, most, match, type_, run, base, jitter, command = unpack(ARGV, 1, 9)
local scan = {'SCAN', cursor, 'MATCH', match, 'COUNT', count}
if type_ ~= '' then scan[7] = 'TYPE' scan[8] = type_ end
local page = redis.call(unpack(scan))
most = tonumber(most)
local extra = {}
for i = 10, #ARGV do extra[#extra + 1] = ARGV[i] end
if command == 'PEXPIREAT' then
  local time = redis.call('TIME')
  local first = tonumber(base == '' and extra[1] or base)
  if first <= time[1] * 1000 + time[2] / 1000 + 1000 then return redis.error_reply('DEADLINE has passed, or nearly') end
end
local acted, changed, failed, over = 0, 0, 0, 0
local errors, seen = {}, {}
for _, key in ipairs(page[2]) do
  if not seen[key] then
    seen[key] = true
    if acted == most then over = 1 break end
    acted = acted + 1
    local reply
    if base == '' then
      reply = redis.pcall(command, key, unpack(extra))
    else
      local part = tonumber(string.sub(redis.sha1hex(run .. '/' .. key), 1, 13), 16) / 4503599627370496
      local at = tonumber(base) + math.floor(part * (tonumber(jitter) + 1))
      reply = redis.pcall(command, key, string.format('%.0f', at), unpack(extra))
    end
    if type(reply) == 'table' and reply.err then
      failed = failed + 1
      if failed <= 20 then errors[#errors + 1] = key errors[#errors + 1] = reply.err end
    elseif reply ~= 0 then
      changed = changed + 1
    end
  end
end
return {page[1], acted, changed, failed, over, errors}
`;

/** SHA1 of the script, as EVALSHA takes it. */
export const chunkSha1 = createHash('sha1').update(chunkSource).digest('hex');
