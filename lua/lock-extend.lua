-- lock-extend: gives a lock that is still held by this token a new time to live
--
-- KEYS[1]  the lock, as taken by lock-acquire
-- ARGV[1]  the token that lock-acquire gave
-- ARGV[2]  time to live from now, in milliseconds (a whole number, at least 1)
--
-- Reply    1 extended; 0 the lock has expired, or is held by another token: stop the work, it is no longer protected
-- Errors   ERR wrong number of keys or arguments, or a time to live that is none; WRONGTYPE the key is no string.
--          After an error nothing was written.
-- Atomic   yes. Cluster: one key. O(1). Redis 6.0 or later, Valkey, redict.
--
-- The usual copy sends PEXPIRE without a look at the value: it extends the lock of whoever holds it by now. It also takes
-- a missing reply for success: where the reply was lost, take the lock as lost.

if #KEYS ~= 1 or #ARGV ~= 2 then
  return redis.error_reply('ERR lock-extend takes 1 key and 2 arguments: token, ttl_ms')
end
if not (string.find(ARGV[2], '^[1-9]%d*$') and #ARGV[2] <= 15) then
  return redis.error_reply('ERR ttl_ms is not a whole number from 1 to 15 digits')
end

local held = redis.pcall('GET', KEYS[1])
if type(held) == 'table' then
  return held
end
if held ~= ARGV[1] then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
