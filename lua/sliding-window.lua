-- sliding-window: admits at most so many requests in any window of time, each remembered by its moment
--
-- KEYS[1]  a sorted set, one member for each admitted request
-- ARGV[1]  limit: requests in a window (a whole number, at least 1)
-- ARGV[2]  window in milliseconds (a whole number, at least 1)
--
-- Reply    {1, remaining, 0} admitted: so many more would be admitted now
--          {0, 0, retry_after_ms} not admitted, and not counted: the next place is free after so many milliseconds
-- Errors   ERR wrong number of keys or arguments, or numbers that are none; WRONGTYPE the key is no sorted set.
--          After an error nothing was written.
-- Atomic   yes. Cluster: one key. O(log limit) and what has left the window; it keeps up to `limit` members. Redis 6.0
--          or later, Valkey, redict. The key expires one window after the last request that was admitted.
--
-- Time     is the server's, in microseconds, whole numbers below 2^53: exact as scores. A moment is used once: a request
--          in the same microsecond as the last one, or after a clock that was set back, gets the next free one, so that
--          no member overwrites another. It never admits more than the limit in a window.
-- The usual copy uses the clock of the client (clients disagree), a member that is the time in milliseconds (two requests
-- become one, and more are admitted than allowed), counts refused requests too (a busy client is never admitted again),
-- or sends ZCARD and ZADD as two commands (all of a burst see a place that is free).

if #KEYS ~= 1 or #ARGV ~= 2 then
  return redis.error_reply('ERR sliding-window takes 1 key and 2 arguments: limit, window_ms')
end
for i = 1, 2 do
  if not (string.find(ARGV[i], '^[1-9]%d*$') and #ARGV[i] <= 12) then
    return redis.error_reply('ERR limit and window_ms are whole numbers from 1 to 12 digits')
  end
end
local limit = tonumber(ARGV[1])
local window = tonumber(ARGV[2]) * 1000
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'zset' and kind ~= 'none' then
  return redis.error_reply('WRONGTYPE the key of a sliding window is a sorted set, this is a ' .. kind)
end

-- before 7.0 a script that reads the clock may only write when its effects are replicated, not its text
if redis.replicate_commands then
  redis.replicate_commands()
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - window))
local count = redis.call('ZCARD', KEYS[1])
if count >= limit then
  -- the place that must become free is that of the oldest; further on where the limit was higher before
  local first = redis.call('ZRANGE', KEYS[1], count - limit, count - limit, 'WITHSCORES')
  return { 0, 0, math.max(1, math.ceil((tonumber(first[2]) + window - now) / 1000)) }
end
local newest = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local moment = now
if newest[2] and tonumber(newest[2]) >= now then
  moment = tonumber(newest[2]) + 1
end
local member = string.format('%.0f', moment)
redis.call('ZADD', KEYS[1], member, member)
redis.call('PEXPIRE', KEYS[1], math.ceil((moment - now + window) / 1000))
return { 1, limit - count - 1, 0 }
