-- token-bucket: admits requests while there are tokens, which come back at a steady rate up to a capacity
--
-- KEYS[1]  a hash: `level`, `at`, `per`; made and expired by this script alone
-- ARGV[1]  capacity in tokens (a whole number, at least 1): the largest burst
-- ARGV[2]  refill: tokens that come back ...
-- ARGV[3]  ... in each interval of so many milliseconds (both whole numbers, at least 1)
-- ARGV[4]  optional: tokens that this request costs (a whole number from 1 to the capacity); default 1
--
-- Reply    {1, remaining, 0} admitted: so many whole tokens are left
--          {0, remaining, retry_after_ms} not admitted, and nothing taken: enough are there after so many milliseconds
-- Errors   ERR wrong number of keys or arguments, numbers that are none, a cost above the capacity, capacity times interval
--          beyond 2^53 microseconds, a hash of somebody else; WRONGTYPE the key is no hash. After an error nothing was
--          written.
-- Atomic   yes. Cluster: one key. O(1). Redis 6.0 or later, Valkey, redict. The key expires when the bucket is full
--          again: a bucket that is not there is a full one, so an evicted key admits one burst.
--
-- Exact    A level is kept in parts of a token, as many to a token as the interval has microseconds: each microsecond
--          gives back `refill` parts. All of it is whole numbers below 2^53, so nothing is rounded and nothing drifts: in
--          any time t it admits at most capacity + refill * t / interval. A clock that is set back gives nothing back
--          twice. Where the interval is another one than before, whole tokens are kept.
-- The usual copy uses the clock of the client, keeps fractions as floating-point text (which drifts, and loses small
-- refills at a high rate for ever), resets the moment of the last refill although nothing came back, or never expires.

if #KEYS ~= 1 or #ARGV < 3 or #ARGV > 4 then
  return redis.error_reply('ERR token-bucket takes 1 key and 3 or 4 arguments: capacity, refill, interval_ms, [cost]')
end
for i = 1, #ARGV do
  if not (string.find(ARGV[i], '^[1-9]%d*$') and #ARGV[i] <= 12) then
    return redis.error_reply('ERR capacity, refill, interval_ms and cost are whole numbers from 1 to 12 digits')
  end
end
local capacity = tonumber(ARGV[1])
local refill = tonumber(ARGV[2])
local per = tonumber(ARGV[3]) * 1000
local cost = tonumber(ARGV[4] or '1')
local full = capacity * per
if full > 9007199254740991 then
  return redis.error_reply('ERR capacity times interval_ms is beyond 2^53 microseconds: choose a shorter interval')
end
if cost > capacity then
  return redis.error_reply('ERR the cost is above the capacity: it would never be admitted')
end
local bucket = redis.pcall('HMGET', KEYS[1], 'level', 'at', 'per')
if bucket.err then
  return bucket
end
local found = redis.call('EXISTS', KEYS[1]) == 1
for i = 1, 3 do
  if found and not (bucket[i] and string.find(bucket[i], '^%d+$') and #bucket[i] <= 16) then
    return redis.error_reply('ERR the hash was not made by token-bucket')
  end
end

-- before 7.0 a script that reads the clock may only write when its effects are replicated, not its text
if redis.replicate_commands then
  redis.replicate_commands()
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local level = full
if found then
  local before = tonumber(bucket[3])
  level = tonumber(bucket[1])
  if before ~= per then
    level = (level - level % before) / before * per
  end
  local at = tonumber(bucket[2])
  if at > now then
    now = at
  end
  -- below `full` the product is exact, above it only has to be above
  local back = (now - at) * refill
  if level >= full or back >= full - level then
    level = full
  else
    level = level + back
  end
end

local price = cost * per
if level < price then
  local wait = math.ceil((price - level) / refill)
  return { 0, math.floor((level - level % per) / per), math.ceil(wait / 1000) }
end
level = level - price
local word = string.format
redis.call('HSET', KEYS[1], 'level', word('%.0f', level), 'at', word('%.0f', now), 'per', word('%.0f', per))
redis.call('PEXPIRE', KEYS[1], word('%.0f', math.ceil(math.ceil((full - level) / refill) / 1000) + 1))
return { 1, math.floor((level - level % per) / per), 0 }
