-- transfer: moves an amount from one balance to another, only when it is there
--
-- KEYS[1]  the balance that pays, a whole number
-- KEYS[2]  the balance that receives, a whole number in the same slot ({bank}:1 and {bank}:2)
-- ARGV[1]  the amount in the smallest unit, such as cents (a whole number, at least 1, without sign or leading zero)
--
-- Reply    {1, paying balance, receiving balance} moved: both as they are now, as text, since they may be beyond 2^53
--          {0, paying balance} not moved: the balance is too small
-- Errors   ERR wrong number of keys or arguments, the same balance twice, an amount or a balance that is no whole number,
--          a sum beyond 64 bits; NOKEY one of the balances does not exist; WRONGTYPE one of them is no string.
--          After an error nothing was written.
-- Atomic   yes. Cluster: both keys in one slot. O(1). Redis 6.0 or later, Valkey, redict.
--
-- The usual copy compares with tonumber(), which is wrong from 2^53 on; takes before it gives, so that a receiving balance
-- that is full or is no number loses the amount; takes a negative amount, which is a theft; moves from a balance to
-- itself, which makes money where it writes back what it read; and opens a balance for every name that was misspelt.

if #KEYS ~= 2 or #ARGV ~= 1 then
  return redis.error_reply('ERR transfer takes 2 keys and 1 argument: from, to, amount')
end
if KEYS[1] == KEYS[2] then
  return redis.error_reply('ERR both balances are the same key')
end
local amount = ARGV[1]
if not (string.find(amount, '^[1-9]%d*$') and #amount <= 19) then
  return redis.error_reply('ERR the amount is not a whole number from 1 to 19 digits')
end

for i = 1, 2 do
  local balance = redis.pcall('GET', KEYS[i])
  if type(balance) == 'table' then
    return balance
  end
  if not balance then
    return redis.error_reply('NOKEY balance ' .. i .. ' does not exist')
  end
  if not (string.find(balance, '^-?[1-9]%d*$') or balance == '0') then
    return redis.error_reply('ERR balance ' .. i .. ' is not a whole number')
  end
end
-- whole numbers without sign or leading zeros: the longer one is larger, and of one length the text decides
local function above(a, b)
  return #a > #b or (#a == #b and a > b)
end
local paying = redis.call('GET', KEYS[1])
if string.sub(paying, 1, 1) == '-' or above(amount, paying) then
  return { 0, paying }
end
if above(paying, '9223372036854775807') then
  return redis.error_reply('ERR balance 1 is beyond 64 bits')
end

-- giving comes first: it is the only one that can be refused (beyond 64 bits), and then nothing has been written
local given = redis.pcall('INCRBY', KEYS[2], amount)
if type(given) == 'table' then
  return given
end
redis.call('DECRBY', KEYS[1], amount)
return { 1, redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2]) }
