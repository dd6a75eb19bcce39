-- compare-and-set: sets a string to a new value only while it holds the expected one
--
-- KEYS[1]  the string
-- ARGV[1]  the value that is expected, compared byte for byte
-- ARGV[2]  the new value
-- ARGV[3]  optional: time to live of the new value in milliseconds (a whole number, at least 1);
--          left out, the time to live stays as it is
--
-- Reply    1 set; 0 the value is another one, or the key does not exist (to create a key: SET key value NX)
-- Errors   ERR wrong number of keys or arguments, or a time to live that is none; WRONGTYPE the key is no string.
--          After an error nothing was written.
-- Atomic   yes. Cluster: one key. O(size of the value). Redis 6.0 or later, Valkey, redict.
--
-- The usual copy ends in SET without KEEPTTL: the key silently loses its time to live. It also sends GET and SET as two
-- commands, and loses the update that came between. Servers with SET ... IFEQ (Redis 8.4, Valkey 8.1) need no script.

if #KEYS ~= 1 or #ARGV < 2 or #ARGV > 3 then
  return redis.error_reply('ERR compare-and-set takes 1 key and 2 or 3 arguments: expected, new, [ttl_ms]')
end
local ttl = ARGV[3]
if ttl and not (string.find(ttl, '^[1-9]%d*$') and #ttl <= 15) then
  return redis.error_reply('ERR ttl_ms is not a whole number from 1 to 15 digits')
end

local value = redis.pcall('GET', KEYS[1])
if type(value) == 'table' then
  return value
end
if value ~= ARGV[1] then
  return 0
end
if ttl then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ttl)
else
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
end
return 1
