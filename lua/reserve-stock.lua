-- reserve-stock: takes several items from stock, all of them or none, and never more than there are
--
-- KEYS[n]  the stock of an item, a whole number; 1 to 100 items, each once, all in one slot
-- ARGV[n]  how many of it (a whole number, at least 1)
--
-- Reply    {1, left, left, ...} reserved: what is left of each, in the order of KEYS
--          {0, n, left} not reserved, nothing was taken: of the n-th item only so many are left
-- Errors   ERR wrong number of keys or arguments, an item twice, numbers that are none, a stock that is no whole number
--          within +-(2^53-1); NOKEY there is no stock of an item; WRONGTYPE a key is no string. After an error nothing
--          was written.
-- Atomic   yes. Cluster: all keys in one slot ({shop}:stock:1). O(items). Redis 6.0 or later, Valkey, redict.
--
-- The usual copy takes item by item and stops at the first that is short, with the others already taken; or it sends
-- DECRBY and puts back what went below zero, while others are refused what is there; or it checks each item by itself
-- and is oversold by an order that names the same item twice.

if #KEYS < 1 or #KEYS > 100 or #ARGV ~= #KEYS then
  return redis.error_reply('ERR reserve-stock takes 1 to 100 keys and a quantity for each')
end
local seen = {}
for i = 1, #KEYS do
  if seen[KEYS[i]] then
    return redis.error_reply('ERR item ' .. i .. ' is named twice: add up its quantities')
  end
  seen[KEYS[i]] = true
  if not (string.find(ARGV[i], '^[1-9]%d*$') and #ARGV[i] <= 15) then
    return redis.error_reply('ERR quantity ' .. i .. ' is not a whole number from 1 to 15 digits')
  end
end

local short
for i = 1, #KEYS do
  local stock = redis.pcall('GET', KEYS[i])
  if type(stock) == 'table' then
    return stock
  end
  if not stock then
    return redis.error_reply('NOKEY there is no stock of item ' .. i)
  end
  -- spelled as Redis spells it: DECRBY refuses any other, and by then others would have been taken
  local whole = stock == '0' or string.find(stock, '^-?[1-9]%d*$')
  if not whole or #stock > 17 or math.abs(tonumber(stock)) > 9007199254740991 then
    return redis.error_reply('ERR the stock of item ' .. i .. ' is not a whole number within 2^53-1')
  end
  if not short and tonumber(stock) < tonumber(ARGV[i]) then
    short = { 0, i, tonumber(stock) }
  end
end
if short then
  return short
end

local reply = { 1 }
for i = 1, #KEYS do
  reply[i + 1] = redis.call('DECRBY', KEYS[i], ARGV[i])
end
return reply
