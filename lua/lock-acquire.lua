-- lock-acquire: takes a lock that expires by itself, and gives a fencing token that only ever grows
--
-- KEYS[1]  the lock: a string that holds its holder's token while it is held
-- KEYS[2]  the fencing counter of that lock, in the same slot ({job}:lock and {job}:fence). It has no time to live:
--          do not delete it, and keep it out of reach of eviction
-- ARGV[1]  time to live of the lock in milliseconds (a whole number, at least 1): longer than the work may take
--
-- Reply    {1, token} taken. Pass the token to lock-extend and lock-release, and send it with every write to what the
--          lock protects, which refuses a token below the highest that it has seen: a holder that was paused beyond
--          its time to live does no harm then
--          {0, ms} held by somebody else for so many milliseconds yet (-1: by a key without time to live)
-- Errors   ERR wrong number of keys or arguments, a time to live that is none, a counter that is no counter;
--          WRONGTYPE one of the keys is no string. After an error nothing was written.
-- Atomic   yes. Cluster: both keys in one slot. O(1). Redis 6.0 or later, Valkey, redict.
--
-- Tokens   are whole numbers as text, below 2^53. Each is above every earlier one: the counter is raised to the server's
--          clock (Unix microseconds) before it is incremented, so that a counter that was lost, or a failover that lost
--          the last increments, gives no token twice, as long as the clocks of the servers agree to within the time
--          that a failover takes.
-- The usual copy is SETNX, then EXPIRE: a client that dies between them leaves the lock for ever. SET NX PX with a random
-- value cannot tell a late write of an old holder from one of the new holder; a growing token can.
-- What a lock in Redis is not: replication is asynchronous, so after a crash two clients may believe that they hold it.
-- Fencing is what makes that harmless; without it, use the lock to save work, not to keep data right.

if #KEYS ~= 2 or #ARGV ~= 1 then
  return redis.error_reply('ERR lock-acquire takes 2 keys and 1 argument: lock, counter, ttl_ms')
end
if KEYS[1] == KEYS[2] then
  return redis.error_reply('ERR the lock and its counter are the same key')
end
if not (string.find(ARGV[1], '^[1-9]%d*$') and #ARGV[1] <= 15) then
  return redis.error_reply('ERR ttl_ms is not a whole number from 1 to 15 digits')
end

local held = redis.pcall('GET', KEYS[1])
if type(held) == 'table' then
  return held
end
local last = redis.pcall('GET', KEYS[2])
if type(last) == 'table' then
  return last
end
if last and not (string.find(last, '^%d+$') and #last <= 16 and tonumber(last) < 9007199254740991) then
  return redis.error_reply('ERR the fencing counter is not a whole number below 2^53-1')
end
if held then
  return { 0, redis.call('PTTL', KEYS[1]) }
end

-- before 7.0 a script that reads the clock may only write when its effects are replicated, not its text
if redis.replicate_commands then
  redis.replicate_commands()
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
if not last or tonumber(last) < now then
  redis.call('SET', KEYS[2], string.format('%.0f', now))
end
local token = string.format('%.0f', redis.call('INCR', KEYS[2]))
redis.call('SET', KEYS[1], token, 'PX', ARGV[1])
return { 1, token }
