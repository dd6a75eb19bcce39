-- capped-increment: adds to a counter only while the sum stays within a cap, and gives a new counter its time to live
--
-- KEYS[1]  the counter
-- ARGV[1]  what to add (a whole number, at least 1)
-- ARGV[2]  the cap (a whole number, at least 1)
-- ARGV[3]  optional: time to live in milliseconds of a counter that this call makes; one that is there keeps its own
--
-- Reply    {1, value} added: the new value; {0, value} not added, since the sum would be above the cap: the value as it is
-- Errors   ERR wrong number of keys or arguments, numbers that are none, a counter that is no whole number within
--          +-(2^53-1); WRONGTYPE the key is no string. After an error nothing was written.
-- Atomic   yes. Cluster: one key. O(1). Redis 6.0 or later, Valkey, redict.
--
-- The usual copy adds first and looks afterwards, so that the counter ends above its cap (and DECR to put it right lets
-- others see the wrong value); or it sends INCR and EXPIRE as two commands, and a client that dies between them leaves
-- a counter that never expires; or it sets the time to live with every call, and a busy counter never expires.

if #KEYS ~= 1 or #ARGV < 2 or #ARGV > 3 then
  return redis.error_reply('ERR capped-increment takes 1 key and 2 or 3 arguments: amount, cap, [ttl_ms]')
end
for i = 1, #ARGV do
  if not (string.find(ARGV[i], '^[1-9]%d*$') and #ARGV[i] <= 15) then
    return redis.error_reply('ERR amount, cap and ttl_ms are whole numbers from 1 to 15 digits')
  end
end
local value = redis.pcall('GET', KEYS[1])
if type(value) == 'table' then
  return value
end
local current = 0
if value then
  local whole = value == '0' or string.find(value, '^-?[1-9]%d*$')
  if not whole or #value > 17 or math.abs(tonumber(value)) > 9007199254740991 then
    return redis.error_reply('ERR the counter is not a whole number within 2^53-1')
  end
  current = tonumber(value)
end
if current + tonumber(ARGV[1]) > tonumber(ARGV[2]) then
  return { 0, current }
end
if not value and ARGV[3] then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
  return { 1, tonumber(ARGV[1]) }
end
return { 1, redis.call('INCRBY', KEYS[1], ARGV[1]) }
