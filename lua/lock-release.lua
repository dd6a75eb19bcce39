-- lock-release: releases a lock that is still held by this token
--
-- KEYS[1]  the lock, as taken by lock-acquire (its fencing counter stays)
-- ARGV[1]  the token that lock-acquire gave
--
-- Reply    1 released; 0 the lock has expired, or is held by another token: somebody else may have worked meanwhile
-- Errors   ERR wrong number of keys or arguments; WRONGTYPE the key is no string. After an error nothing was written.
-- Atomic   yes. Cluster: one key. O(1). Redis 6.0 or later, Valkey, redict.
--
-- The usual copy sends DEL without a look at the value: a holder that was too slow deletes the lock of the next one, and
-- from then on two clients work at the same time.

if #KEYS ~= 1 or #ARGV ~= 1 then
  return redis.error_reply('ERR lock-release takes 1 key and 1 argument: token')
end

local held = redis.pcall('GET', KEYS[1])
if type(held) == 'table' then
  return held
end
if held ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
